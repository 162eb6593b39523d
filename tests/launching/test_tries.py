"""What Airflow says of earlier tries, and of when a DAG run began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from airflow_provider_altcraft.launching.earliest import earliest
from airflow_provider_altcraft.launching.tries import Tries
from tests.contexts import context

EVER = datetime.min.replace(tzinfo=UTC)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)
AN_HOUR = timedelta(hours=1)
LATE = NOON + timedelta(days=9)

OF_AIRFLOW_3 = {"run_after": NOON, "logical_date": NOON - A_DAY, "data_interval_end": NOON}
OF_AIRFLOW_2 = {"logical_date": NOON - A_DAY, "data_interval_end": NOON}
BY_HAND_ON_2 = {"logical_date": NOON + AN_HOUR, "data_interval_end": NOON}


@pytest.mark.parametrize(
    ("run", "is_cleared", "since", "run_since"),
    [
        # Where nobody cleared anything, the start of the run is exact, however late it came.
        ({**OF_AIRFLOW_3, "start_date": LATE}, False, LATE, NOON),
        ({**OF_AIRFLOW_2, "start_date": LATE}, False, LATE, NOON),
        # A clear moves it, and when the run was queued.
        ({**OF_AIRFLOW_3, "start_date": LATE, "queued_at": LATE}, True, NOON, NOON),
        ({**OF_AIRFLOW_2, "start_date": LATE, "queued_at": LATE}, True, NOON - A_DAY, NOON),
        ({**BY_HAND_ON_2, "start_date": LATE}, True, NOON, NOON + AN_HOUR),
        # A timetable of one's own may have runs begin before their interval ends.
        ({**OF_AIRFLOW_2, "start_date": NOON - AN_HOUR}, False, NOON - AN_HOUR, NOON - AN_HOUR),
        # Airflow 3 may know no logical date; and nothing but the start, which a clear moves, says nothing.
        ({"run_after": NOON, "logical_date": None, "start_date": LATE}, True, NOON, NOON),
        ({"start_date": LATE}, True, EVER, None),
        ({"start_date": LATE}, False, LATE, None),
        ({"run_after": NOON}, False, EVER, NOON),
        ({}, False, EVER, None),
    ],
)
def test_no_try_came_before(run, is_cleared, since, run_since):
    ti = {"try_number": 3, "max_tries": 5 if is_cleared else 3}
    tries = Tries.before({**context(**ti), "dag_run": SimpleNamespace(**run)}, retries=3)
    assert (tries.cleared, tries.since, tries.run_since) == (is_cleared, since, run_since)


@pytest.mark.parametrize(
    ("ti", "relaunch", "first", "cleared"),
    [
        ({"try_number": 1, "max_tries": 3}, False, True, False),
        ({"try_number": 2, "max_tries": 3}, False, False, False),
        # A clear after two tries with three retries: max_tries becomes 5.
        ({"try_number": 3, "max_tries": 5}, False, False, True),
        # One that launches again leaves what was before it behind.
        ({"try_number": 3, "max_tries": 5}, True, True, False),
        ({"try_number": 4, "max_tries": 5}, True, False, False),
    ],
)
def test_what_airflow_says_of_earlier_tries(ti, relaunch, first, cleared):
    tries = Tries.before(context(**ti), retries=3, relaunch_on_clear=relaunch)
    assert (tries.since is None, tries.cleared) == (first, cleared)


@pytest.mark.parametrize("skew", [timedelta(), timedelta(minutes=-1), timedelta(days=-30)])
@pytest.mark.parametrize(
    ("started", "bound"),
    [
        (None, timedelta(days=-1)),
        (timedelta(hours=-2), timedelta(hours=-2)),
        (timedelta(days=-9), timedelta(days=-1)),
        (timedelta(hours=1), timedelta(days=-1)),
    ],
)
def test_a_replay_is_no_older_than_the_run_by_altcrafts_clock_and_than_its_memory(started, bound, skew):
    here = datetime.now(UTC)
    run = SimpleNamespace(start_date=None if started is None else here + started)
    found = earliest({"dag_run": run}, now=here + skew, window=86_400)
    assert abs(found - (here + skew + bound)) < timedelta(seconds=5)


@pytest.mark.parametrize("name", ["run_after", "data_interval_end"])
def test_after_a_clear_the_earliest_moment_is_when_the_run_was_due_and_not_when_it_was_cleared(name):
    now = datetime.now(UTC)
    due = now - timedelta(hours=2)
    run = SimpleNamespace(start_date=now - timedelta(seconds=5), clear_number=1, **{name: due})
    assert abs(earliest({"dag_run": run}, now=now, window=86_400) - due) < timedelta(seconds=1)


def test_after_a_clear_the_earliest_moment_of_a_run_by_hand_on_airflow_2_is_its_logical_date():
    now = datetime.now(UTC)
    run = SimpleNamespace(
        start_date=now, clear_number=1, logical_date=now - AN_HOUR, data_interval_end=now - timedelta(hours=9)
    )
    assert abs(earliest({"dag_run": run}, now=now, window=86_400) - (now - AN_HOUR)) < timedelta(seconds=1)
