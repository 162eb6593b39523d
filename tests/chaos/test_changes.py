"""A real Airflow in which what a task is asked for changes under a DAG run, and a user clears by the REST API."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_altcraft.launching.identity import Identity, Launch
from tests.chaos import changes
from tests.chaos.altcraft import Altcraft
from tests.chaos.changes import Case, cases, named, run_id
from tests.chaos.cluster import Cluster, database

START = "campaigns/broadcasts/start"
STATUS = "campaigns/get_status"
ENDED = ("success", "failed", "upstream_failed", "removed", "skipped")
OTHERS = 9
"""The segment of a run that is somebody else's."""
DURATIONS = {"1": 12.0, "2": 2.0, "3": 6.0, str(OTHERS): 40.0}
PATIENT = (
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL",
    "SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT",
    "SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD",
)
"""Seconds after which Airflow takes a process for dead. None is killed here; a busy machine is only slow."""
RUNNING = ("cleared_running", "relaunched_running", "last_try_cleared_running", "last_try_relaunched_running")

pytestmark = pytest.mark.timeout(600)


@dataclass
class Aftermath:
    """What is left when all has ended."""

    launches: Counter[int]
    entries: Counter[str]
    instances: dict[tuple[str, str, int], tuple[str | None, int]]
    results: dict[tuple[str, int], Any]
    logs: dict[str, str]
    runs: dict[int, list[dict[str, str]]]

    def launched(self, case: Case) -> list[int]:
        """How often each mailing of a case went out."""
        return [self.launches[mailing] for mailing in case.mailings]

    def states(self, case: Case, task_id: str = "launch") -> list[str | None]:
        """How the instances of a task ended."""
        found = {
            index: state
            for (dag, task, index), (state, _) in self.instances.items()
            if (dag, task) == (case.dag_id, task_id)
        }
        return [found[index] for index in sorted(found)]

    def tries(self, case: Case) -> int:
        """How often the task was tried."""
        return self.instances[case.dag_id, "launch", -1][1]


@dataclass
class Step:
    """What the test does to a DAG run once it has come so far."""

    case: Case
    ready: Callable[[], bool]
    act: Callable[[], None]
    after: list[Step] = field(default_factory=list)


@pytest.fixture(scope="module")
def aftermath(postgres, tmp_path_factory):
    """What is left when all has changed that was to, and all has ended."""
    home = tmp_path_factory.mktemp("airflow")
    # Recent: what is not recorded is not sent again once Altcraft's memory may be over.
    due = (datetime.now(UTC) - timedelta(minutes=10)).replace(microsecond=0)
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        Altcraft(speed=1) as altcraft,
        database(f"altcraft_changes_{os.getpid()}") as dsn,
    ):
        monkeypatch.setenv(changes.START, due.isoformat())
        furnish(altcraft)
        kept = {} if changes.HAS_STORE else {"record_path": str(home / "records")}
        environment = {
            "AIRFLOW__CORE__PARALLELISM": "12",
            **{f"AIRFLOW__{name}": "300" for name in PATIENT},
            "AIRFLOW_CONN_ALTCRAFT_PLAIN": altcraft.connection(max_attempts=1),
            "AIRFLOW_CONN_ALTCRAFT_KEPT": altcraft.connection(max_attempts=1, **kept),
            "AIRFLOW_CONN_ALTCRAFT_PATIENT": altcraft.connection(max_attempts=3, **kept),
            "AIRFLOW_CONN_ALTCRAFT_PRODUCTION": altcraft.connection(deployment="production", **kept),
        }
        monkeypatch.setenv("CHAOS_HOME", str(home))
        with Cluster(home, dsn, environment, dag_file="changes.py", with_rest=True) as cluster:
            run(cluster, altcraft)
            yield look(cluster, altcraft)


def furnish(altcraft: Altcraft) -> None:
    """What is there, and has happened, before Airflow starts."""
    altcraft.reset(task_seconds=12)
    for segment_id in (*changes.SEGMENTS, OTHERS):
        altcraft.add_segment(segment_id)
    for case in cases():
        details: dict[str, Any] = {"duration": changes.LONG if case.name in RUNNING else 2.0}
        if case.name == "segments":
            details["durations"] = DURATIONS
        if case.name in ("answer_lost", "try_lost"):
            details["delay"] = 4.0
        for mailing_id in case.mailings:
            altcraft.add_mailing(mailing_id, **details)
        altcraft.add_scenario(case.mailings[0])
    for case in named("other_deployment", "deployment_named"):
        theirs = Identity(case.dag_id, run_id(), "launch").launch_id(
            Launch(START, {"id": case.mailings[0]}, about=("id",))
        )
        altcraft.call(START, {"id": case.mailings[0]}, theirs)
    for case in named("answer_lost", "try_lost"):
        altcraft.call(START, {"id": case.mailings[0]}, f"{case.dag_id} yesterday")
    for case in named("segments"):
        # Before it launches, it asks for the status: time for somebody else to, also on a busy machine.
        altcraft.fault(kind="delay", endpoint=STATUS, where={"id": case.mailings[0]}, times=3, seconds=15)
    altcraft.advance(3_600)
    for case in named("answer_lost", "try_lost", "content_rendered_anew", "retries_raised", "retries_lowered"):
        altcraft.fault(kind="drop_after", endpoint=START, where={"id": case.mailings[0]}, nth=1)


def run(cluster: Cluster, altcraft: Altcraft) -> None:
    """Take each step as soon as its DAG run has come so far, until all have ended."""
    waiting = [step for case in cases() for step in steps(case, cluster, altcraft)]
    waiting += clears_of_running_tasks(cluster, altcraft)
    assert cluster.wait(lambda: cluster.has_rest, within=240)

    def is_over() -> bool:
        for step in [step for step in waiting if step.ready()]:
            waiting.remove(step)
            step.act()
            waiting.extend(step.after)
        return not waiting and len(cluster.ended_runs()) == len(cases())

    assert cluster.wait(is_over, within=240), (
        [step.case.dag_id for step in waiting],
        {case.dag_id for case in cases()} - cluster.ended_runs(),
        {instance: state for instance, (state, _) in cluster.instances().items() if state not in ENDED},
    )


def steps(case: Case, cluster: Cluster, altcraft: Altcraft) -> list[Step]:
    """What is done to a case, and when."""
    mailing = case.mailings[0]

    def state(task_id: str, map_index: int = -1) -> str | None:
        return cluster.instances().get((case.dag_id, task_id, map_index), (None, 0))[0]

    def run_ended() -> bool:
        return case.dag_id in cluster.ended_runs()

    def change_and_clear(value: Any) -> Callable[[], None]:
        def act() -> None:
            changes.say(case.dag_id, value)
            cluster.clear(case.dag_id, run_id())

        return act

    def rename() -> None:
        changes.say(case.dag_id, "launch_v2")
        cluster.reparse()

    def is_about_to_launch() -> bool:
        return any(call["request"].get("id") == mailing for call in altcraft.calls(STATUS))

    def begin_among_others() -> None:
        audience = {"override_source_type": "segment", "override_source_id": OTHERS}
        altcraft.call(START, {"id": mailing, **audience}, "somebody else's")

    release = Step(case, lambda: state("launch_v2") in ENDED, lambda: changes.say(f"{case.dag_id}.released", True))
    clear_all = Step(
        case, lambda: cluster.knows(case.dag_id, "launch_v2"), lambda: cluster.clear(case.dag_id, run_id(), "done")
    )
    known = {
        "mapped": Step(case, run_ended, change_and_clear(list(case.mailings))),
        "content_changed": Step(case, run_ended, change_and_clear("New")),
        "relaunched": Step(case, run_ended, change_and_clear(None)),
        "segments": Step(case, is_about_to_launch, begin_among_others),
        "renamed": Step(case, lambda: state("launch") in ENDED, rename, [release]),
        "renamed_and_cleared": Step(case, run_ended, rename, [clear_all]),
    }
    return [known[case.name]] if case.name in known else []


def clears_of_running_tasks(cluster: Cluster, altcraft: Altcraft) -> list[Step]:
    """A clear while a task waits; its mailing goes out until that has taken effect.

    The REST API of Airflow 2.11 says that it has cleared a running task, and leaves it alone; its command line does it.
    """

    def is_underway(case: Case) -> bool:
        # A clear that arrives while a task is being deferred is lost on Airflow.
        state, _ = cluster.instances().get((case.dag_id, "launch", -1), (None, 0))
        is_waiting = f"mailing {case.mailings[0]}: running since" in cluster.log(case.dag_id, "launch")
        return is_waiting and state == ("deferred" if case.deferred else "running")

    def stopped(case: Case) -> Step:
        mailing = case.mailings[0]
        call = {"id": mailing, "abort_if_running": True}
        return Step(
            case,
            lambda: cluster.log(case.dag_id, "launch").count(f"Mailing {mailing}: launched") > 1,
            lambda: altcraft.call("campaigns/deactivate", call, f"{case.dag_id} stopped"),
        )

    def cleared(case: Case) -> Step:
        clear = lambda: cluster.clear(case.dag_id, run_id())  # noqa: E731
        return Step(case, lambda: is_underway(case), clear, [stopped(case)])

    by_command = [case for case in named(*RUNNING) if not (changes.IS_AIRFLOW_3 or case.deferred)]
    found = [cleared(case) for case in named(*RUNNING) if case not in by_command]
    if by_command:
        found.append(
            Step(
                by_command[0],
                lambda: all(is_underway(case) for case in by_command),
                lambda: cluster.clear_by_command("_running_worker$"),
                [stopped(case) for case in by_command],
            )
        )
    return found


def look(cluster: Cluster, altcraft: Altcraft) -> Aftermath:
    """What there is to see."""
    instances = cluster.instances()
    return Aftermath(
        altcraft.launches(),
        altcraft.entries(),
        instances,
        {(dag, index): cluster.result(dag, task, index) for dag, task, index in instances if task == "launch"},
        {case.dag_id: cluster.log(case.dag_id, "launch*") for case in cases()},
        {case.mailings[0]: altcraft.runs(case.mailings[0]) for case in cases()},
    )


def each(*names: str, keeps: bool | None = None) -> Any:
    """A test for each of these cases."""
    found = [case for case in named(*names) if keeps in (None, case.keeps)]
    return pytest.mark.parametrize("case", found, ids=lambda case: case.dag_id)


@each("mapped", keeps=True)
def test_a_list_that_shifts_and_is_cleared_sends_what_was_not_sent_and_is_green(aftermath, case):
    assert aftermath.launched(case) == [1, 1, 1]
    assert aftermath.states(case) == ["success"] * 3
    assert [aftermath.results[case.dag_id, index]["mailing_id"] for index in range(3)] == list(case.mailings)
    assert "another mapped instance of this task has launched it" in aftermath.logs[case.dag_id]


@each("mapped", keeps=False)
def test_and_without_records_it_is_red_where_nobody_can_tell(aftermath, case):
    assert aftermath.launched(case) == [1, 1, 1]
    assert aftermath.states(case) == ["failed", "success", "failed"]


@each("content_changed")
def test_a_clear_with_other_content_ends_red(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["failed"]
    log = aftermath.logs[case.dag_id]
    assert "AltcraftLaunchConflict" in log
    assert "relaunch_on_clear=True" in log
    if case.keeps:
        assert "content.subject was" in log
        assert "Old" in log
        assert "New" in log


@each("content_rendered_anew")
def test_a_retry_is_the_first_try_though_its_content_renders_differently(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["success"]
    assert aftermath.tries(case) > 1


@each("relaunched")
def test_with_relaunch_on_clear_a_clear_launches_again(aftermath, case):
    assert aftermath.launched(case)[0] == 2
    assert aftermath.states(case) == ["success"]


@each("other_deployment")
def test_a_launch_of_another_deployment_is_not_its_own(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["failed"]
    assert "deployment in the connection" in aftermath.logs[case.dag_id]


@each("deployment_named")
def test_and_with_a_deployment_of_its_own_it_launches(aftermath, case):
    assert aftermath.launched(case)[0] == 2
    assert aftermath.states(case) == ["success"]


@each("source_grown")
def test_a_wait_taken_up_again_sends_nothing_though_its_source_has_grown(aftermath, case):
    assert aftermath.states(case) == ["success"]
    assert aftermath.tries(case) > 1
    entries = {key: times for key, times in aftermath.entries.items() if key.startswith(f"{case.mailings[0]}/")}
    assert list(entries.values()) == [1] * len(case.people)


def seconds(run: dict[str, str]) -> float:
    """How long a run went on."""
    return (datetime.fromisoformat(run["end"]) - datetime.fromisoformat(run["start"])).total_seconds()


@each("segments")
def test_no_instance_is_green_while_a_run_of_the_mailing_goes_on(aftermath, case):
    runs = aftermath.runs[case.mailings[0]]
    theirs = next(run for run in runs if seconds(run) == DURATIONS[str(OTHERS)])
    ours = [run for run in runs if run is not theirs]
    assert len(ours) == len(changes.SEGMENTS)
    assert theirs["start"] < min(run["start"] for run in ours) < theirs["end"]
    assert aftermath.states(case) == ["success"] * 3
    for index in range(3):
        finished = aftermath.results[case.dag_id, index]["finished_at"]
        assert finished in [run["end"] for run in runs]
        assert not [run for run in runs if run["start"] <= finished < run["end"]]


@each("answer_lost", "try_lost")
def test_yesterdays_end_is_not_todays_though_the_answer_was_lost(aftermath, case):
    yesterday, today = aftermath.runs[case.mailings[0]]
    result = aftermath.results[case.dag_id, -1]
    assert aftermath.states(case) == ["success"]
    assert result["replayed"]
    assert result["finished_at"] == today["end"] > today["start"] > yesterday["end"]
    if result["launched_at"]:
        assert yesterday["end"] < result["launched_at"] <= today["start"]


@each("cleared_running", "last_try_cleared_running")
def test_clearing_a_running_task_launches_nothing_again(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["success"]
    assert aftermath.tries(case) > 1


@each("relaunched_running", "last_try_relaunched_running")
def test_and_with_relaunch_on_clear_it_does_where_airflow_tells_it_from_a_retry(aftermath, case):
    # Of a task that runs on a worker, Airflow 2.11 makes a retry, and 3.3 most often a clear.
    possible = {2} if case.deferred else {1, 2} if changes.IS_AIRFLOW_3 else {1}
    assert aftermath.launched(case)[0] in possible
    assert aftermath.states(case) == ["success"]
    assert aftermath.tries(case) > 1


@each("retries_raised", "retries_lowered", keeps=True)
def test_retries_that_change_between_two_tries_change_nothing(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["success"]
    assert aftermath.tries(case) > 1


@each("retries_raised", keeps=False)
def test_and_without_records_end_red_rather_than_twice(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["failed"]


@each("renamed", "renamed_and_cleared")
def test_a_task_renamed_within_a_run_does_not_launch_what_it_did_under_its_old_name(aftermath, case):
    assert aftermath.launched(case)[0] == 1
    assert aftermath.states(case) == ["removed"]
    assert aftermath.states(case, "launch_v2") == ["failed"]
    assert "since renamed or removed" in aftermath.logs[case.dag_id]
