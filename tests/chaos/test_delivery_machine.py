"""Any interleaving of crash, retry, clear and forgetting, while the source of a delivery changes.

Nobody enters a scenario twice in one delivery, and a database ends with what the rows of the last green run say.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from airflow_provider_altcraft.sandbox import Fault, Sandbox
from tests.chaos.crashes import HOURS, RETRIES, CrashingDagRun, Moment, one_clock
from tests.chaos.machine import play

BATCH = "workflows/import_and_start_batch_task"
IMPORT = "profiles/import_batch"
HOUR = 3_600
SCENARIO = 12
KINDS = ("drop_before", "drop_after", "rate_limited", "html", "cut_body", "api_error", "refused", "error_after")
CRASHES = st.none() | st.builds(Moment, st.sampled_from(["call", "store"]), st.integers(1, 4), st.booleans())

BREAKS = st.builds(lambda nth: {"dies_at": Moment("call", nth, after=True)}, st.integers(1, 3)) | st.builds(
    lambda nth: {"is_gone_from": nth}, st.integers(2, 4)
)
"""How a try ends that has sent something."""

people = st.tuples(st.integers(0, 7), st.integers(1, 2))


class DeliveryMachine(RuleBasedStateMachine):
    """A delivery, the source it reads, and an Altcraft."""

    sandbox: Sandbox

    @initialize(
        launches=st.booleans(),
        keeping=st.sampled_from(["store", "records", "nothing kept"]),
        relaunch=st.sampled_from([None, None, True]),
        adds=st.booleans(),
        replay_errors=st.booleans(),
        deduplication=st.sampled_from(["request-id", "request-id", "off"]),
        rows=st.lists(people, min_size=1, max_size=6, unique_by=lambda row: row[0]),
    )
    def begin(self, launches, keeping, relaunch, adds, replay_errors, deduplication, rows):
        self.patches = pytest.MonkeyPatch()
        self.folder = tempfile.TemporaryDirectory()
        behaviour = self.sandbox.behaviour
        behaviour.replay_errors, behaviour.deduplication = replay_errors, deduplication
        self.sandbox.reset()
        one_clock(self.patches, self.sandbox.clock.now)
        self.sandbox.add_database(1, fields={"version": "int", "points": "int"})
        self.launches, self.keeping, self.relaunch, self.replay_errors = launches, keeping, relaunch, replay_errors
        # A field function acts at each time it is sent.
        self.adds = adds and not launches
        # An error after the work of a batch that Altcraft forgets is taken at its word (guarantees).
        is_safe = replay_errors or not (launches or self.adds)
        self.kinds = [kind for kind in KINDS if is_safe or kind != "error_after"]
        self.rows, self.sources = rows, [rows]
        self.state, self.deduplication = "due", deduplication
        self.entered: Counter[tuple[int, str]] = Counter()
        self.added: Counter[tuple[int, str]] = Counter()
        # What an earlier try may have sent, where nothing says so.
        self.changes, self.has_changed = 0, False
        self.tried: list[list[tuple[int, int]]] = []
        self.dag_run = CrashingDagRun(
            self.sandbox,
            self.patches,
            keeping=keeping,
            folder=Path(self.folder.name),
            endpoints=(BATCH, IMPORT),
            on_call=self._told_of,
        )
        window = 0 if deduplication == "off" else 86_400
        self.dag_run.extra(deduplication_window=window, max_attempts=3)

    def teardown(self):
        self.patches.undo()
        self.folder.cleanup()

    def _told_of(self, call, body, request_id):
        before = self._counts()
        try:
            return call()
        finally:
            entered, added = (after - was for after, was in zip(self._counts(), before, strict=True))
            generation = self._generation
            self.entered.update({(generation, email): times for email, times in entered.items()})
            self.added.update({(generation, email): times for email, times in added.items()})

    def _counts(self):
        """How often each has entered the scenario, and what was added to each."""
        entered, added = Counter(), Counter()
        for profile_id, profile in self.sandbox.profiles(1).items():
            entered[profile["email"]] = self.sandbox.deliveries.entries_of(SCENARIO, profile_id)
            added[profile["email"]] = int(profile.get("points") or 0)
        return entered, added

    @property
    def _generation(self):
        return self.dag_run.instance().max_tries if self.relaunch else 0

    def _operator(self):
        points = {"points": {"action": "increase", "value": 1}} if self.adds else {}
        profiles = [{"email": _email(one), "version": version, **points} for one, version in self.rows]
        shared = {
            "task_id": "deliver", "profiles": profiles, "batch_size": 2, "max_in_flight": 1, "retries": RETRIES,
            "relaunch_on_clear": self.relaunch, "check_fields": False,
        }  # fmt: skip
        if self.launches:
            return AltcraftImportAndStartOperator(workflow_id=SCENARIO, poll_interval=0.001, timeout=0.3, **shared)
        return AltcraftImportProfilesOperator(db_id=1, **shared)

    @precondition(lambda self: self.state == "due")
    @rule(
        dies_at=CRASHES,
        kinds=st.lists(st.tuples(st.integers(1, 4), st.sampled_from(KINDS)), max_size=2),
        is_gone_from=st.none() | st.integers(1, 4),
        wait_fails=st.booleans(),
    )
    def try_it(self, dies_at, kinds, is_gone_from, wait_fails):
        self._try(dies_at=dies_at, kinds=kinds, is_gone_from=is_gone_from, wait_fails=wait_fails)

    @precondition(lambda self: self.state == "due")
    @rule(data=st.data(), breaks=st.lists(BREAKS, min_size=2, max_size=2))
    def a_row_is_edited_and_put_back_between_tries(self, data, breaks):
        """What Altcraft remembers of the first try is what the last one says, and not what is stored by then."""
        place = data.draw(st.integers(0, len(self.rows) - 1))
        for how in breaks:
            self._try(**how)
            if self.state != "due":
                return
            self._edit(place)
        self._try()

    def _edit(self, place):
        rows = list(self.rows)
        rows[place] = (rows[place][0], 3 - rows[place][1])
        self.rows = rows
        self.sources.append(rows)

    def _try(self, *, dies_at=None, kinds=(), is_gone_from=None, wait_fails=False):
        self.sandbox.clock.advance(1)
        self.sandbox.faults.clear()
        # As many as the attempts of a call.
        for nth, kind in [*kinds, *([(is_gone_from, "html")] * 3 if is_gone_from else ())]:
            if kind in self.kinds:
                code = 402 if kind == "refused" else 500 if "error" in kind else 502
                name = "api_error" if kind == "refused" else kind
                for endpoint in (BATCH, IMPORT):
                    self.sandbox.faults.add(Fault(name, endpoint, nth=nth, times=1, code=code, seconds=1))
        if wait_fails:
            self.sandbox.faults.add(Fault("html", "tasks/status"))
        if self.tried and self.tried[-1] != self.rows:
            self.changes, self.has_changed = self.changes + 1, True
        self.tried.append(self.rows)
        self.end = end = self.dag_run.try_it(self._operator(), dies_at=dies_at)
        self.sandbox.faults.clear()
        instance = self.dag_run.instance()
        if end is not None and end.green:
            self.state = "green"
            self._check_green(end.result)
        elif (end is None or end.word == type(end.error).__name__) and instance.try_number <= instance.max_tries:
            pass
        else:
            self.state = "red"

    def _check_green(self, result):
        assert result["read"] == result["accepted"], result
        profiles = {profile["email"]: profile for profile in self.sandbox.profiles(1).values()}
        if self.launches:
            entered = {email for (generation, email), times in self.entered.items() if generation == self._generation}
            # A wait that is taken up again is for what an earlier try delivered.
            possible = self.tried if self.keeping != "nothing kept" else self.tried[-1:]
            delivered = [{_email(one) for one, _ in rows} for rows in possible]
            assert any(len(rows) == result["read"] for rows in delivered)
            if self.keeping != "nothing kept":
                assert entered in delivered, (entered, delivered)
            else:
                assert entered >= delivered[-1], (entered, delivered)
            return
        if self._is_unknowable and self.changes > 1:
            return
        for one, version in self.rows:
            assert profiles[_email(one)]["version"] == version, (self.rows, profiles)
            assert not self.adds or self.added[self._generation, _email(one)] >= 1

    @property
    def _is_unknowable(self):
        return self.keeping == "nothing kept"

    @precondition(lambda self: self.state in ("green", "red"))
    @rule(discarded=st.booleans(), wiped=st.booleans())
    def clear(self, discarded, wiped):
        """A user clears the task; of a database, after wiping it."""
        if wiped and not self.launches and not self.adds:
            self.sandbox.world.databases[1].wipe()
        discarded = discarded and self.replay_errors and self.keeping == "store" and self.launches
        self.dag_run.clear(-1, discarded=discarded)
        self.tried, self.changes = [], 0
        self.state = "due"

    @rule(data=st.data(), how=st.sampled_from(["comes", "goes", "is edited", "is moved", "is put back"]))
    def a_row_of_its_source(self, data, how):
        rows = list(self.rows)
        place = data.draw(st.integers(0, len(rows) - 1))
        if how == "comes":
            row = data.draw(people)
            if row[0] not in dict(rows):
                rows.insert(data.draw(st.sampled_from([0, place, len(rows)])), row)
        elif how == "goes" and len(rows) > 1:
            del rows[place]
        elif how == "is edited":
            return self._edit(place)
        elif how == "is moved":
            rows = data.draw(st.permutations(rows))
        else:
            rows = data.draw(st.sampled_from(self.sources))
        self.rows = list(rows)
        self.sources.append(self.rows)
        return None

    @rule(hours=st.sampled_from(HOURS))
    def time_passes(self, hours):
        self.sandbox.clock.advance(hours * HOUR)

    @invariant()
    def nobody_enters_twice_in_one_delivery(self):
        if getattr(self, "launches", False) and not (self._is_unknowable and self.has_changed):
            assert all(times <= 1 for times in self.entered.values()), self.entered

    @invariant()
    def nothing_is_added_twice(self):
        if getattr(self, "adds", False) and not self._is_unknowable:
            assert all(times <= 1 for times in self.added.values()), self.added


def _email(number: int) -> str:
    return f"u{number}@example.com"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_any_interleaving_delivers_once():
    play(DeliveryMachine, 150)
