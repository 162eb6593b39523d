"""A task that is killed: it cannot end green, and stops its mailing only where that was asked for."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_provider_altcraft.exceptions import AltcraftKilled, AltcraftWaitTimeout
from airflow_provider_altcraft.operators.base import AltcraftOperator
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.sandbox import Fault
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
    with pytest.raises(AirflowFailException, match="stopped with it"):
        operator.execute(context())
    assert altcraft_sandbox.journal.calls(STOP)[0].request["abort_if_running"] is True
    assert not altcraft_sandbox.mailing(7).is_active


def test_a_mailing_that_could_not_be_stopped_is_left_for_a_retry_to_take_up(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("drop_before", STOP))
    with pytest.raises(AltcraftKilled, match="goes on"):
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
