"""Waiting for what something else began: the same end on the worker and deferred."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_provider_altcraft.exceptions import AltcraftRowsError, AltcraftTransportError
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.sensors.campaigns import AltcraftCampaignSensor
from airflow_provider_altcraft.sensors.mailings import AltcraftMailingSensor
from airflow_provider_altcraft.sensors.tasks import AltcraftTaskSensor
from airflow_provider_altcraft.waiting.policy import ERROR_BUDGET
from tests.contexts import Store, context

BAD_ROW = {"error": 400, "error_text": "Invalid email"}


def sensor(kind, **arguments):
    return kind(task_id="wait", **{"poll_interval": 0.05, "timeout": 20, **arguments})


def result_of(*items):
    return {"error": 0, "error_text": "", "result": list(items)}


def test_one_task_is_waited_for(altcraft_sandbox, run):
    altcraft_sandbox.add_task("task_1", result=result_of({"profile_id": "p"}), seconds=5)
    assert run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1"))["accepted"] == 1


def test_many_tasks_are_waited_for_with_one_trigger(altcraft_sandbox):
    ids = [f"task_{number}" for number in range(1_000)]
    for number, task_id in enumerate(ids):
        altcraft_sandbox.add_task(task_id, seconds=number % 7)
    with pytest.raises(TaskDeferred) as deferred:
        sensor(AltcraftTaskSensor, altcraft_task_id=ids, deferrable=True).execute(context())
    watch = deferred.value.trigger.watch
    assert (watch["kind"], watch["ids"]) == ("tasks", ids)
    # Those that had ended when the worker looked are not asked for again.
    assert list(watch["ended"]) == ids[::7]


@pytest.mark.parametrize("word", ["completed", "success"])
def test_both_words_of_success_are_understood(altcraft_sandbox, run, word):
    altcraft_sandbox.behaviour.task_words.succeeded = word
    altcraft_sandbox.add_task("task_1")
    assert run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1"))["tasks"] == 1


def test_a_task_that_fails_fails_the_sensor_for_good(altcraft_sandbox, run):
    altcraft_sandbox.add_task("task_1", succeeds=False, seconds=3)
    with pytest.raises(AirflowFailException, match="task_1: status failed"):
        run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1"))


def test_rows_that_a_task_refused_are_not_green(altcraft_sandbox, run):
    altcraft_sandbox.add_task("task_1", result=result_of(BAD_ROW, {"profile_id": "p"}))
    with pytest.raises(AltcraftRowsError, match="rejected 1 rows"):
        run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1"))
    assert run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1", max_rejects=None))["rejected"] == 1


@pytest.mark.parametrize("kind", ["status", "html", "cut_body", "drop_before", "rate_limited"])
def test_a_hiccup_is_not_a_failure(altcraft_sandbox, run, kind):
    altcraft_sandbox.faults.add(Fault(kind, "tasks/status", times=3, seconds=0))
    altcraft_sandbox.add_task("task_1")
    assert run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1", poll_interval=0.01))["tasks"] == 1


def test_a_refused_token_ends_at_once(altcraft_sandbox, run):
    altcraft_sandbox.add_task("task_1", seconds=10**6)
    altcraft_sandbox.faults.add(Fault("api_error", "tasks/status", nth=2, code=401, text="API token required"))
    with pytest.raises(AirflowFailException, match="API token required"):
        run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1"))
    assert len(altcraft_sandbox.journal) == 2


def test_a_wait_that_is_over_is_a_sensor_timeout(altcraft_sandbox, run):
    altcraft_sandbox.add_task("task_1", seconds=10**6)
    with pytest.raises(AirflowSensorTimeout):
        run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1", timeout=0.2))


@pytest.mark.parametrize("succeeds", [True, False])
def test_soft_fail_skips_instead(altcraft_sandbox, run, succeeds):
    altcraft_sandbox.add_task("task_1", seconds=10**6 if succeeds else 0, succeeds=succeeds)
    with pytest.raises(AirflowSkipException):
        run(sensor(AltcraftTaskSensor, altcraft_task_id="task_1", timeout=0.2, soft_fail=True))


@pytest.mark.parametrize("given", ["", [], "None", [""], None, [None], 7])
def test_an_empty_task_id_is_refused_before_any_call(altcraft_sandbox, given):
    with pytest.raises(AirflowFailException, match="altcraft_task_id is empty"):
        sensor(AltcraftTaskSensor, altcraft_task_id=given, deferrable=True).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_a_run_of_a_mailing_is_waited_for(altcraft_sandbox, run):
    from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

    since = altcraft_sandbox.clock.now().isoformat()
    AltcraftHook().call("campaigns/regulars/start", {"id": 8})
    assert run(sensor(AltcraftMailingSensor, mailing_id=8, since=since))["finished_at"] > since


def test_a_run_before_the_moment_does_not_count(altcraft_sandbox, run):
    from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

    AltcraftHook().call("campaigns/regulars/start", {"id": 8})
    altcraft_sandbox.clock.advance(3600)
    since = altcraft_sandbox.clock.now().isoformat()
    with pytest.raises(AirflowSensorTimeout):
        run(sensor(AltcraftMailingSensor, mailing_id=8, since=since, timeout=0.2))


@pytest.mark.parametrize("launched", [101, "101", None])
def test_the_output_of_a_launch_of_another_mailing_is_refused_before_any_call(altcraft_sandbox, run, launched):
    from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

    # A run of yesterday, which the mark of the other mailing does not name.
    altcraft_sandbox.add_mailing(102)
    AltcraftHook().call("campaigns/broadcasts/start", {"id": 102})
    altcraft_sandbox.clock.advance(86_400)
    now = altcraft_sandbox.clock.now().isoformat()
    mark = {"since": now, "read_from": (altcraft_sandbox.clock.now() - timedelta(days=1)).isoformat(), "starts": []}
    output = {"mailing_id": launched, "launched_at": now, "log_mark": mark}
    calls = len(altcraft_sandbox.journal)
    with pytest.raises(AirflowFailException, match=r"mailing_id is 102.*since is the output of a launch of") as refused:
        run(sensor(AltcraftMailingSensor, mailing_id="102", since=output))
    assert str(launched) in str(refused.value)
    assert len(altcraft_sandbox.journal) == calls


def test_a_campaign_is_waited_for(altcraft_sandbox, run):
    start = altcraft_sandbox.clock.now()
    altcraft_sandbox.campaign(18).move(start.replace(microsecond=0), "active")
    result = run(sensor(AltcraftCampaignSensor, campaign_id=18, target_state="active"))
    assert result == {"campaign_id": 18, "status": "active"}


def test_a_campaign_that_can_never_get_there_fails_at_once(altcraft_sandbox, run):
    altcraft_sandbox.add_campaign(18, state="completed")
    with pytest.raises(AirflowFailException, match="can never become active"):
        run(sensor(AltcraftCampaignSensor, campaign_id=18, target_state="active"))


def test_a_state_that_does_not_exist_is_refused(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="target_state"):
        sensor(AltcraftCampaignSensor, campaign_id=18, target_state="finished", deferrable=True).execute(context())
    assert len(altcraft_sandbox.journal) == 0


class TestInRescheduleMode:
    """Each poke is a process of its own."""

    def poke(self, ctx, **arguments):
        """A poke as Airflow makes it: by a new instance. What it said, and how long Airflow is told to wait."""
        operator = sensor(
            AltcraftTaskSensor, **{"altcraft_task_id": "task_1", "mode": "reschedule", "poll_interval": 60, **arguments}
        )
        found = operator.poke(ctx)
        return found, operator._get_next_poke_interval(0.0, lambda: 5.0, 1)

    def test_the_next_poke_comes_when_altcraft_wants_to_be_asked_again(self, altcraft_sandbox):
        altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=600))
        found, interval = self.poke(context(), timeout=3_600)
        assert not found
        assert interval == pytest.approx(600, abs=1)

    def test_it_comes_at_the_timeout_at_the_latest(self, altcraft_sandbox):
        altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=86_400))
        assert self.poke(context(), timeout=100)[1] == pytest.approx(96, abs=1)

    def test_otherwise_it_comes_after_the_interval(self, altcraft_sandbox):
        altcraft_sandbox.add_task("task_1", seconds=10**6)
        assert self.poke(context())[1] == 60

    def test_a_poke_that_comes_too_early_asks_nothing_where_there_is_a_store(self, altcraft_sandbox):
        altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=600))
        ctx = context(store=Store())
        for _ in range(3):
            self.poke(ctx)
        assert len(altcraft_sandbox.journal) == 1

    def test_errors_are_counted_across_pokes_where_there_is_a_store(self, altcraft_sandbox):
        altcraft_sandbox.faults.add(Fault("status", "tasks/status"))
        ctx = context(store=Store())
        for _ in range(ERROR_BUDGET - 1):
            assert not self.poke(ctx, poll_interval=0)[0]
        with pytest.raises(AltcraftTransportError, match="about task task_1 failed 10 times in a row"):
            self.poke(ctx, poll_interval=0)
        # Another try begins to count anew.
        ctx["ti"].try_number = 2
        assert not self.poke(ctx, poll_interval=0)[0]

    def test_without_a_store_they_are_not_and_the_wait_goes_on(self, altcraft_sandbox):
        altcraft_sandbox.faults.add(Fault("status", "tasks/status"))
        for _ in range(2 * ERROR_BUDGET):
            assert not self.poke(context(), poll_interval=0)[0]

    def test_a_task_that_has_ended_is_asked_for_once_where_there_is_a_store(self, altcraft_sandbox):
        altcraft_sandbox.add_task("task_1", result=result_of({"profile_id": "p"}))
        altcraft_sandbox.add_task("task_2", seconds=10)
        ctx, ids = context(store=Store()), ["task_1", "task_2"]
        assert not self.poke(ctx, altcraft_task_id=ids, poll_interval=0)[0]
        altcraft_sandbox.clock.advance(11)
        found, _ = self.poke(ctx, altcraft_task_id=ids, poll_interval=0)
        assert found.xcom_value["accepted"] == 1
        assert [call.request["task_id"] for call in altcraft_sandbox.journal] == ["task_1", "task_2", "task_2"]

    def test_the_log_of_a_mailing_is_read_on_where_the_last_poke_stopped_where_there_is_a_store(self, altcraft_sandbox):
        from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

        since = altcraft_sandbox.clock.now()
        AltcraftHook().call("campaigns/regulars/start", {"id": 8})
        altcraft_sandbox.clock.advance(86_400)
        AltcraftHook().call("campaigns/regulars/start", {"id": 8})
        ctx, asked_from = context(store=Store()), []
        for _ in range(2):
            found = sensor(AltcraftMailingSensor, mailing_id=8, since=since.isoformat(), mode="reschedule").poke(ctx)
            assert not found
            calls = altcraft_sandbox.journal.calls("campaigns/log_v2")
            asked_from.append(datetime.fromisoformat(calls[-1].request["from_time"]))
        assert asked_from[0] < since
        assert asked_from[1] > since + timedelta(hours=23)
        altcraft_sandbox.clock.advance(3_600)
        operator = sensor(AltcraftMailingSensor, mailing_id=8, since=since.isoformat(), mode="reschedule")
        assert operator.poke(ctx).xcom_value["finished_at"] > (since + timedelta(days=1)).isoformat()


def test_a_poke_mode_sensor_outlasts_a_long_retry_after_no_longer_than_its_timeout(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=86_400))
    operator = sensor(AltcraftTaskSensor, altcraft_task_id="task_1", timeout=0.2)
    operator.deferrable = False
    with pytest.raises(AirflowSensorTimeout):
        operator.execute(context())
    assert len(altcraft_sandbox.journal) == 1


def test_a_deferred_wait_asks_nothing_again_at_its_beginning(altcraft_sandbox):
    altcraft_sandbox.add_task("task_1", seconds=10**6)
    before = time.time()
    arguments = {"altcraft_task_id": "task_1", "deferrable": True, "poll_interval": 60, "timeout": 3_600}
    with pytest.raises(TaskDeferred) as deferred:
        sensor(AltcraftTaskSensor, **arguments).execute(context())
    assert deferred.value.trigger.next_poll_at == pytest.approx(before + 60, abs=15)


def test_what_a_429_said_to_the_worker_travels_with_the_trigger(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=600))
    before = time.time()
    arguments = {"altcraft_task_id": "task_1", "deferrable": True, "timeout": 3_600}
    with pytest.raises(TaskDeferred) as deferred:
        sensor(AltcraftTaskSensor, **arguments).execute(context())
    assert deferred.value.trigger.next_poll_at == pytest.approx(before + 600, abs=2)
