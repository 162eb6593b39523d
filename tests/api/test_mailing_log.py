"""The log of a mailing is read whole, however its pages fall, and a mark tells later starts from earlier ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.mailing_log import LOG, LogMark, LogPaginator, entries, mark_of, starts_since
from airflow_provider_altcraft.api.protocol import Reply
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
