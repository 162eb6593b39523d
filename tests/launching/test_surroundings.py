"""Whatever else shifts under a run: the connection, the store, a try that was given up and still runs."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.launching.delivery_records import DELIVERY
from airflow_provider_altcraft.launching.record import Records
from airflow_provider_altcraft.operators.api import AltcraftApiOperator
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from airflow_provider_altcraft.runtime.storage import folder_name
from airflow_provider_altcraft.sandbox import Fault
from tests.dag_run import DagRun

START = "campaigns/broadcasts/start"
BATCH = "workflows/import_and_start_batch_task"
PEOPLE = [{"email": f"u{number}@example.com"} for number in range(10)]


@pytest.fixture(params=["store", "records"])
def recorded(request, time_passes, monkeypatch, tmp_path):
    """A DAG run whose tries leave records."""
    for mailing_id in (101, 102, 103):
        time_passes.add_mailing(mailing_id)
    return DagRun(time_passes, monkeypatch, keeping=request.param, folder=tmp_path, retries=2)


def launch(**arguments):
    return AltcraftLaunchMailingOperator(
        **{"task_id": "launch", "mailing_id": 101, "poll_interval": 0.02, "timeout": 3, "retries": 2, **arguments}
    )


def start(profiles=PEOPLE, **arguments):
    return AltcraftImportAndStartOperator(
        **{
            "task_id": "launch", "profiles": list(profiles), "workflow_id": 12, "batch_size": 3, "max_in_flight": 1,
            "poll_interval": 0.02, "timeout": 3, "retries": 2, **arguments,
        }
    )  # fmt: skip


def times_sent(altcraft_sandbox, mailing_id=101):
    return len(altcraft_sandbox.deliveries.launches(mailing_id))


CHANGES = [
    pytest.param({}, {}, {"deployment": "production"}, id="a deployment is named"),
    pytest.param({"relaunch_on_clear": True}, {}, {}, id="relaunch_on_clear is taken back"),
    pytest.param({}, {"relaunch_on_clear": True}, {}, id="relaunch_on_clear is set"),
    pytest.param({}, {"request_id": "x"}, {}, id="a request_id is given"),
    pytest.param({"request_id": "x"}, {"request_id": "y"}, {}, id="another request_id is given"),
]


class TestWhatAnIdIsMadeOfChangesBetweenTwoTries:
    @pytest.mark.parametrize(("before", "after", "extra"), CHANGES)
    def test_a_launch_keeps_its_id(self, altcraft_sandbox, recorded, before, after, extra):
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=9))
        assert not recorded.attempt(launch(**before)).green
        altcraft_sandbox.faults.clear()
        recorded.extra(**extra)
        assert recorded.retry(launch(**after)).green
        assert times_sent(altcraft_sandbox) == 1

    @pytest.mark.parametrize(("before", "after", "extra"), CHANGES)
    def test_a_batch_keeps_its_id(self, altcraft_sandbox, recorded, before, after, extra):
        altcraft_sandbox.faults.add(Fault("drop_after", BATCH, times=9))
        assert not recorded.attempt(start(**before)).green
        altcraft_sandbox.faults.clear()
        recorded.extra(**extra)
        assert recorded.retry(start(**after)).green
        assert altcraft_sandbox.deliveries.scenario_entries(12) == 10


class TestATryThatWasGivenUpAndStillRuns:
    def test_takes_up_what_its_successor_has_launched(self, altcraft_sandbox, recorded, monkeypatch):
        zombie, call = launch(), AltcraftLaunchMailingOperator._mark
        ended = []

        def meanwhile(operator, *arguments):
            if operator is zombie and not ended:
                ended.append(recorded.retry(launch()))
            return call(operator, *arguments)

        monkeypatch.setattr(AltcraftLaunchMailingOperator, "_mark", meanwhile)
        assert recorded.attempt(zombie).green
        assert ended[0].green
        altcraft_sandbox.clock.advance(25 * 3600)
        assert recorded.retry(launch()).green
        assert times_sent(altcraft_sandbox) == 1

    def test_does_not_make_its_successors_launch_somebody_elses(self, altcraft_sandbox, recorded, monkeypatch):
        zombie, keep = launch(), Records.keep
        ended = []

        def meanwhile(records, record, **how):
            keep(records, record, **how)
            if not ended:
                ended.append(None)
                ended.append(recorded.retry(launch()))

        monkeypatch.setattr(Records, "keep", meanwhile)
        assert recorded.attempt(zombie).green
        assert ended[1].green
        altcraft_sandbox.clock.advance(25 * 3600)
        assert recorded.retry(launch()).green
        assert times_sent(altcraft_sandbox) == 1

    def test_sends_no_batch_in_the_place_of_another(self, altcraft_sandbox, recorded):
        def slow():
            yield {"email": "front@example.com"}
            assert recorded.retry(start()).green
            yield from PEOPLE

        end = recorded.attempt(start_from(slow))
        assert end.word == "AltcraftLaunchConflict"
        assert altcraft_sandbox.deliveries.scenario_entries(12) == 10


def start_from(profiles):
    """A delivery of what a callable yields."""
    return AltcraftImportAndStartOperator(
        task_id="launch", profiles=profiles, workflow_id=12, batch_size=3, max_in_flight=1, poll_interval=0.02,
        timeout=3, retries=2,
    )  # fmt: skip


class TestAStoreThatAppearsBetweenTwoTries:
    def test_is_no_proof_that_nothing_was_launched(self, altcraft_sandbox, time_passes, monkeypatch):
        time_passes.add_mailing(101)
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        altcraft_sandbox.behaviour.deduplication = "off"
        dag_run.extra(deduplication_window=0)
        altcraft_sandbox.mailing(101).duration = 10**6
        assert dag_run.attempt(launch(timeout=0.1)).word == "AltcraftWaitTimeout"
        dag_run.keep_in("store")
        assert dag_run.retry(launch()).word == "AltcraftOutcomeUnknown"
        assert times_sent(altcraft_sandbox) == 1

    def test_is_no_proof_that_no_batch_was_sent(self, altcraft_sandbox, time_passes, monkeypatch, tmp_path):
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        altcraft_sandbox.behaviour.deduplication = "off"
        dag_run.extra(deduplication_window=0)
        altcraft_sandbox.behaviour.task_seconds = 10**7
        assert dag_run.attempt(start(timeout=0.1)).word == "AltcraftWaitTimeout"
        assert dag_run.retry(start(reject_path=str(tmp_path))).word == "AltcraftOutcomeUnknown"
        assert altcraft_sandbox.deliveries.scenario_entries(12) == 10

    def test_and_within_altcrafts_memory_the_launch_is_taken_up(self, altcraft_sandbox, time_passes, monkeypatch):
        time_passes.add_mailing(101)
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=9))
        assert not dag_run.attempt(launch()).green
        altcraft_sandbox.faults.clear()
        dag_run.keep_in("store")
        assert dag_run.retry(launch()).green
        assert times_sent(altcraft_sandbox) == 1


class TestMappedInstances:
    def test_that_took_a_siblings_launch_end_their_wait_at_a_retry(self, altcraft_sandbox, recorded):
        recorded.attempt(launch(), 0)
        killed = launch()
        killed.await_end = interrupted
        with pytest.raises(KeyboardInterrupt):
            recorded.attempt(killed, 1)
        assert recorded.attempt(launch(), 1).green
        assert times_sent(altcraft_sandbox) == 1

    def test_that_relaunch_believe_no_launch_of_before_the_clear(self, altcraft_sandbox, recorded):
        again = lambda **one: launch(relaunch_on_clear=True, **one)  # noqa: E731
        recorded.map(again, "mailing_id", [101, 103])
        recorded.clear()
        ends = recorded.map(again, "mailing_id", [101, 102, 103])
        assert [end.green for end in ends] == [True, True, False]
        assert [times_sent(altcraft_sandbox, number) for number in (101, 102, 103)] == [2, 1, 1]

    def test_with_one_target_and_two_contents_are_not_both_green(self, altcraft_sandbox, time_passes, monkeypatch):
        time_passes.add_mailing(101)
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        contents = [{"message_id": 1, "subject": subject} for subject in "XY"]
        dag_run.attempt(launch(content=contents[0]), 0)
        altcraft_sandbox.faults.add(Fault("status", "campaigns/get_status", times=9))
        dag_run.attempt(launch(content=contents[1]), 1)
        altcraft_sandbox.faults.clear()
        assert dag_run.attempt(launch(content=contents[1]), 1).word == "AltcraftLaunchConflict"
        assert times_sent(altcraft_sandbox) == 1


def interrupted(*arguments):
    raise KeyboardInterrupt


class TestARequestIdOfTheUsersOwn:
    def test_is_another_for_another_mailing(self, altcraft_sandbox, time_passes, monkeypatch):
        for mailing_id in (101, 102):
            time_passes.add_mailing(mailing_id)
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        dag_run.attempt(launch(request_id="x", mailing_id=101))
        end = dag_run.retry(launch(request_id="x", mailing_id=102))
        assert end.result["mailing_id"] == 102
        assert times_sent(altcraft_sandbox, 102) == 1


class TestWhatIsKept:
    def test_says_nothing_of_a_recipient(self, altcraft_sandbox, recorded, tmp_path):
        call = lambda who: AltcraftApiOperator(  # noqa: E731
            task_id="launch",
            endpoint="campaigns/triggers/start",
            parameters={"id": "9", "matching": "email", "email": f"{who}@example.com", "content": {"name": who}},
            retries=2,
        )
        altcraft_sandbox.faults.add(Fault("drop_after", "campaigns/triggers/start", times=9))
        recorded.attempt(call("bob"))
        altcraft_sandbox.faults.clear()
        end = recorded.retry(call("carl"))
        assert end.word == "AltcraftOutcomeUnknown"
        kept = recorded.kept() + "".join(path.read_text() for path in tmp_path.rglob("*.json"))
        assert kept
        assert "example.com" not in f"{recorded.log} {end.error} {kept}"
        assert '"bob"' not in f"{recorded.log} {end.error}"

    @pytest.mark.parametrize("rubbish", [{"a": 1}, "text", [1], [{"stage": "later"}]])
    def test_and_cannot_be_read_stops_the_task_before_anything_is_sent(self, altcraft_sandbox, recorded, rubbish):
        recorded.put(Records.KEY, rubbish)
        assert recorded.attempt(launch()).word == "AltcraftConfigurationError"
        recorded.put(DELIVERY, rubbish)
        assert recorded.attempt(start()).word == "AltcraftConfigurationError"
        assert not altcraft_sandbox.journal.calls(START)
        assert not altcraft_sandbox.journal.calls(BATCH)

    def test_does_not_grow_with_the_clears_of_what_is_done_again(self, altcraft_sandbox, recorded):
        for turn in range(5):
            recorded.attempt(launch(relaunch_on_clear=True, content={"message_id": 1, "subject": "S" * 5_000}))
            recorded.clear()
            size = len(recorded.kept())
            assert size < 8_000, turn


def test_a_delivery_whose_matching_changes_between_two_tries_stops(altcraft_sandbox, recorded):
    altcraft_sandbox.add_database(1, fields={"CRM_ID": "int"})
    people = [{**person, "CRM_ID": number} for number, person in enumerate(PEOPLE)]
    altcraft_sandbox.faults.add(Fault("api_error", BATCH, nth=3, code=402))
    assert not recorded.attempt(start(people)).green
    altcraft_sandbox.faults.clear()
    end = recorded.retry(start(people, matching="custom", field_name="CRM_ID"))
    assert end.word == "AltcraftOutcomeUnknown"
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 6


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("manual__2026-11-21T02:00:00+00:00", "manual__2026-11-21T02%3A00%3A00%2B00%3A00"),
        ("a/../b", "a%2F..%2Fb"),
        ("группа_утренних_рассылок.отправить", "группа_утренних_рассылок.отправить"),
    ],
)
def test_a_name_of_airflows_is_that_of_a_folder(name, folder):
    assert folder_name(name) == folder


@pytest.mark.parametrize("name", [".", "..", "", "a" * 1_000, "ё" * 250, "/" * 250])
def test_a_name_that_is_none_gets_a_digest(name):
    folder = folder_name(name)
    assert folder.strip(".")
    assert len(folder.encode()) <= 200
    assert folder != folder_name(f"{name}.")
