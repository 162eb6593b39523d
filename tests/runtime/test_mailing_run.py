"""The wait for a mailing ends with our run: not with another's, not before it, and whatever the clocks say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_altcraft.exceptions import AltcraftWaitTimeout
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.sensors.mailings import AltcraftMailingSensor
from tests.contexts import Store, context

START = "campaigns/broadcasts/start"
LOG = "campaigns/log_v2"


def launch(**arguments):
    return AltcraftLaunchMailingOperator(
        **{"task_id": "launch", "mailing_id": 7, "poll_interval": 0.02, "timeout": 20, **arguments}
    )


def sensor(**arguments):
    return AltcraftMailingSensor(
        **{"task_id": "wait", "mailing_id": 7, "poll_interval": 0.02, "timeout": 20, **arguments}
    )


def ends_of(sandbox):
    return sorted(run.end for run in sandbox.mailing(7).runs)


def test_another_run_that_was_going_on_does_not_end_the_wait_for_ours(altcraft_sandbox, run):
    mailing = altcraft_sandbox.mailing(7)
    AltcraftHook().call(START, {"id": 7}, "somebody else's")
    # Ours is queued until the other has ended.
    mailing.delay = 20
    result = run(launch())
    assert result["finished_at"] == ends_of(altcraft_sandbox)[-1].isoformat()


def test_three_launches_of_one_mailing_all_end_with_the_last(altcraft_sandbox, run):
    durations, results = (60, 10, 30), []
    audiences = [{"override_source_type": "segment", "override_source_id": number} for number in (1, 2, 3)]
    for audience in audiences:
        altcraft_sandbox.add_segment(audience["override_source_id"])
    launches = [launch(wait_for_completion=False, **audience) for audience in audiences]
    for number, (duration, operator) in enumerate(zip(durations, launches, strict=True)):
        altcraft_sandbox.mailing(7).duration = duration
        operator.execute(context(map_index=number, store=(store := Store())))
        results.append(store)
    for number in range(len(durations)):
        result = run(launch(**audiences[number]), context(map_index=number, try_number=2, store=results[number]))
        assert result["finished_at"] >= ends_of(altcraft_sandbox)[-1].isoformat()


@pytest.mark.parametrize("ahead", [-20, 20])
@pytest.mark.parametrize("whole_seconds", [False, True])
@pytest.mark.parametrize("duration", [0, 5])
def test_a_clock_that_differs_and_a_run_shorter_than_that_still_end_the_wait(
    altcraft_sandbox, run, ahead, whole_seconds, duration
):
    altcraft_sandbox.behaviour.log_ahead = ahead
    altcraft_sandbox.behaviour.log_in_whole_seconds = whole_seconds
    altcraft_sandbox.mailing(7).duration = duration
    run(launch(), context(run_id="the run before"))
    altcraft_sandbox.clock.advance(5)
    result = run(launch(), context(run_id="this run"))
    assert altcraft_sandbox.deliveries.total_launches == 2
    ours = ends_of(altcraft_sandbox)[-1] + timedelta(seconds=ahead)
    assert datetime.fromisoformat(result["finished_at"]) == (ours.replace(microsecond=0) if whole_seconds else ours)


@pytest.mark.parametrize("from_time", ["inclusive", "exclusive"])
@pytest.mark.parametrize("page", [1_000_000, 1_000])
def test_more_log_entries_in_one_second_than_a_page_holds_do_not_hide_the_end(altcraft_sandbox, run, from_time, page):
    altcraft_sandbox.behaviour.log_from_time, altcraft_sandbox.behaviour.log_page = from_time, page
    altcraft_sandbox.mailing(7).chatter = 2_500
    assert run(launch())["finished_at"]


def test_a_run_that_lost_its_end_holds_the_wait_and_not_for_ever(altcraft_sandbox, run):
    mailing = altcraft_sandbox.mailing(7)
    AltcraftHook().call(START, {"id": 7}, "crashed")
    mailing.runs[0].is_lost = True
    altcraft_sandbox.clock.advance(3_600)
    with pytest.raises(AltcraftWaitTimeout, match="no end yet of the run that started"):
        run(launch(timeout=0.5))
    altcraft_sandbox.clock.advance(6 * 3_600)
    assert run(launch(), context(run_id="later"))["finished_at"]


@pytest.mark.parametrize("behind", [0, 60])
def test_an_answer_that_was_lost_leaves_yesterdays_end_to_yesterday(altcraft_sandbox, run, behind):
    altcraft_sandbox.clock.advance(-behind)
    run(launch(), context(run_id="yesterday"))
    ended = ends_of(altcraft_sandbox)[-1]
    altcraft_sandbox.mailing(7).delay = 5
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    result = run(launch(), context(run_id="today"))
    assert altcraft_sandbox.deliveries.total_launches == 2
    assert datetime.fromisoformat(result["finished_at"]) > ended
    assert datetime.fromisoformat(result["launched_at"]) <= datetime.fromisoformat(result["finished_at"])


@pytest.mark.slow
def test_a_later_try_that_knows_no_moment_does_not_take_an_end_before_a_start(altcraft_sandbox, run):
    mailing = altcraft_sandbox.mailing(7)
    mailing.duration = 3_700
    AltcraftHook().call(START, {"id": 7}, "since before the run was due")
    altcraft_sandbox.clock.advance(3_500)
    mailing.duration, mailing.delay = 5, 400
    due = context(try_number=2)
    due["dag_run"].start_date = datetime.now(UTC) - timedelta(minutes=5)
    launch(wait_for_completion=False).execute(context())
    result = run(launch(), due)
    assert result["replayed"]
    assert result["finished_at"] == ends_of(altcraft_sandbox)[-1].isoformat()


@pytest.mark.parametrize("ahead", [-20, 20])
def test_a_sensor_that_is_given_the_output_of_the_launch_knows_its_run_by_no_clock(altcraft_sandbox, run, ahead):
    altcraft_sandbox.behaviour.log_ahead = ahead
    AltcraftHook().call(START, {"id": 7}, "somebody else's")
    altcraft_sandbox.mailing(7).delay = 30
    launched = launch(wait_for_completion=False).execute(context())
    assert json.loads(json.dumps(launched)) == launched
    result = run(sensor(since=launched))
    assert result["finished_at"] == (ends_of(altcraft_sandbox)[-1] + timedelta(seconds=ahead)).isoformat()


class TestAnEndAtLevelError:
    def test_fails_the_task_and_the_sensor(self, altcraft_sandbox, run):
        altcraft_sandbox.mailing(7).end_level = "ERROR"
        since = altcraft_sandbox.clock.now().isoformat()
        with pytest.raises(AirflowFailException, match="with an ERROR in its log"):
            run(launch())
        with pytest.raises(AirflowFailException, match="accept_errors=True"):
            run(sensor(since=since))

    def test_is_green_where_it_is_accepted_and_the_result_says_so(self, altcraft_sandbox, run):
        altcraft_sandbox.mailing(7).end_level = "Error"
        since = altcraft_sandbox.clock.now().isoformat()
        assert run(launch(accept_errors=True))["ended_in_error"] is True
        assert run(sensor(since=since, accept_errors=True))["ended_in_error"] is True

    def test_of_a_run_before_ours_is_not_ours(self, altcraft_sandbox, run):
        altcraft_sandbox.mailing(7).end_level = "ERROR"
        AltcraftHook().call(START, {"id": 7}, "before")
        altcraft_sandbox.mailing(7).end_level = "INFO"
        altcraft_sandbox.clock.advance(60)
        assert run(launch())["ended_in_error"] is False


A_WHILE = timedelta(minutes=10)
"""The sandbox's clock runs a hundred times as fast as ours, and a busy machine takes seconds to look."""


class TestASensorWithoutAMoment:
    @pytest.mark.parametrize("ahead", [-7_200, 7_200])
    def test_moves_the_start_of_the_run_by_what_the_clocks_differ(self, altcraft_sandbox, run, ahead):
        altcraft_sandbox.clock.advance(ahead)
        began = context()
        began["dag_run"].start_date = datetime.now(UTC) - A_WHILE
        AltcraftHook().call(START, {"id": 7}, "ours")
        assert run(sensor(), began)["finished_at"]

    def test_does_so_for_a_launch_at_a_time_nobody_knows(self, altcraft_sandbox, run):
        began = context()
        began["dag_run"].start_date = datetime.now(UTC) - A_WHILE
        AltcraftHook().call(START, {"id": 7}, "ours")
        assert run(sensor(since={"mailing_id": 7, "launched_at": None, "log_mark": None}), began)["finished_at"]

    def test_takes_no_run_from_before_the_dag_run(self, altcraft_sandbox, run):
        altcraft_sandbox.clock.advance(7_200)
        AltcraftHook().call(START, {"id": 7}, "before")
        altcraft_sandbox.clock.advance(600)
        began = context()
        began["dag_run"].start_date = datetime.now(UTC)
        with pytest.raises(AirflowSensorTimeout):
            run(sensor(timeout=0.3), began)
