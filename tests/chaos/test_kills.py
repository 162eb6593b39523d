"""A real Airflow, killed at every step of a launch: one launch for each mailing, and every task ends green."""

from __future__ import annotations

import os

import psycopg2
import pytest

from tests.chaos import steps
from tests.chaos.altcraft import Altcraft
from tests.chaos.cluster import POSTGRES, ROOT, Cluster, database

SPEED = 5
ENDED = ("success", "failed")


@pytest.fixture(scope="module")
def postgres():
    """A server for the databases of Airflow."""
    try:
        psycopg2.connect(POSTGRES).close()
    except psycopg2.OperationalError as error:
        if os.environ.get("ALTCRAFT_TEST_POSTGRES_REQUIRED"):
            raise
        pytest.skip(f"no PostgreSQL at {POSTGRES!r}: {error}")


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
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "tests" / "chaos" / "dags"),
            "AIRFLOW_CONN_ALTCRAFT_DEFAULT": altcraft.connection(),
            "CHAOS_ALTCRAFT": altcraft.url,
        }
        with Cluster(home, dsn, environment) as cluster:
            underway = [case.mailing_id for case in cases if case.duration == steps.LONG]
            deferred = {case.dag_id for case in cases if case.duration == steps.LONG and case.deferred}

            def going_out(tasks):
                launched = altcraft.launches()
                return all(launched[mailing_id] for mailing_id in underway) and all(
                    tasks.get(dag_id, ("", 0))[0] == "deferred" for dag_id in deferred
                )

            seen = cluster.until(going_out, within=150)
            assert going_out(seen), (seen, altcraft.launches())
            cluster.kill("triggerer")
            cluster.kill("scheduler")
            cluster.start("scheduler")
            cluster.start("triggerer")
            tasks = cluster.until(
                lambda tasks: len(tasks) == len(cases) and all(state in ENDED for state, _ in tasks.values()),
                within=240,
            )
            killed = {path.stem: path.read_text() for path in home.glob("*.killed")}
        yield altcraft.launches(), altcraft.sent(), tasks, killed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", steps.cases(), ids=lambda case: case.name)
def test_killed(aftermath, case):
    launches, sent, tasks, killed = aftermath
    state, tries = tasks[case.dag_id]
    assert state == "success", tasks
    if case.job == "launch":
        assert launches[case.mailing_id] == 1
    else:
        assert sorted(sent[case.mailing_id]) == [1] * len(steps.PROFILES)
    if case.step in steps.OF_THE_TASK:
        assert killed[case.dag_id] == case.step
        assert tries > 1
