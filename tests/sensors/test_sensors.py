"""Waiting for what something else began: the same end on the worker and deferred."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_provider_altcraft.exceptions import AltcraftRowsError
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.sensors.campaigns import AltcraftCampaignSensor
from airflow_provider_altcraft.sensors.mailings import AltcraftMailingSensor
from airflow_provider_altcraft.sensors.tasks import AltcraftTaskSensor
from tests.contexts import context

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
    with pytest.raises(AltcraftRowsError, match="refused 1 rows"):
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
