"""A delivery whose source, arguments or surroundings change between two tries, or after a clear."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario
from airflow_provider_altcraft.launching.deliveries import DeliveryLauncher
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from airflow_provider_altcraft.sandbox import Fault
from tests.chaos.crashes import one_clock
from tests.dag_run import DagRun

BATCH = "workflows/import_and_start_batch_task"
IMPORT = "profiles/import_batch"
PEOPLE = [{"email": f"u{number}@example.com"} for number in range(10)]
NEW = {"email": "new@example.com"}
KEEPING = ("store", "records", "nothing kept")


@pytest.fixture(params=[(keeping, deferred) for keeping in KEEPING for deferred in (False, True)], ids=str)
def dag_run(request, time_passes, monkeypatch, tmp_path):
    """A DAG run, whatever it keeps between tries and wherever it waits."""
    keeping, deferred = request.param
    return DagRun(time_passes, monkeypatch, keeping=keeping, folder=tmp_path, deferred=deferred, retries=2)


@pytest.fixture(params=["store", "records"])
def recorded(request, time_passes, monkeypatch, tmp_path):
    """A DAG run whose tries leave records."""
    return DagRun(time_passes, monkeypatch, keeping=request.param, folder=tmp_path, retries=2)


def start(profiles=PEOPLE, **arguments):
    return AltcraftImportAndStartOperator(
        **{
            "task_id": "launch", "profiles": list(profiles), "workflow_id": 12, "batch_size": 3, "max_in_flight": 2,
            "poll_interval": 0.02, "timeout": 5, "retries": 2, **arguments,
        }
    )  # fmt: skip


def load(profiles=PEOPLE, **arguments):
    return AltcraftImportProfilesOperator(
        **{"task_id": "launch", "profiles": list(profiles), "db_id": 1, "batch_size": 3, "retries": 2, **arguments}
    )


def times_entered(altcraft_sandbox):
    """How often anybody entered the scenario."""
    profiles = altcraft_sandbox.profiles(1)
    return {
        profile["email"]: altcraft_sandbox.deliveries.entries_of(12, profile_id)
        for profile_id, profile in profiles.items()
    }


class TestAWaitThatIsTakenUpAgain:
    def stall(self, altcraft_sandbox, dag_run, **arguments):
        altcraft_sandbox.behaviour.task_seconds = 10**6
        end = dag_run.attempt(start(timeout=0.1, **arguments))
        assert end.word == "AltcraftWaitTimeout"
        altcraft_sandbox.clock.advance(2 * 10**6)

    def test_sends_nothing_though_a_row_has_come_to_the_front_of_its_source(self, altcraft_sandbox, recorded):
        self.stall(altcraft_sandbox, recorded)
        calls = len(altcraft_sandbox.journal.calls(BATCH))
        end = recorded.retry(start([NEW, *PEOPLE]))
        assert end.green
        assert (end.result["read"], end.result["accepted"]) == (10, 10)
        assert len(altcraft_sandbox.journal.calls(BATCH)) == calls
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_does_not_even_read_its_source(self, altcraft_sandbox, recorded):
        self.stall(altcraft_sandbox, recorded)

        def broken():
            raise AssertionError("read")

        end = recorded.retry(make_from(broken))
        assert end.green

    def test_keeps_the_rows_that_were_refused(self, altcraft_sandbox, recorded, tmp_path):
        arguments = {"max_rejects": 5, "reject_path": str(tmp_path / "rejects")}
        people = [*PEOPLE[:4], {"email": "not an address"}, *PEOPLE[4:]]
        self.stall(altcraft_sandbox, recorded, profiles=people, **arguments)
        end = recorded.retry(start([NEW, *people], **arguments))
        assert (end.result["accepted"], end.result["rejected"]) == (10, 1)
        assert "not an address" in "".join(path.read_text() for path in (tmp_path / "rejects").rglob("*.jsonl"))

    def test_with_rejects_kept_beside_it_needs_no_other_records(
        self, altcraft_sandbox, time_passes, monkeypatch, tmp_path
    ):
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        self.stall(altcraft_sandbox, dag_run, reject_path=str(tmp_path))
        assert dag_run.retry(start([NEW, *PEOPLE], reject_path=str(tmp_path))).green
        assert set(times_entered(altcraft_sandbox).values()) == {1}


def make_from(generator):
    """A task whose profiles come from a callable."""
    return AltcraftImportAndStartOperator(
        task_id="launch", profiles=generator, workflow_id=12, batch_size=3, poll_interval=0.02, timeout=5, retries=2
    )


class TestARetryInTheMiddle:
    def break_off(self, altcraft_sandbox, dag_run, make):
        altcraft_sandbox.faults.add(Fault("api_error", BATCH, nth=3, code=402))
        altcraft_sandbox.faults.add(Fault("api_error", IMPORT, nth=3, code=402))
        assert not dag_run.attempt(make).green
        altcraft_sandbox.faults.clear()

    def test_goes_on_where_it_was(self, altcraft_sandbox, dag_run):
        self.break_off(altcraft_sandbox, dag_run, start(max_in_flight=1))
        end = dag_run.retry(start(max_in_flight=1))
        assert end.green
        assert end.result["accepted"] == 10
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_stops_before_it_sends_if_its_source_has_changed(self, altcraft_sandbox, recorded):
        self.break_off(altcraft_sandbox, recorded, start(max_in_flight=1))
        end = recorded.retry(start([NEW, *PEOPLE], max_in_flight=1))
        assert end.word == "AltcraftLaunchConflict"
        assert "source has changed" in str(end.error)
        assert "example.com" not in str(end.error)
        assert set(times_entered(altcraft_sandbox).values()) == {1}
        assert len(times_entered(altcraft_sandbox)) == 6

    def test_says_so_and_goes_on_where_that_harms_nobody(self, altcraft_sandbox, recorded):
        self.break_off(altcraft_sandbox, recorded, load(max_in_flight=1))
        end = recorded.retry(load([NEW, *PEOPLE], max_in_flight=1))
        assert end.green
        assert "the source has changed" in recorded.log
        assert len(altcraft_sandbox.profiles(1)) == 11

    def test_is_red_where_rows_that_were_sent_have_gone_from_the_end_of_its_source(self, altcraft_sandbox, recorded):
        self.break_off(altcraft_sandbox, recorded, start(max_in_flight=1))
        assert recorded.retry(start(PEOPLE[:3], max_in_flight=1)).word == "AltcraftLaunchConflict"

    def test_goes_on_after_a_clear_though_altcraft_has_forgotten_what_was_sent(
        self, altcraft_sandbox, recorded, monkeypatch
    ):
        one_clock(monkeypatch, altcraft_sandbox.clock.now)
        self.break_off(altcraft_sandbox, recorded, start(max_in_flight=1))
        altcraft_sandbox.clock.advance(25 * 3600)
        recorded.clear()
        assert recorded.attempt(start(max_in_flight=1)).green
        assert list(times_entered(altcraft_sandbox).values()) == [1] * 10

    def test_without_records_says_what_it_cannot_prevent(self, altcraft_sandbox, time_passes, monkeypatch):
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=2)
        self.break_off(altcraft_sandbox, dag_run, start(max_in_flight=1))
        assert dag_run.retry(start(max_in_flight=1)).green
        assert "record_path" in dag_run.log

    def test_sends_the_rest_with_the_content_it_began_with(self, altcraft_sandbox, recorded):
        self.break_off(altcraft_sandbox, recorded, start(max_in_flight=1, content={"at": "02:00"}))
        end = recorded.retry(start(max_in_flight=1, content={"at": "02:05"}))
        assert end.green
        calls = [call for call in altcraft_sandbox.journal.calls(BATCH) if call.error == 0]
        contents = {str(call.request["content"]) for call in calls}
        assert contents == {"{'at': '02:00'}"}

    def test_takes_equal_batches_for_what_they_are(self, altcraft_sandbox, recorded):
        twice = [*PEOPLE[:3], *PEOPLE[:3], *PEOPLE[3:6], *PEOPLE[:3]]
        altcraft_sandbox.faults.add(Fault("api_error", BATCH, nth=4, code=402))
        assert not recorded.attempt(start(twice, max_in_flight=3)).green
        altcraft_sandbox.faults.clear()
        assert recorded.retry(start(twice, max_in_flight=3)).green
        entered = times_entered(altcraft_sandbox)
        assert [entered[person["email"]] for person in PEOPLE[:6]] == [3, 3, 3, 1, 1, 1]


class TestAClear:
    def test_after_the_database_was_wiped_fills_it_again(self, altcraft_sandbox, dag_run):
        dag_run.attempt(load())
        altcraft_sandbox.world.databases[1].wipe()
        dag_run.clear()
        end = dag_run.attempt(load())
        assert end.green
        assert end.result["replayed"] == 0
        assert len(altcraft_sandbox.profiles(1)) == 10

    def test_sends_nobody_into_a_scenario_again(self, altcraft_sandbox, dag_run):
        dag_run.attempt(start())
        dag_run.clear()
        end = dag_run.attempt(start())
        assert set(times_entered(altcraft_sandbox).values()) == {1}
        assert end.green is dag_run.keeps
        if dag_run.keeps:
            assert end.result["accepted"] == 10
        else:
            assert end.word == "AltcraftOutcomeUnknown"

    @pytest.mark.parametrize("rows", [[NEW, *PEOPLE], [*PEOPLE, NEW, *PEOPLE[:3]], PEOPLE[:9], PEOPLE[1:]])
    def test_with_other_rows_than_were_delivered_ends_red(self, altcraft_sandbox, dag_run, rows):
        dag_run.attempt(start())
        dag_run.clear()
        assert not dag_run.attempt(start(rows)).green
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_with_other_content_ends_red(self, altcraft_sandbox, recorded):
        recorded.attempt(start(content={"sale": "A"}))
        recorded.clear()
        assert recorded.attempt(start(content={"sale": "B"})).word == "AltcraftLaunchConflict"
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_and_a_retry_after_it_neither_reads_nor_compares(self, altcraft_sandbox, recorded):
        recorded.attempt(start(content={"at": "02:00"}))
        recorded.clear()
        assert recorded.attempt(start(content={"at": "02:00"})).green
        end = recorded.retry(start([NEW, *PEOPLE], content={"at": "02:05"}))
        assert end.green
        assert end.result["read"] == 10
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_with_relaunch_on_clear_delivers_what_the_source_says_now(self, altcraft_sandbox, dag_run):
        dag_run.attempt(start())
        dag_run.clear()
        end = dag_run.attempt(start([NEW, *PEOPLE], relaunch_on_clear=True))
        assert end.green
        assert altcraft_sandbox.deliveries.scenario_entries(12) == 21

    def test_increases_nothing_a_second_time(self, altcraft_sandbox, recorded):
        rows = [{"email": "a@example.com", "points": {"action": "increase", "value": 5}}]
        altcraft_sandbox.add_database(1, fields={"points": "int"})
        recorded.attempt(load(rows))
        recorded.clear()
        recorded.attempt(load(rows))
        (profile,) = altcraft_sandbox.profiles(1).values()
        assert profile["points"] == 5


class TestATaskThatIsRenamedWithinARun:
    def test_sends_nobody_into_a_scenario_again(self, altcraft_sandbox, dag_run):
        dag_run.attempt(start())
        dag_run.rename("renamed")
        assert dag_run.attempt(start([NEW, *PEOPLE])).word == "AltcraftLaunchConflict"
        dag_run.clear()
        assert not dag_run.attempt(start()).green
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_goes_on_under_its_new_name(self, altcraft_sandbox, dag_run):
        dag_run.rename("renamed")
        altcraft_sandbox.faults.add(Fault("api_error", BATCH, nth=2, code=402))
        assert not dag_run.attempt(start(max_in_flight=1)).green
        altcraft_sandbox.faults.clear()
        assert dag_run.retry(start(max_in_flight=1)).green
        assert set(times_entered(altcraft_sandbox).values()) == {1}

    def test_fills_a_database(self, altcraft_sandbox, dag_run):
        dag_run.attempt(load())
        dag_run.rename("renamed")
        assert dag_run.attempt(load()).green


class TestABatchOfFunctions:
    def test_is_not_sent_again_where_nobody_remembers_it(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.behaviour.deduplication = "off"
        altcraft_sandbox.add_database(1, fields={"points": "int"})
        dag_run.extra(deduplication_window=0)
        rows = [{"email": "a@example.com", "points": {"action": "increase", "value": 5}}]
        altcraft_sandbox.faults.add(Fault("drop_after", IMPORT, times=1))
        assert dag_run.attempt(load(rows)).word == "AltcraftOutcomeUnknown"
        (profile,) = altcraft_sandbox.profiles(1).values()
        assert profile["points"] == 5

    def test_and_a_batch_of_values_is(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.behaviour.deduplication = "off"
        dag_run.extra(deduplication_window=0)
        altcraft_sandbox.faults.add(Fault("drop_after", IMPORT, times=1))
        assert not dag_run.attempt(load()).green
        assert dag_run.retry(load()).green
        assert len(altcraft_sandbox.profiles(1)) == 10


class TestTwoDeploymentsWithOneToken:
    def test_do_not_swallow_each_others_scenario(self, altcraft_sandbox, dag_run, monkeypatch):
        assert DagRun(altcraft_sandbox, monkeypatch).attempt(start()).green
        assert dag_run.attempt(start()).word == "AltcraftLaunchConflict"

    def test_both_fill_the_database(self, altcraft_sandbox, dag_run, monkeypatch):
        assert DagRun(altcraft_sandbox, monkeypatch).attempt(load()).green
        altcraft_sandbox.world.databases[1].wipe()
        assert dag_run.attempt(load()).green
        assert len(altcraft_sandbox.profiles(1)) == 10


def test_a_destination_says_where_its_rows_go_by_the_parameters_around_them():
    for destination in (ProfileDatabase(3), Scenario(12)):
        assert destination.place == destination.place_of(destination.params)


class TestASourceThatChangesBack:
    """Of rows into a database, one changes between two tries, and is as it was at the third."""

    @pytest.fixture(autouse=True)
    def fields(self, time_passes):
        """A database that has what the rows fill."""
        time_passes.add_database(1, fields={"version": "int"})

    def rows(self, version):
        return [{"email": "a@example.com", "version": version}, {"email": "b@example.com", "version": 1}]

    def attempt(self, altcraft_sandbox, dag_run, version, *, is_broken_off):
        altcraft_sandbox.faults.clear()
        for _ in range(5 if is_broken_off else 0):
            altcraft_sandbox.faults.add(Fault("html", IMPORT, nth=2))
        end = dag_run.attempt(load(self.rows(version), batch_size=1, max_in_flight=1))
        assert end.green is not is_broken_off
        first = next(iter(altcraft_sandbox.profiles(1).values()))
        assert first["version"] == version

    def test_is_what_the_database_says_at_each_try(self, altcraft_sandbox, recorded):
        for version in (1, 2, 1, 2):
            self.attempt(altcraft_sandbox, recorded, version, is_broken_off=True)
        self.attempt(altcraft_sandbox, recorded, 1, is_broken_off=False)

    def test_and_is_so_though_a_try_died_before_it_could_note_the_change(self, altcraft_sandbox, recorded, monkeypatch):
        self.attempt(altcraft_sandbox, recorded, 1, is_broken_off=True)
        with monkeypatch.context() as patches:
            patches.setattr(DeliveryLauncher, "settle", lambda *args: (_ for _ in ()).throw(RuntimeError("killed")))
            recorded.attempt(load(self.rows(2), batch_size=1, max_in_flight=1))
        self.attempt(altcraft_sandbox, recorded, 1, is_broken_off=False)


class TestFieldFunctions:
    """Rows that add points, which a try that has died may have added."""

    def row(self, name):
        return {"email": f"{name}@example.com", "points": {"action": "increase", "value": 5}}

    def points(self, altcraft_sandbox):
        return {profile["email"][0]: profile.get("points") for profile in altcraft_sandbox.profiles(1).values()}

    @pytest.mark.parametrize("is_cleared", [False, True])
    def test_act_once_though_their_rows_have_moved_into_a_batch_without_any(
        self, altcraft_sandbox, recorded, is_cleared
    ):
        altcraft_sandbox.add_database(1, fields={"points": "int"})
        plain = [{"email": f"{name}@example.com"} for name in "xyz"]
        rows = [*plain, self.row("a"), self.row("b"), self.row("c"), self.row("d")]
        altcraft_sandbox.faults.add(Fault("api_error", IMPORT, nth=3, code=402))
        assert not recorded.attempt(load(rows, max_in_flight=1)).green
        altcraft_sandbox.faults.clear()
        if is_cleared:
            recorded.clear()
        end = recorded.attempt(load(rows[1:], max_in_flight=1))
        assert end.word == "AltcraftLaunchConflict"
        assert "field functions" in str(end.error)
        assert [self.points(altcraft_sandbox).get(name) for name in "abcd"] == [5, 5, 5, None]

    def test_of_a_delivery_that_goes_on_are_sent(self, altcraft_sandbox, recorded):
        altcraft_sandbox.add_database(1, fields={"points": "int"})
        rows = [self.row(name) for name in "abcdefg"]
        altcraft_sandbox.faults.add(Fault("api_error", IMPORT, nth=2, code=402))
        assert not recorded.attempt(load(rows, max_in_flight=1)).green
        altcraft_sandbox.faults.clear()
        recorded.clear()
        assert recorded.attempt(load(rows, max_in_flight=1)).green
        assert set(self.points(altcraft_sandbox).values()) == {5}
