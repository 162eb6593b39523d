"""A task that is killed: it cannot end green, and stops its mailing only where that was asked for."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase
from airflow_provider_altcraft.exceptions import AltcraftKilled, AltcraftWaitTimeout
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator
from tests.conftest import event_of
from tests.contexts import Store, context

STOP = "campaigns/deactivate"


def launch(**arguments):
    return AltcraftLaunchMailingOperator(
        **{"task_id": "launch", "mailing_id": 7, "poll_interval": 0.02, "timeout": 20, **arguments}
    )


def killed_while_waiting(operator):
    """The operator gets its SIGTERM at its first pause, as its signal handler would."""
    pause = operator.sleep

    def sleep(seconds):
        operator.on_kill()
        pause(seconds)

    operator.sleep = sleep
    return operator


def test_a_killed_task_does_not_end_green_and_leaves_the_mailing_alone(altcraft_sandbox):
    with pytest.raises(AltcraftKilled):
        killed_while_waiting(launch()).execute(context())
    assert not altcraft_sandbox.journal.calls(STOP)


def test_killed_as_its_work_is_done_it_does_not_end_green_either(altcraft_sandbox):
    class Late(AltcraftOperator):
        def work(self, context):
            self.on_kill()
            return "done"

    with pytest.raises(AltcraftKilled):
        Late(task_id="late").execute(context())


def test_a_retry_of_a_killed_task_takes_its_launch_up(altcraft_sandbox):
    store = Store()
    with pytest.raises(AltcraftKilled):
        killed_while_waiting(launch()).execute(context(store=store))
    altcraft_sandbox.clock.speed = 100
    assert launch().execute(context(store=store, try_number=2))["replayed"]
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_where_it_was_asked_for_the_mailing_is_stopped_and_the_task_is_final(altcraft_sandbox):
    operator = killed_while_waiting(launch(cancel_on_kill=True))
    with pytest.raises(AirflowFailException, match="which stopped mailing"):
        operator.execute(context())
    assert altcraft_sandbox.journal.calls(STOP)[0].request["abort_if_running"] is True
    assert not altcraft_sandbox.mailing(7).is_active


def test_a_mailing_that_could_not_be_stopped_is_left_for_a_retry_to_take_up(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("drop_before", STOP))
    with pytest.raises(AltcraftKilled, match="continues"):
        killed_while_waiting(launch(cancel_on_kill=True)).execute(context())


def test_a_mailing_that_was_stopped_is_no_success_of_a_later_try(altcraft_sandbox):
    """The worker died between the stop and its own end, so Airflow tries again."""
    store = Store()
    first = launch(cancel_on_kill=True, wait_for_completion=False)
    first.execute(context(store=store))
    first.on_kill()
    with pytest.raises(AirflowFailException, match="may have been stopped"):
        launch(cancel_on_kill=True).execute(context(store=store, try_number=2))


def test_before_the_launch_there_is_nothing_to_stop(altcraft_sandbox):
    launch(cancel_on_kill=True).on_kill()
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.slow
def test_the_stop_is_tried_within_the_time_that_is_left_to_a_killed_task(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("delay", STOP, seconds=20))
    operator = launch(cancel_on_kill=True, wait_for_completion=False)
    operator.execute(context())
    began = time.monotonic()
    operator.on_kill()
    assert time.monotonic() - began < 5


def deferral_of(operator, ctx):
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(ctx)
    return caught.value


def test_ended_by_a_user_while_deferred_the_trigger_stops_the_mailing(altcraft_sandbox):
    deferred = deferral_of(launch(cancel_on_kill=True, deferrable=True), context())
    _, kwargs = deferred.trigger.serialize()
    asyncio.run(type(deferred.trigger)(**kwargs).on_kill())
    assert not altcraft_sandbox.mailing(7).is_active


def test_without_being_asked_the_trigger_stops_nothing(altcraft_sandbox):
    asyncio.run(deferral_of(launch(deferrable=True), context()).trigger.on_kill())
    assert not altcraft_sandbox.journal.calls(STOP)


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_end_of_execution_timeout_stops_the_mailing_on_the_worker_and_deferred(altcraft_sandbox, deferrable):
    altcraft_sandbox.clock.speed = 0
    operator = launch(cancel_on_kill=True, deferrable=deferrable, execution_timeout=timedelta(seconds=0.2))
    ctx = context()
    if deferrable:
        event = asyncio.run(event_of(deferral_of(operator, ctx).trigger))
    with pytest.raises(AltcraftWaitTimeout, match="execution_timeout"):
        operator.execute_complete(ctx, event=event) if deferrable else operator.execute(ctx)
    assert not altcraft_sandbox.mailing(7).is_active


IMPORT = "profiles/import_batch"
PEOPLE = [{"email": f"ann-{number}@example.com"} for number in range(30)]


def task_timeout():
    """What Airflow raises when execution_timeout is over."""
    try:
        from airflow.sdk.exceptions import AirflowTaskTimeout
    except ImportError:
        from airflow.exceptions import AirflowTaskTimeout
    return AirflowTaskTimeout


class Terminated(BaseException):
    """What Airflow 2 raises from its handler of SIGTERM."""


def time_is_over(operator):
    raise task_timeout()("Timeout")


def killed_by_airflow_3(operator):
    operator.on_kill()


def killed_by_airflow_2(operator):
    operator.on_kill()
    raise Terminated


ENDS = {
    time_is_over: task_timeout(),
    killed_by_airflow_3: AltcraftKilled,
    killed_by_airflow_2: Terminated,
}


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (email TEXT)")
        connection.executemany("INSERT INTO people VALUES (:email)", PEOPLE)
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))


def load(kind="rows", **arguments):
    if kind == "rows":
        return SqlToAltcraftOperator(
            task_id="load",
            sql="SELECT email FROM people",
            sql_conn_id="warehouse",
            destination=ProfileDatabase(1),
            batch_size=2,
            **arguments,
        )
    return AltcraftImportProfilesOperator(task_id="load", db_id=1, profiles=PEOPLE, batch_size=2, **arguments)


@contextmanager
def interrupted(operator, end, *, when):
    """A signal comes to the main thread; after it, the block must end soon."""
    moment = []

    def handle(*_):
        moment.append(time.monotonic())
        end(operator)

    def send():
        while not when():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    for worker in threading.enumerate():
        if worker.name.startswith("altcraft_"):
            worker.join(1)
            assert not worker.is_alive()
    assert time.monotonic() - moment[0] < 3


def nothing_comes_any_more(sandbox):
    # What was on the line arrives.
    time.sleep(0.2)
    arrived = len(sandbox.journal)
    time.sleep(0.3)
    return len(sandbox.journal) == arrived


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rows", "profiles"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("fault", [Fault("delay", IMPORT, seconds=30), Fault("rate_limited", IMPORT, seconds=30)])
def test_a_delivery_with_requests_in_flight_ends_at_once_and_repeats_none(
    altcraft_sandbox, warehouse, kind, end, fault
):
    altcraft_sandbox.faults.add(fault)
    operator = load(kind)
    in_flight = 4 if fault.kind == "delay" else 1
    with (
        interrupted(operator, end, when=lambda: len(altcraft_sandbox.journal.calls(IMPORT)) >= in_flight),
        pytest.raises(ENDS[end]),
    ):
        operator.execute(context())
    assert len(altcraft_sandbox.journal.calls(IMPORT)) <= 4
    assert nothing_comes_any_more(altcraft_sandbox)


@pytest.mark.parametrize("end", ENDS)
def test_a_retry_of_it_sends_what_was_not_sent_and_nothing_twice(altcraft_sandbox, warehouse, end):
    store = Store()
    altcraft_sandbox.faults.add(Fault("delay_after", IMPORT, seconds=30))
    operator = load()
    with (
        interrupted(operator, end, when=lambda: len(altcraft_sandbox.profiles()) == 8),
        pytest.raises(ENDS[end]),
    ):
        operator.execute(context(store=store))
    altcraft_sandbox.faults.clear()
    report = load().execute(context(store=store, try_number=2))
    assert (report["accepted"], report["requests"], report["replayed"]) == (30, 15, 4)
    assert len(altcraft_sandbox.profiles()) == 30


def test_a_generator_is_closed_when_its_delivery_fails(altcraft_sandbox):
    closed = []

    def people():
        try:
            yield from PEOPLE
        finally:
            closed.append(True)

    altcraft_sandbox.faults.add(Fault("api_error", IMPORT, code=400))
    operator = load("profiles", max_in_flight=1)
    operator.profiles = people
    with pytest.raises(AirflowFailException) as caught:
        operator.execute(context())
    assert closed, caught


def test_time_that_is_over_while_a_failed_delivery_waits_for_its_requests_ends_it_too(altcraft_sandbox):
    """The source breaks off with requests in flight, which are waited for; then the time is over."""
    broken = threading.Event()

    def people():
        yield from PEOPLE[:4]
        broken.set()
        raise ValueError

    altcraft_sandbox.faults.add(Fault("delay", IMPORT, seconds=30))
    operator = load("profiles")
    operator.profiles = people
    with (
        interrupted(operator, time_is_over, when=lambda: broken.is_set() and len(altcraft_sandbox.journal) >= 1),
        pytest.raises(task_timeout()),
    ):
        operator.execute(context())
