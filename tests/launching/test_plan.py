"""What a try does about a launch, given what earlier tries left: one row for each rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_altcraft.launching.identity import Launch
from airflow_provider_altcraft.launching.plan import EPOCH, Memory, Probe, Resume, Send, Stop, plan
from airflow_provider_altcraft.launching.record import LaunchRecord, Stage, hidden_print, kept_params
from airflow_provider_altcraft.launching.tries import Tries

START = "campaigns/broadcasts/start"
UPDATE = "campaigns/deactivate"
COUNT = "segments/refresh_counters"
HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
BEFORE, LONG_BEFORE = NOW - HOUR, NOW - 25 * HOUR
MAX_TRIES = 3


def mailing(number=101, content="A", segment=None):
    params = {"id": number, "content": content, "override_source_id": segment}
    return Launch(START, params, about=("id",), reaches=("override_source_id",))


def person(name="ann"):
    return Launch("campaigns/triggers/start", {"id": 9, "email": name}, about=("id", "email"), private=("email",))


def state(active="yes"):
    return Launch(UPDATE, {"id": 7, "abort_if_running": active}, is_idempotent=True)


def count(name="A"):
    return Launch(COUNT, {"name": name}, is_repeatable=True)


def kept(launch, stage=Stage.SENT, *, began=BEFORE, max_tries=MAX_TRIES, fault=False):
    """What was kept of a launch."""
    moment = "" if began is None else began.isoformat()
    return LaunchRecord(
        "id", 0, launch.endpoint, launch.subject, launch.target, launch.content, **kept_params(launch),
        hidden=hidden_print(launch), began=moment, last=moment, max_tries=max_tries, stage=stage, fault=fault,
    )  # fmt: skip


def answered(launch, **how):
    return kept(launch, Stage.ANSWERED, **how)


def refused(launch, **how):
    return kept(launch, Stage.REFUSED, **how)


def foreign(launch, **how):
    return kept(launch, Stage.FOREIGN, **how)


LARGE = "x" * 20_000
BEFORE_A_CLEAR = {"max_tries": 1}
MAILING = mailing()
ANOTHER = mailing(102)
OTHER_CONTENT = mailing(content="B")
OTHER_AUDIENCE = mailing(segment=5)

FIRST_TRY = Tries(max_tries=MAX_TRIES)
RETRY = Tries(since=BEFORE, max_tries=MAX_TRIES)
LATE_RETRY = Tries(since=LONG_BEFORE, max_tries=MAX_TRIES)
CLEARED = Tries(since=BEFORE, cleared=True, max_tries=MAX_TRIES)

RECORDS_ARE_COMPLETE = {"is_complete": True}
MAPPED = {"is_complete": True, "is_mapped": True}
REDONE = {"is_complete": True, "is_redone_on_clear": True}
NOBODY_REMEMBERS = {"is_complete": True, "window": 0}

SENT, SENT_LONG_AGO = kept(MAILING), kept(MAILING, began=LONG_BEFORE)
FAULT, OLD_FAULT = kept(MAILING, fault=True), kept(MAILING, began=LONG_BEFORE, fault=True)


def row(sentence, launch, records, tries, expected, how=RECORDS_ARE_COMPLETE):
    return pytest.param(launch, records, tries, how, expected, id=sentence)


ROWS = [
    # Nothing is known.
    row("a first try sends", MAILING, [], FIRST_TRY, Send()),
    row("a first try without records sends", MAILING, [], FIRST_TRY, Send(), {}),
    row("a retry whose records show nothing sends, and knows that nothing was sent", MAILING, [], RETRY, Send()),
    row("a retry without records repeats what may have been sent", MAILING, [], RETRY, Send(None, BEFORE), {}),
    row("… and stops where Altcraft has forgotten", MAILING, [], LATE_RETRY, Probe(None, LONG_BEFORE, None), {}),
    row("… or never remembers", MAILING, [], RETRY, Probe(None, BEFORE, None), {"window": 0}),
    row("… but sends what converges at any time", state(), [], LATE_RETRY, Send(None, LONG_BEFORE), {}),
    row("a record of another endpoint is none", MAILING, [answered(state())], RETRY, Send()),
    # A retry means the first try.
    row("a retry takes up what was done", MAILING, [answered(MAILING)], RETRY, Resume(answered(MAILING))),
    row("… whatever it says now", OTHER_CONTENT, [answered(MAILING)], RETRY, Resume(answered(MAILING))),
    row("… even another mailing", ANOTHER, [answered(MAILING)], RETRY, Resume(answered(MAILING))),
    row("… in a mapped list, too", ANOTHER, [answered(MAILING)], RETRY, Resume(answered(MAILING)), MAPPED),
    row("a retry sends again what lost its answer", MAILING, [SENT], RETRY, Send(SENT, BEFORE)),
    row("… as it was", ANOTHER, [SENT], RETRY, Send(SENT, BEFORE)),
    row("… and looks first where Altcraft has forgotten", MAILING, [SENT_LONG_AGO], RETRY,
        Probe(SENT_LONG_AGO, LONG_BEFORE, None)),
    row("… or never remembers", MAILING, [SENT], RETRY, Probe(SENT, BEFORE, None), NOBODY_REMEMBERS),
    row("… or nobody knows when it was sent", MAILING, [kept(MAILING, began=None)], RETRY,
        Probe(kept(MAILING, began=None), EPOCH, None)),
    row("a fault is looked at before it is sent again", MAILING, [FAULT], RETRY,
        Probe(FAULT, BEFORE, Send(FAULT, BEFORE))),
    row("… and never sent again where Altcraft has forgotten", MAILING, [OLD_FAULT], RETRY,
        Probe(OLD_FAULT, LONG_BEFORE, None)),
    row("what was refused is sent", MAILING, [refused(MAILING)], RETRY, Send(refused(MAILING))),
    row("… however long ago", MAILING, [refused(MAILING, began=LONG_BEFORE)], RETRY,
        Send(refused(MAILING, began=LONG_BEFORE))),
    row("… with what it says now", OTHER_CONTENT, [refused(MAILING)], RETRY, Send(refused(MAILING))),
    row("… and another mailing has nothing to do with it", ANOTHER, [refused(MAILING)], RETRY, Send()),
    row("what was another's is asked for anew", MAILING, [foreign(MAILING)], RETRY, Send(foreign(MAILING))),
    # What was begun cannot be sent again as it was.
    row("a person who is not kept cannot be sent to again", person("bob"), [kept(person())], RETRY,
        Probe(kept(person()), BEFORE, None)),
    row("… where nobody knows when, looked for ever since", person("bob"), [kept(person(), began=None)], RETRY,
        Probe(kept(person(), began=None), EPOCH, None)),
    row("… unless it is the same one", person(), [kept(person())], RETRY, Send(kept(person()), BEFORE)),
    row("what converges is sent as it is now", replace(state("no"), private=("abort_if_running",)),
        [kept(replace(state(), private=("abort_if_running",)))], RETRY, Send()),
    row("… or as it was begun", state("no"), [kept(state())], RETRY, Send(kept(state()), BEFORE)),
    row("… long ago, too", state(), [kept(state(), began=LONG_BEFORE)], RETRY,
        Send(kept(state(), began=LONG_BEFORE), LONG_BEFORE)),
    row("what was too large to keep cannot be sent again by a retry", mailing(content=LARGE),
        [kept(mailing(content=LARGE))], RETRY, Probe(kept(mailing(content=LARGE)), BEFORE, None)),
    row("… but a count can", count(LARGE), [kept(count(LARGE))], RETRY, Send()),
    # What harms nobody is done as it is now, unless it was done.
    row("a count that lost its answer counts what it says now", count("B"), [kept(count())], RETRY, Send()),
    row("… and is repeated if that is the same", count(), [kept(count())], RETRY, Send(kept(count()), BEFORE)),
    row("… and one that was answered is taken up", count("B"), [answered(count())], RETRY, Resume(answered(count()))),
    # A clear means what it says.
    row("a clear takes up what was done", MAILING, [answered(MAILING, **BEFORE_A_CLEAR)], CLEARED,
        Resume(answered(MAILING, **BEFORE_A_CLEAR))),
    row("… and sends again what lost its answer", MAILING, [kept(MAILING, **BEFORE_A_CLEAR)], CLEARED,
        Send(kept(MAILING, **BEFORE_A_CLEAR), BEFORE)),
    row("a clear with other content stops", OTHER_CONTENT, [answered(MAILING, **BEFORE_A_CLEAR)], CLEARED,
        Stop(answered(MAILING, **BEFORE_A_CLEAR))),
    row("… though it is not known that the first was done", OTHER_CONTENT, [kept(MAILING, **BEFORE_A_CLEAR)], CLEARED,
        Stop(kept(MAILING, **BEFORE_A_CLEAR))),
    row("… but not if it was refused", OTHER_CONTENT, [refused(MAILING, **BEFORE_A_CLEAR)], CLEARED,
        Send(refused(MAILING, **BEFORE_A_CLEAR))),
    row("a clear with another audience stops", OTHER_AUDIENCE, [answered(MAILING, **BEFORE_A_CLEAR)], CLEARED,
        Stop(answered(MAILING, **BEFORE_A_CLEAR))),
    row("… but not in a mapped list", OTHER_AUDIENCE, [answered(MAILING, **BEFORE_A_CLEAR)], CLEARED, Send(), MAPPED),
    row("… nor if the first was refused", OTHER_AUDIENCE, [refused(MAILING, **BEFORE_A_CLEAR)], CLEARED, Send()),
    row("… and names the last of them", OTHER_AUDIENCE,
        [answered(MAILING, max_tries=0), answered(mailing(segment=6), **BEFORE_A_CLEAR)], CLEARED,
        Stop(answered(mailing(segment=6), **BEFORE_A_CLEAR))),
    row("a clear with another mailing sends it", ANOTHER, [answered(MAILING, **BEFORE_A_CLEAR)], CLEARED, Send()),
    row("… and finds its own among others", MAILING,
        [answered(MAILING, **BEFORE_A_CLEAR), answered(ANOTHER, **BEFORE_A_CLEAR)], CLEARED,
        Resume(answered(MAILING, **BEFORE_A_CLEAR))),
    row("a retry after a clear means the try after the clear", MAILING,
        [answered(MAILING, **BEFORE_A_CLEAR), answered(ANOTHER)], RETRY, Resume(answered(ANOTHER))),
    row("… unless that was refused", MAILING, [answered(MAILING, **BEFORE_A_CLEAR), refused(ANOTHER)], RETRY,
        Resume(answered(MAILING, **BEFORE_A_CLEAR))),
    # A clear that launches again.
    row("a clear that launches again forgets what was before", MAILING, [answered(MAILING, **BEFORE_A_CLEAR)],
        FIRST_TRY, Send(), REDONE),
    row("… and its retry does not", MAILING, [answered(MAILING)], RETRY, Resume(answered(MAILING)), REDONE),
]  # fmt: skip


@pytest.mark.parametrize(("launch", "records", "tries", "how", "expected"), ROWS)
def test_plan(launch, records, tries, how, expected):
    how = {"is_complete": False, "is_mapped": False, "is_redone_on_clear": False, "window": 86_400, **how}
    memory = Memory(how.pop("window"), NOW)
    assert plan(launch, records, tries, memory, **how) == expected


@pytest.mark.parametrize(
    ("window", "age", "is_over"),
    [
        (86_400, timedelta(hours=23), False),
        # Ten minutes early, for clocks that differ and tell whole seconds.
        (86_400, timedelta(seconds=86_400 - 602), False),
        (86_400, timedelta(seconds=86_400 - 601), True),
        # A tenth early where that is less.
        (1_000, timedelta(seconds=898), False),
        (1_000, timedelta(seconds=899), True),
        (0, timedelta(), True),
        (0, timedelta(days=-1), True),
    ],
)
def test_a_memory_is_over_early(window, age, is_over):
    assert Memory(window, NOW).is_over(NOW - age) is is_over


def test_an_earlier_try_is_as_old_as_the_clock_says_that_is_ahead():
    """Airflow says when a try was, and the server's clock may be behind."""
    behind = Memory(86_400, NOW - 12 * HOUR)
    since = Tries(since=datetime.now(UTC) - 24 * HOUR, max_tries=MAX_TRIES)
    how = {"is_complete": False, "is_mapped": False, "is_redone_on_clear": False}
    assert isinstance(plan(MAILING, [], since, behind, **how), Probe)
    # A record is by the server's clock alone.
    record = kept(MAILING, began=since.since)
    assert isinstance(plan(MAILING, [record], since, behind, **how), Send)
