"""A wait for a mailing is over at the end of our run, whoever else runs it and whatever the clocks say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.mailing_log import LogMark, RunEvent
from airflow_provider_altcraft.waiting.runs import LONGEST_RUN, RunsBefore, run_state, runs_after

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def start(seconds):
    return RunEvent(at(seconds), "start")


def end(seconds, *, is_error=False):
    return RunEvent(at(seconds), "end", is_error)


def mark(*starts, since=0):
    return LogMark(at(since).isoformat(), at(-86_400).isoformat(), tuple(at(one).isoformat() for one in starts))


def state_of(*events, known=(), since=0, now=None, marked=True):
    moment = now or max((event.moment for event in events), default=NOON)
    return run_state(events, at(since), mark(*known, since=since) if marked else None, moment)


def test_it_is_over_when_our_run_has_ended():
    assert not state_of().is_over
    assert not state_of(start(1)).is_over
    assert state_of(start(1), end(5)).finished == at(5)


def test_the_end_of_a_run_that_was_going_on_is_not_ours():
    assert not state_of(start(-60), end(10), known=[-60]).is_over
    assert not state_of(start(-60), end(10), start(11), known=[-60]).is_over
    assert state_of(start(-60), end(10), start(11), end(20), known=[-60]).is_over


def test_where_runs_overlap_the_later_end_counts():
    events = [start(-60), start(1), end(10)]
    assert not state_of(*events, known=[-60]).is_over
    assert state_of(*events, end(30), known=[-60]).finished == at(30)


def test_of_three_runs_over_three_segments_the_last_end_counts_for_each():
    events = [start(1), start(2), start(3), end(10), end(11)]
    for known in ([], [1], [1, 2]):
        assert not state_of(*events, known=known).is_over
        assert state_of(*events, end(12), known=known).finished == at(12)


def test_an_end_without_a_start_is_nobodys():
    assert not state_of(end(1)).is_over
    assert not state_of(end(1), start(2)).is_over
    assert not state_of(end(1), marked=False).is_over


@pytest.mark.parametrize("seconds", [0, 2])
def test_a_clock_that_is_ahead_and_a_run_shorter_than_that_change_nothing(seconds):
    # The clock of the answers is 20 s ahead of the log's.
    assert state_of(start(-100), end(-90), start(-20), end(-20 + seconds), known=[-100]).is_over


def test_without_a_mark_only_a_start_from_the_moment_on_is_ours():
    assert not state_of(start(-10), end(5), marked=False).is_over
    assert state_of(start(0), end(5), marked=False).is_over
    assert not state_of(start(-10), start(1), end(5), marked=False).is_over


def test_a_run_that_crashed_long_ago_does_not_block_for_ever():
    events = [start(-3_600), start(1), end(10)]
    soon = at(-3_600) + LONGEST_RUN - timedelta(seconds=1)
    assert not state_of(*events, known=[-3_600], now=soon).is_over
    late = at(-3_600) + LONGEST_RUN
    assert state_of(*events, known=[-3_600], now=late).finished == at(10)


def test_a_run_that_crashed_before_others_ended_well_is_the_one_that_grows_old():
    events = [start(-8 * 3_600), start(-3_600), end(-3_000), start(1), end(10)]
    assert state_of(*events, known=[-8 * 3_600, -3_600]).is_over


def test_our_own_run_never_grows_too_old():
    assert not state_of(start(1), now=at(7 * 86_400)).is_over


def test_an_end_at_level_error_is_said():
    assert state_of(start(1), end(5, is_error=True)).is_error
    assert not state_of(start(-9), end(-5, is_error=True), start(1), end(5), known=[-9]).is_error


RUNS = st.tuples(st.integers(-3_000, 3_000), st.integers(0, 2_000))


def log_of(runs):
    events = [start(begin) for begin, _ in runs] + [end(begin + took) for begin, took in runs]
    return sorted(events, key=lambda event: (event.moment, event.kind == "end"))


@given(
    others=st.lists(st.tuples(st.integers(-3_000, 0), st.integers(0, 5_000)), max_size=8),
    ours=st.tuples(st.integers(1, 500), st.integers(0, 2_000)),
    skew=st.integers(-100, 100),
)
def test_while_our_run_goes_on_it_is_never_over(others, ours, skew):
    known = [begin for begin, _ in others]
    before = [event for event in log_of([*others, ours]) if event.moment < at(sum(ours))]
    assert not state_of(*before, known=known, since=skew).is_over


@given(others=st.lists(RUNS, max_size=8), ours=RUNS, skew=st.integers(-100, 100))
def test_when_all_runs_have_ended_it_is_over(others, ours, skew):
    known = [begin for begin, _ in others if begin <= ours[0]]
    found = state_of(*log_of([*others, ours]), known=known, since=skew)
    assert found.is_over
    assert found.finished >= at(sum(ours))


@given(others=st.lists(RUNS, max_size=8), ours=RUNS, cut=st.integers(-3_000, 5_000))
def test_it_does_not_matter_where_a_wait_was_interrupted(others, ours, cut):
    events, marked = log_of([*others, ours]), mark(*[begin for begin, _ in others if begin <= ours[0]])
    for known in (marked, None):
        before = runs_after([event for event in events if event.moment < at(cut)], NOON, known)
        carried = RunsBefore.from_dict(json.loads(json.dumps(before.to_dict())))
        rest = [event for event in events if event.moment >= at(cut)]
        assert run_state(rest, NOON, known, at(5_000), carried) == run_state(events, NOON, known, at(5_000))


def test_a_run_that_its_mark_names_as_going_on_is_waited_for():
    marked = replace(mark(), open=(at(-3_600).isoformat(),))
    assert not run_state([start(1), end(10)], at(0), marked, at(10)).is_over
    assert run_state([start(1), end(10), end(20)], at(0), marked, at(20)).finished == at(20)
