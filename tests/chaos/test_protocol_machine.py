"""Any interleaving of crash, retry, clear, forgetting and answer, while arguments, lists and others' doings shift.

Whatever happens, one target is launched at most once for each time it was meant to be, and no task is green without
the launch that its arguments, or its result, name.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.objects import Content
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.launching.identity import fingerprint
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.sandbox import Fault, Sandbox
from tests.chaos.crashes import HOURS, RETRIES, STILL_UNDERWAY, CrashingDagRun, Moment, one_clock
from tests.chaos.machine import play

START = "campaigns/broadcasts/start"
HOUR = 3_600

KINDS = ("drop_before", "drop_after", "rate_limited", "html", "cut_body", "api_error", "error_after")
CRASHES = [None, None, None] + [Moment(what, 1, after) for what in ("call", "store") for after in (False, True)] + [
    Moment("store", 2)
]  # fmt: skip


@dataclass(frozen=True)
class Arguments:
    """What a task is asked for."""

    mailing: int
    segment: int | None = None
    subject: str | None = None

    @property
    def target(self) -> tuple[int, int | None]:
        """What is launched at most once."""
        return self.mailing, self.segment

    def operator(self, **how: Any) -> Any:
        source = {} if self.segment is None else {"override_source_type": "segment", "override_source_id": self.segment}
        content = {} if self.subject is None else {"content": Content(1, subject=self.subject)}
        return AltcraftLaunchMailingOperator(
            task_id="launch",
            mailing_id=self.mailing,
            poll_interval=0.001,
            timeout=0.3,
            retries=RETRIES,
            **source,
            **content,
            **how,
        )


@dataclass
class Told:
    """A launch that the sandbox made."""

    owner: str
    arguments: Arguments
    generation: int = 0
    launch: Any = None
    index: int = -1
    is_unknowable: bool = False
    by: int | None = None
    """The instance, where others do not know."""


@dataclass
class Watched:
    """What is known of a task instance from outside.

    :param meant: what its arguments were at the tries since it was last cleared.
    :param asked: when it asked for a launch since then.
    """

    state: str = "due"
    meant: list[Arguments] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    was_in_doubt: bool = False
    met_a_fault: bool = False
    result: Any = None


arguments = st.builds(
    Arguments,
    st.sampled_from([101, 101, 102]),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([None, None, "A", "B"]),
)


twins = st.builds(
    lambda one, *subjects: [replace(one, subject=subject) for subject in subjects],
    arguments,
    st.sampled_from(["A", None]),
    st.sampled_from(["B", "A"]),
)
"""One mailing twice in a list, mostly with different content."""


class LaunchMachine(RuleBasedStateMachine):
    """A task, mapped or not, an Altcraft, and others who use it."""

    sandbox: Sandbox

    @initialize(
        keeping=st.sampled_from(["store", "records", "nothing kept"]),
        is_mapped=st.booleans(),
        relaunch=st.sampled_from([False, False, True]),
        waits=st.booleans(),
        replay_errors=st.booleans(),
        stays_active=st.sampled_from([True, True, False]),
        deduplication=st.sampled_from(["request-id", "request-id", "checksum", "off"]),
        deployment=st.sampled_from(["", "", "production"]),
        wanted=st.lists(arguments, min_size=1, max_size=3) | twins,
    )
    def begin(
        self, keeping, is_mapped, relaunch, waits, replay_errors, stays_active, deduplication, deployment, wanted
    ):
        self.patches = pytest.MonkeyPatch()
        self.folder = tempfile.TemporaryDirectory()
        behaviour = self.sandbox.behaviour
        behaviour.replay_errors, behaviour.deduplication = replay_errors, deduplication
        behaviour.broadcast_stays_active = stays_active
        self.sandbox.reset()
        one_clock(self.patches, self.sandbox.clock.now)
        people = [
            self.sandbox.world.databases[1].save({"email": f"{name}@example.com"}, "email", None, known=None)
            for name in "abc"
        ]
        for number, members in ((1, people[:1]), (2, people[1:])):
            self.sandbox.add_segment(number, is_static=True).members.update(members)
        self.sandbox.add_mailing(101)
        self.sandbox.add_mailing(102)
        self.told: list[Told] = []
        self.bodies: dict[tuple[int, str | None], set[str]] = defaultdict(set)
        self.anothers: set[str | None] = set()
        self.was_discarded = self.was_cleared = False
        self.came_late: set[int] = set()
        self.taken_for_ours: set[int] = set()
        self.keeping, self.deployment, self.relaunch, self.waits = keeping, deployment, relaunch, waits
        # What nobody remembers: an error after the work, which Altcraft forgets and of which no log can tell.
        self.kinds = [kind for kind in KINDS if replay_errors or kind != "error_after"]
        self.is_mapped, self.replay_errors = is_mapped, replay_errors
        self.window = 0 if deduplication == "off" else 86_400
        # A checksum is of the body: where nothing is kept, another content is another request (guarantees).
        self.subjects = deduplication != "checksum"
        self.deduplication = deduplication
        wanted = [self._sayable(one) for one in wanted]
        self.wanted = wanted if is_mapped else wanted[:1]
        self.owner, self.trying = "", (-1, wanted[0])
        self.watched: dict[int, Watched] = defaultdict(Watched)
        self.ours = self._dag_run(keeping, deployment)

    def _sayable(self, one):
        return one if self.subjects else replace(one, subject=None)

    def _dag_run(self, keeping, deployment):
        dag_run = CrashingDagRun(
            self.sandbox,
            self.patches,
            keeping=keeping,
            folder=Path(self.folder.name),
            endpoints=(START,),
            on_call=self._told_of,
        )
        dag_run.extra(deduplication_window=self.window, max_attempts=3, deployment=deployment)
        return dag_run

    def teardown(self):
        self.patches.undo()
        self.folder.cleanup()

    def _told_of(self, call, params, request_id):
        """Make a call, and note what was launched by it."""
        before = self.sandbox.deliveries.total_launches
        index = self.trying[0]
        if self.owner == "ours":
            self.watched[index].asked.append(self.sandbox.clock.now())
            self.bodies[index, request_id].add(fingerprint(params))
        elif self.owner == "staging":
            self.anothers.add(request_id)
        try:
            return call()
        finally:
            content = (params.get("content") or {}).get("subject") if params.get("content") else None
            made = Arguments(params["id"], params.get("override_source_id"), content)
            generation = self._generation(index) if self.owner == "ours" else 0
            for launch in self.sandbox.deliveries.launches()[before:]:
                told = Told(self.owner, made, generation, launch, index)
                told.by = index if self.owner == "ours" and self._is_of_its_own_clear(index) else None
                told.is_unknowable = self.owner == "ours" and self._is_forgotten_by_all(told)
                self.told.append(told)
            if self.owner == "ours":
                self.watched[index].asked.append(self.sandbox.clock.now())

    def _generation(self, index):
        """Which clear of its instance a launch is of."""
        return self.ours.instance(index).max_tries if self.relaunch else 0

    def _is_of_its_own_clear(self, index):
        """Whether others may have been tried and cleared otherwise, and do not know what it launches (guarantees)."""
        return self.relaunch and (index in self.came_late or self.ours.instance(index).max_tries != RETRIES)

    def _is_forgotten_by_all(self, told):
        """Without records, an instance cannot know what another has launched once Altcraft has forgotten it."""
        if not self.is_mapped or (self.keeping != "nothing kept" and not self.was_discarded):
            return False
        return any(
            other.index != told.index and (told.launch.at - other.launch.at).total_seconds() >= self.window * 0.9 - 1
            for other in self.told
            if other.owner == "ours" and other.arguments.target == told.arguments.target
        )

    def _indexes(self, *states):
        places = range(len(self.wanted)) if self.is_mapped else (-1,)
        return [index for index in places if self.watched[index].state in states]

    def _argument(self, index):
        return self.wanted[max(index, 0)]

    @precondition(lambda self: self._indexes("due"))
    @rule(data=st.data(), dies_at=st.sampled_from(CRASHES))
    def try_it(self, data, dies_at):
        kinds = data.draw(st.lists(st.sampled_from(self.kinds), max_size=4))
        self._try(data.draw(st.sampled_from(self._indexes("due"))), dies_at, kinds)

    @precondition(lambda self: self._indexes("due"))
    @rule(data=st.data(), dies_at=st.sampled_from(CRASHES))
    def all_are_tried(self, data, dies_at):
        """Each mapped instance after the other, as in any run; one of them dies, another loses answers."""
        indexes = data.draw(st.permutations(self._indexes("due")))
        kinds = data.draw(st.lists(st.sampled_from(self.kinds), max_size=4))
        for number, index in enumerate(indexes):
            self._try(index, dies_at if number == 0 else None, kinds if number == 1 else ())

    @precondition(lambda self: self._indexes("green", "red"))
    @rule(data=st.data(), discarded=st.booleans())
    def all_are_cleared_and_tried(self, data, discarded):
        self._clear(data, discarded=discarded, one=False)
        for index in self._indexes("due"):
            self._try(index, None, data.draw(st.lists(st.sampled_from(self.kinds), max_size=1)))

    def _try(self, index, dies_at, kinds):
        if self.was_cleared and not self.ours.instance(index).try_number:
            self.came_late.add(index)
        self.sandbox.clock.advance(1)
        self.sandbox.faults.clear()
        for nth, kind in enumerate(kinds, start=1):
            code = 500 if "error" in kind else 502
            self.sandbox.faults.add(Fault(kind, START, nth=nth, times=1, code=code, seconds=1))
        wanted, watched = self._argument(index), self.watched[index]
        watched.meant.append(wanted)
        self.owner, self.trying = "ours", (index, wanted)
        watched.asked.append(self.sandbox.clock.now())
        calls = len(watched.asked)
        operator = wanted.operator(wait_for_completion=self.waits, relaunch_on_clear=self.relaunch)
        end = self.ours.try_it(operator, index, dies_at=dies_at)
        self.sandbox.faults.clear()
        watched.met_a_fault |= any("error" in kind for kind in kinds)
        watched.was_in_doubt |= bool(kinds or dies_at) and (
            self.keeping == "nothing kept" or len(watched.asked) > calls
        )
        watched.was_in_doubt |= self.keeping != "nothing kept" and dies_at is not None
        instance = self.ours.instance(index)
        if end is not None and end.green:
            watched.state, watched.result = "green", end.result
        elif (end is None or end.word == type(end.error).__name__) and instance.try_number <= instance.max_tries:
            watched.was_in_doubt |= self.keeping == "nothing kept"
        else:
            watched.state = "red"
        self.end = end
        if watched.state == "green":
            self._check_green(index, watched)

    def _check_green(self, index, watched):
        """It launched what its arguments say; or, at a retry, what its result says."""
        generation = self._generation(index)
        mine = [told for told in self.told if told.owner == "ours" and told.generation == generation]
        # A retry means the first try, whose arguments may have been others.
        meant = watched.meant if self.keeping != "nothing kept" or len(watched.meant) > 1 else watched.meant[-1:]
        found = [
            told for told in mine if told.arguments in meant and told.arguments.mailing == watched.result["mailing_id"]
        ]
        if not found and not self._could_not_be_known(index, watched):
            raise AssertionError(f"green without a launch of {meant}: {watched.result}, {self.told}")
        if found and self.waits and not self._could_not_be_known(index, watched):
            mailing = self.sandbox.mailing(found[-1].arguments.mailing)
            runs = [run for run in mailing.runs if any(run.launch is told.launch for told in found)]
            assert any(run.end <= self.sandbox.clock.now() for run in runs), "green before its run had ended"

    def _could_not_be_known(self, index, watched):
        """The limits that the guarantees name: another's launch that shows where ours would."""
        mailings = {meant.mailing for meant in watched.meant}
        for told in self.told:
            at = told.launch.at
            is_in_time = watched.asked and watched.asked[0] <= at <= watched.asked[-1] + STILL_UNDERWAY
            if told.owner == "ours":
                # Of what its siblings launch, an instance knows unless the mailing's log has to tell.
                is_in_time = is_in_time and told.index != index and self._log_decides(watched)
            is_under_our_name = told.owner == "staging" and not self.deployment and watched.was_in_doubt
            if told.arguments.mailing in mailings and (is_in_time or is_under_our_name):
                # What was taken for ours stays so.
                self.taken_for_ours.add(told.arguments.mailing)
        return bool(mailings & self.taken_for_ours)

    def _log_decides(self, watched):
        """Whether the log of the mailing may have been asked what became of a launch."""
        is_forgotten = (watched.asked[-1] - watched.asked[0]).total_seconds() >= self.window * 0.9 - 1
        return self.window == 0 or is_forgotten or watched.met_a_fault

    @precondition(lambda self: self._indexes("green", "red"))
    @rule(data=st.data(), discarded=st.booleans(), one=st.booleans())
    def clear(self, data, discarded, one):
        self._clear(data, discarded=discarded, one=one)

    def _clear(self, data, *, discarded, one):
        """A user clears the task, or one of its mapped instances; others' may have changed upstream by then."""
        ended = self._indexes("green", "red")
        indexes = [data.draw(st.sampled_from(ended))] if one else ended
        if not one and data.draw(st.booleans()):
            wanted = self._shifted(data)
            self.wanted = wanted if self.is_mapped else wanted[:1]
        # The store is worth its name, and an error that only it remembers is lost with it.
        discarded = discarded and self.replay_errors and self.keeping == "store"
        self.was_discarded |= discarded
        self.ours.clear(*indexes, discarded=discarded)
        self.was_cleared = True
        for index in indexes:
            before = self.watched[index]
            # What was left open is looked for by what was kept of it before the clear.
            left_open = before.asked if before.state == "red" else []
            self.watched[index] = Watched(asked=left_open, met_a_fault=before.met_a_fault)

    def _shifted(self, data):
        """The list with something inserted, removed or in another order."""
        wanted = list(self.wanted)
        how = data.draw(st.sampled_from(["insert", "remove", "reorder", "replace"]))
        if how == "insert" and len(wanted) < 4:
            wanted.insert(data.draw(st.integers(0, len(wanted))), self._sayable(data.draw(arguments)))
        elif how == "remove" and len(wanted) > 1:
            del wanted[data.draw(st.integers(0, len(wanted) - 1))]
        elif how == "reorder":
            wanted = data.draw(st.permutations(wanted))
        else:
            wanted[data.draw(st.integers(0, len(wanted) - 1))] = self._sayable(data.draw(arguments))
        return wanted

    @rule(data=st.data(), changed=arguments)
    def its_arguments_render_differently(self, data, changed):
        self.wanted[data.draw(st.integers(0, len(self.wanted) - 1))] = self._sayable(changed)

    @rule(hours=st.sampled_from(HOURS))
    def time_passes(self, hours):
        self.sandbox.clock.advance(hours * HOUR)

    @rule(mailing=st.sampled_from([101, 102]), active=st.booleans())
    def somebody_switches_it(self, mailing, active):
        self.sandbox.mailing(mailing).is_active = active

    @rule(mailing=st.sampled_from([101, 102]), segment=st.sampled_from([None, 1]), seconds=st.sampled_from([1, 90]))
    def somebody_launches_it(self, mailing, segment, seconds):
        """A run that is nobody's business of ours, short or long."""
        self.sandbox.mailing(mailing).is_active = True
        self.sandbox.mailing(mailing).duration = seconds
        self.owner, self.trying = "somebody", (-1, Arguments(mailing, segment))
        self.sandbox.faults.clear()
        params = {"id": mailing}
        if segment is not None:
            params |= {"override_source_type": "segment", "override_source_id": segment}
        with AltcraftClient(Settings(self.sandbox.url, self.sandbox.token)) as client:
            self._told_of(lambda: client.call(START, params, request_id=f"by hand {len(self.told)}"), params, None)
        self.sandbox.mailing(mailing).duration = 5

    @rule(wanted=arguments)
    def another_airflow_launches_under_the_same_names(self, wanted):
        self.owner, self.trying = "staging", (-1, wanted)
        self.sandbox.faults.clear()
        staging = self._dag_run("store", "")
        before = len(self.told)
        end = staging.try_it(wanted.operator(wait_for_completion=False))
        assert end.green == (len(self.told) > before), "its first try took another's launch for its own"

    @invariant()
    def a_target_is_launched_at_most_once_for_each_time_it_was_meant_to_be(self):
        told = getattr(self, "told", ())
        launched = [one for one in told if one.owner == "ours" and not one.is_unknowable]
        times = Counter((one.arguments.target, one.generation, one.by) for one in launched)
        assert all(count == 1 for count in times.values()), times

    @invariant()
    def one_request_id_has_one_body_where_records_are_kept(self):
        if getattr(self, "keeping", "nothing kept") != "nothing kept" and not self.was_discarded:
            # What was found to be another's is asked for again with whatever the arguments say by then.
            askers = Counter(request_id for _, request_id in self.bodies)
            shared = self.anothers | {request_id for request_id, count in askers.items() if count > 1}
            own = {key: bodies for key, bodies in self.bodies.items() if key[1] not in shared}
            assert all(len(bodies) == 1 for bodies in own.values()), own


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_any_interleaving_keeps_the_promise():
    play(LaunchMachine, 200)
