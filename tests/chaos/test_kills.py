"""A real Airflow, killed at every step of a launch: one launch for each mailing, and every task ends green."""

from __future__ import annotations

import os

import pytest

from tests.chaos import steps
from tests.chaos.altcraft import Altcraft
from tests.chaos.cluster import Cluster, database, is_airflow_3

LOG = "campaigns/log_v2"
SPEED = 1
"""Before Airflow 3.3 a retry places the launch by two clocks that go at the same speed."""
CANCELLED = 204
ENDED = ("success", "failed")


@pytest.fixture(scope="module")
def aftermath(postgres, tmp_path_factory):
    """What is left when all has been killed that was to be: launches, tasks, and who died where."""
    home = tmp_path_factory.mktemp("airflow")
    cases = steps.cases()
    with Altcraft(speed=SPEED) as altcraft, database(f"altcraft_chaos_{os.getpid()}") as dsn:
        for case in cases:
            altcraft.add_mailing(case.mailing_id, kind=case.kind, duration=case.duration)
            if case.step in (steps.ON_THE_WIRE, steps.BEFORE_ANSWER):
                kind = "delay" if case.step == steps.ON_THE_WIRE else "delay_after"
                altcraft.fault(kind=kind, endpoint=case.endpoint, where=case.where, times=1, seconds=5)
        environment = {
            "AIRFLOW_CONN_ALTCRAFT_DEFAULT": altcraft.connection(),
            "CHAOS_ALTCRAFT": altcraft.url,
        }
        with Cluster(home, dsn, environment, dag_file="kills.py") as cluster:
            underway = [case.mailing_id for case in cases if case.duration == steps.LONG]
            deferred = {case.dag_id for case in cases if case.duration == steps.LONG and case.deferred}

            def watched(case):
                # The worker asks for the log twice before it defers; who asks again is the trigger.
                return sum(case.where.items() <= call["request"].items() for call in altcraft.calls(LOG)) > 3

            def going_out(tasks):
                launched = altcraft.launches()
                return all(launched[mailing_id] for mailing_id in underway) and all(
                    tasks.get(dag_id, ("", 0))[0] == "deferred" for dag_id in deferred
                )

            ended = [case for case in cases if case.step == steps.ENDED_BY_A_USER]
            seen = cluster.until(going_out, within=300)
            assert going_out(seen), (seen, altcraft.launches())
            cluster.until(lambda tasks: all(watched(case) for case in ended), within=30)
            for case in ended:
                cluster.mark_failed(case.dag_id)
            cluster.until(lambda tasks: not altcraft.active()[CANCELLED], within=20 if is_airflow_3() else 5)
            cluster.kill("triggerer")
            cluster.kill("scheduler")
            cluster.start("scheduler")
            cluster.start("triggerer")
            tasks = cluster.until(
                lambda tasks: len(tasks) == len(cases) and all(state in ENDED for state, _ in tasks.values()),
                within=600,
            )
            killed = {path.stem: path.read_text() for path in home.glob("*.killed")}
        yield altcraft.launches(), altcraft.sent(), altcraft.active(), tasks, killed


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("case", [case for case in steps.cases() if case.mailing_id < 200], ids=lambda case: case.name)
def test_killed(aftermath, case):
    launches, sent, _, tasks, killed = aftermath
    state, tries = tasks[case.dag_id]
    assert state == "success", (case.mailing_id, launches[case.mailing_id], tasks)
    if case.job == "launch":
        assert launches[case.mailing_id] == 1
    else:
        assert sorted(sent[case.mailing_id]) == [1] * len(steps.PROFILES)
    if case.step in steps.OF_THE_TASK:
        assert killed[case.dag_id] == case.step
        assert tries > 1


@pytest.mark.timeout(1200)
def test_told_to_stop_a_task_is_not_green_until_a_retry_took_its_launch_up(aftermath):
    launches, _, active, tasks, killed = aftermath
    assert killed["kill_201"] == steps.SIGTERM
    assert launches[201] == 1
    assert active[201]
    assert tasks["kill_201"][0] == "success"
    assert tasks["kill_201"][1] > 1


@pytest.mark.timeout(1200)
def test_told_to_stop_with_cancel_on_kill_the_mailing_is_stopped_and_the_task_red(aftermath):
    launches, _, active, tasks, killed = aftermath
    assert killed["kill_202"] == steps.SIGTERM
    assert launches[202] == 1
    assert not active[202]
    assert tasks["kill_202"][0] == "failed"


@pytest.mark.timeout(1200)
def test_ended_by_a_user_while_deferred_the_mailing_is_stopped_where_airflow_says_so(aftermath):
    launches, _, active, _, _ = aftermath
    assert launches[203] == launches[CANCELLED] == 1
    assert active[203]
    # Before 3.3 nobody tells the trigger.
    assert active[CANCELLED] is not is_airflow_3()
