"""The log of a mailing is read whole, however its pages fall, and a mark tells later starts from earlier ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api import mailing_log
from airflow_provider_altcraft.api.mailing_log import (
    LOG,
    LogMark,
    LogPaginator,
    entries,
    mark_of,
    starts_since,
)
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.exceptions import AltcraftError

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def entry(seconds, state="", number=0):
    moment = (NOON + timedelta(seconds=seconds)).isoformat()
    return {"level": "INFO", "message": f"{number}", "state": state, "time": moment, "value": ""}


class Log:
    """A log behind the endpoint, with the freedoms that the documents leave."""

    def __init__(self, log, *, largest=10**9, inclusive=True, newest_first=False, total="matching"):
        self.log = log
        self.largest, self.inclusive, self.newest_first, self.total = largest, inclusive, newest_first, total
        self.calls = 0

    def __call__(self, name, params):
        assert name == LOG
        self.calls += 1
        assert self.calls < 500, "it loops"
        since = datetime.fromisoformat(params["from_time"]) if "from_time" in params else None
        found = [
            one
            for one in sorted(self.log, key=lambda one: one["time"], reverse=self.newest_first)
            if since is None
            or (moment := datetime.fromisoformat(one["time"])) > since
            or (self.inclusive and moment == since)
        ]
        page = found[: min(params["limit"], self.largest)]
        total = {"matching": len(found), "whole": len(self.log), "none": None}[self.total]
        return Reply(LOG, page, total_count=total)


def sorted_by_time(log):
    return sorted(log, key=lambda one: (one["time"], one["message"]))


@given(
    log=st.lists(st.integers(0, 12), max_size=60),
    limit=st.integers(1, 8),
    total=st.sampled_from(["matching", "whole", "none"]),
    since=st.sampled_from([None, 0, 5]),
)
def test_each_entry_is_read_once_however_the_pages_fall(log, limit, total, since):
    log = [entry(second, number=number) for number, second in enumerate(log)]
    params = {"id": 7, "limit": limit}
    if since is not None:
        params["from_time"] = (NOON + timedelta(seconds=since)).isoformat()
        wanted = [one for one in log if one["time"] >= params["from_time"]]
    else:
        wanted = log
    # Where a count of the whole log cannot be told from one of what matches, an export fails rather than be cut.
    for lenient in {True, since is not None and total == "whole"}:
        found = list(entries(Log(log, total=total), params, is_lenient=lenient))
        assert sorted_by_time(found) == sorted_by_time(wanted)


@given(count=st.integers(0, 60), limit=st.integers(2, 9))
def test_a_log_that_begins_with_the_newest_is_read_whole(count, limit):
    log = [entry(second, number=second) for second in range(count)]
    found = list(entries(Log(log, newest_first=True), {"id": 7, "limit": limit}))
    assert sorted_by_time(found) == sorted_by_time(log)


@given(log=st.lists(st.integers(0, 12), max_size=60), limit=st.integers(3, 9))
def test_a_from_time_that_is_exclusive_loses_nothing(log, limit):
    log = [entry(second, number=number) for number, second in enumerate(log)]
    found = list(entries(Log(log, inclusive=False), {"id": 7, "limit": limit}))
    assert sorted_by_time(found) == sorted_by_time(log)


def test_more_entries_in_one_second_than_a_page_holds_are_read():
    log = [entry(0, number=number) for number in range(2_500)] + [entry(1, "end")]
    server = Log(log)
    assert len(list(entries(server, {"id": 7}))) == 2_501
    assert server.calls < 6


def test_a_server_that_gives_no_more_is_an_error_for_an_export_and_gone_past_by_a_wait():
    log = [entry(0, number=number) for number in range(2_500)] + [entry(30, "end")]
    with pytest.raises(AltcraftError, match="larger limit"):
        list(entries(Log(log, largest=1_000), {"id": 7}))
    found = list(entries(Log(log, largest=1_000), {"id": 7}, is_lenient=True))
    assert found[-1] == log[-1]


@given(rounds=st.lists(st.lists(st.integers(0, 3), max_size=20), max_size=8), limit=st.integers(2, 8))
def test_a_log_that_grows_is_followed_without_reading_an_entry_twice(rounds, limit):
    server = Log([])
    paginator = LogPaginator({"id": 7, "limit": limit}, is_lenient=True, overlap=timedelta(minutes=5))
    found, second, number = [], 0, 0
    for seconds in rounds:
        for passed in seconds:
            second, number = second + passed, number + 1
            server.log.append(entry(second, number=number))
        found += paginator.take(server(LOG, paginator.params))
        while paginator.has_more:
            found += paginator.take(server(LOG, paginator.params))
    assert sorted_by_time(found) == sorted_by_time(server.log)


def same_again(count, *, total=None, per_call=10**9):
    """A server that gives the same entries, whatever moment it is asked from."""
    log = [entry(number / 1_000, number=number) for number in range(count)]
    return lambda name, params: Reply(name, log[: min(params["limit"], per_call)], total_count=total)


def always_new(name, params):
    """A server whose every answer is full of new entries."""
    number = next(NUMBERS)
    return Reply(name, [entry(0, number=f"{number}-{place}") for place in range(1_000)])


def always_later(name, params):
    """A server that has entries at every moment, to the end of time."""
    since = (datetime.fromisoformat(params["from_time"]) - NOON).total_seconds()
    return Reply(name, [entry(since + place, number=next(NUMBERS)) for place in range(1_000)])


NUMBERS = count(1)


class Counted:
    def __init__(self, answer):
        self.calls, self._answer = 0, answer

    def __call__(self, name, params):
        self.calls += 1
        assert self.calls < 500, "it loops"
        return self._answer(name, params)


@pytest.mark.parametrize(
    "answer",
    [
        same_again(1_000, total=5_000),
        same_again(1_000),
        same_again(1_000, total=1_000),
        same_again(5_000, per_call=1_000),
        same_again(500, total=9 * 10**9),
        same_again(5_000, total=5_000),
        always_new,
    ],
)
def test_a_server_that_ignores_what_it_is_asked_for_costs_few_calls(answer):
    server = Counted(answer)
    list(entries(server, {"id": 7, "from_time": (NOON - timedelta(minutes=1)).isoformat()}, is_lenient=True))
    assert server.calls < 12
    server.calls = 0
    mark_of(server, 7, NOON + timedelta(minutes=1))
    assert server.calls < 12
    # A wait asks again and again.
    paginator = LogPaginator({"id": 7, "from_time": NOON.isoformat()}, is_lenient=True, overlap=timedelta(minutes=5))
    for _ in range(5):
        server.calls = 0
        paginator.take(server(LOG, paginator.params))
        while paginator.has_more:
            paginator.take(server(LOG, paginator.params))
        assert server.calls < 12


@pytest.mark.parametrize("answer", [same_again(1_000, total=5_000), same_again(5_000, total=5_000, per_call=1_000)])
def test_an_export_from_such_a_server_fails_rather_than_be_cut(answer):
    server = Counted(answer)
    with pytest.raises(AltcraftError, match="larger limit"):
        list(entries(server, {"id": 7}))
    assert server.calls < 12


def test_a_log_without_an_end_is_left_to_the_next_walk_by_a_wait_and_is_no_mark(monkeypatch):
    monkeypatch.setattr(mailing_log, "PAGES_AT_ONCE", 9)
    paginator = LogPaginator({"id": 7, "from_time": NOON.isoformat()}, is_lenient=True)
    for _ in range(2):
        calls, before = 0, paginator.position or NOON
        while calls == 0 or paginator.has_more:
            calls += 1
            paginator.take(always_later(LOG, paginator.params))
        assert calls == 9
        assert paginator.is_behind
        assert (paginator.position or NOON) > before
    with pytest.raises(AltcraftError, match="does not end"):
        mark_of(Counted(always_later), 7, NOON)


@pytest.mark.parametrize("total", ["matching", "whole", "none"])
def test_a_long_log_takes_few_calls_of_a_wait(total):
    server = Log([entry(-number / 2, number=number) for number in range(20_000)], total=total)
    assert len(list(entries(server, {"id": 7, "from_time": entry(-86_400)["time"]}, is_lenient=True))) == 20_000
    assert server.calls <= 5


@given(
    log=st.lists(st.integers(0, 12), max_size=60),
    largest=st.integers(3, 9),
    total=st.sampled_from(["matching", "none"]),
)
def test_a_server_whose_pages_do_not_grow_is_read_whole_unless_a_second_holds_more(log, largest, total):
    log = [entry(second, number=number) for number, second in enumerate(log)]
    params = {"id": 7, "limit": largest, "from_time": entry(0)["time"]}
    found = list(entries(Log(log, largest=largest, total=total), params, is_lenient=True))
    full = {one["time"] for one in log if sum(one["time"] == other["time"] for other in log) > largest}
    if not full:
        assert sorted_by_time(found) == sorted_by_time(log)
    assert all(found.count(one) == 1 for one in found)


def test_an_entry_that_is_written_late_is_still_read():
    server = Log([entry(0), entry(100)])
    paginator = LogPaginator({"id": 7}, is_lenient=True, overlap=timedelta(minutes=5))
    paginator.take(server(LOG, paginator.params))
    server.log.append(entry(60, "end"))
    assert paginator.take(server(LOG, paginator.params)) == [entry(60, "end")]


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"]
)
def test_a_time_at_the_end_of_the_calendar_is_none(time):
    odd, server = {**entry(0, "start"), "time": time}, Log([entry(-5, "start")])

    def answer(name, params):
        reply = server(name, params)
        return Reply(name, [odd, *reply.data], total_count=reply.total_count)

    assert list(entries(answer, {"id": 7})) == [odd, entry(-5, "start")]
    assert mark_of(answer, 7, NOON).starts == ((NOON - timedelta(seconds=5)).isoformat(),)
    paginator = LogPaginator({"id": 7}, overlap=timedelta(minutes=5))
    assert paginator.take(Reply(LOG, [odd])) == [odd]


def test_a_start_after_the_mark_is_told_from_those_before_it_by_any_clock():
    server = Log([entry(-3_600, "start"), entry(-3_000, "end"), entry(-5, "start")])
    # The clock of the answers is 20 s ahead of the log's.
    mark = mark_of(server, 7, NOON + timedelta(seconds=20))
    assert starts_since(server, 7, mark) == []
    server.log.append(entry(-5, "start", number=2))
    assert starts_since(server, 7, mark) == [NOON - timedelta(seconds=5)]
    assert LogMark.from_dict(mark.to_dict()) == mark


def test_a_mark_of_a_mailing_that_starts_all_the_time_stays_small():
    server = Log([entry(-second, "start") for second in range(1, 3_001)])
    mark = mark_of(server, 7, NOON)
    assert len(mark.starts) < 300
    assert starts_since(server, 7, mark) == []
    server.log.append(entry(0, "start"))
    assert starts_since(server, 7, mark) == [NOON]


def test_behind_a_mark_no_more_of_the_log_is_read_than_late_entries_need():
    log = [entry(-number, number=number) for number in range(80_000)]
    server = Log([*log, entry(-50_000, "start"), entry(-200, "start")])
    mark = mark_of(server, 7, NOON)
    assert server.calls <= 12
    assert mark.open == (entry(-50_000)["time"],)
    assert mark.starts == (entry(-200)["time"],)
    assert LogMark.from_dict(mark.to_dict()) == mark
    server.calls = 0
    server.log.append(entry(1, "start"))
    assert starts_since(server, 7, mark) == [NOON + timedelta(seconds=1)]
    assert server.calls == 1


def test_an_entry_of_the_far_future_does_not_hide_what_comes_after_a_mark():
    server = Log([entry(-10, "start"), entry(10**9)])
    mark = mark_of(server, 7, NOON)
    server.log.append(entry(2, "start"))
    assert starts_since(server, 7, mark) == [NOON + timedelta(seconds=2)]


def test_a_mark_of_an_earlier_release_is_understood():
    values = {"since": NOON.isoformat(), "read_from": entry(-86_400)["time"], "starts": [entry(-60)["time"]]}
    mark = LogMark.from_dict(values)
    assert starts_since(Log([entry(-60, "start"), entry(0, "start")]), 7, mark) == [NOON]
    assert mark.to_dict() == values
