"""The log of a mailing (``campaigns/log_v2``, CONTRACT 5.2): read all of it, and mark the position before a launch.

The log does not name runs and has no pointer to the next page; whether ``from_time`` is inclusive, and its precision,
are not documented. So pages overlap, and entries seen before are discarded by counting them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress
from typing import Any, Literal

from airflow_provider_altcraft.api.endpoints import endpoint
from airflow_provider_altcraft.api.pagination import USUAL_LIMIT, items_of
from airflow_provider_altcraft.api.parameters import written
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.request import encode
from airflow_provider_altcraft.api.states import moment_of, normalize_status
from airflow_provider_altcraft.exceptions import AltcraftError

LOG = "campaigns/log_v2"
LARGEST_PAGE = 1_000_000
"""Largest page to request if one second has more entries than a page."""
GROWN_PAGE = 10_000
"""Largest page after the first for lenient readers: a long log takes fewer calls."""
PAGES_AT_ONCE = 200
"""Maximum pages that lenient readers read in a row: the rest is left to the next poll."""
PAGE_OVERLAP = timedelta(seconds=1)
LATE_ENTRIES = timedelta(minutes=5)
"""How much later than its timestamp an entry may be written."""
LOOKBACK = timedelta(days=1)
"""How far before a launch the log is read, to find the runs in progress then."""
STARTS_KEPT = 200
"""Maximum starts in a mark."""

EndpointCall = Callable[[str, dict[str, Any]], Reply]
"""Calls an endpoint with parameters."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """The start or end of a run of the mailing, according to its log.

    :param moment: the time, by the log's clock.
    :param kind: which of the two.
    :param is_error: whether it is logged at level ERROR.
    """

    moment: datetime
    kind: Literal["start", "end"]
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the log.

    :param size: how many entries it has.
    :param entries: those from the requested time on.
    :param keys: a key for each of them.
    :param moments: the time of each of them.
    :param total: the server's count; 0 if it gives none.
    :param is_descending: whether it starts with the newest entry.
    """

    size: int
    entries: list[dict[str, Any]]
    keys: list[bytes]
    moments: list[datetime | None]
    total: int
    is_descending: bool

    @classmethod
    def of(cls, reply: Reply, since: datetime | None) -> _Page:
        """:param since: discard entries from before: a server may ignore ``from_time``."""
        found = [entry for entry in items_of(reply) if isinstance(entry, dict)]
        moments = [moment_of(entry.get("time")) for entry in found]
        kept = [since is None or moment is None or moment >= since for moment in moments]
        return cls(
            len(found),
            list(compress(found, kept)),
            [encode(entry) for entry in compress(found, kept)],
            list(compress(moments, kept)),
            reply.total_count or 0,
            _is_descending(moments),
        )

    @property
    def last(self) -> datetime | None:
        """The time of its newest entry."""
        return max((moment for moment in self.moments if moment is not None), default=None)


class LogPaginator:
    """Reads the log page by page, continuing as it grows. It says what to request and is handed the answers.

    Each answer either moves it to a later time, makes it request a larger page, or is the last. So a server that
    ignores parameters costs only a few calls.

    :param params: of ``campaigns/log_v2``.
    :param is_lenient: skip the rest of a second that has more entries than the server returns at once, instead of
        failing; and request ever larger pages, up to a maximum number of them (``is_behind``).
    :param overlap: how far to go back before the last entry once the end is reached: entries of a log that is still
        being written need not arrive in order.
    """

    def __init__(
        self, params: Mapping[str, Any], *, is_lenient: bool = False, overlap: timedelta = PAGE_OVERLAP
    ) -> None:
        self._asked: dict[str, Any] = {"limit": USUAL_LIMIT, **written(endpoint(LOG), params)}
        self._limit = int(self._asked["limit"] or USUAL_LIMIT)
        self._since = moment_of(self._asked.get("from_time"))
        self._from = self._since
        self._is_lenient = is_lenient
        self._overlap = overlap
        self._known: Counter[bytes] = Counter()
        self._previous = -1
        self._taken = 0
        self._first_total = 0
        self._pages = 0
        self.has_more = True
        self.is_behind = False
        """Whether reading stopped before the end of the log; the next poll continues there."""

    @property
    def params(self) -> dict[str, Any]:
        """The parameters for the next page."""
        return dict(self._asked)

    @property
    def position(self) -> datetime | None:
        """The time before which all entries have been read."""
        return self._from

    def take(self, reply: Reply) -> list[dict[str, Any]]:
        """Take an answer and move on. Returns its entries that have not been seen before.

        :raises AltcraftError: if there are more entries than can be requested.
        """
        self._pages = self._pages + 1 if self.has_more else 1
        # Entries before the caller's own from_time may be new, those before a time chosen here are not.
        page = _Page.of(reply, self._from if self._from != self._since else None)
        fresh = self._fresh(page)
        self._taken += len(fresh)
        self._first_total = self._first_total or page.total
        self.has_more = self._goes_on(page)
        self._step(page, brings_more=bool(fresh))
        self.is_behind = self._is_lenient and self.has_more and self._pages >= PAGES_AT_ONCE
        self.has_more = self.has_more and not self.is_behind
        return fresh

    def _step(self, page: _Page, *, brings_more: bool) -> None:
        """Choose what to request next: from a later time, if the page leads to one, or else a larger page."""
        last = page.last
        is_later = last is not None and brings_more and not page.is_descending and self._advances(last)
        if last is not None and (is_later or not self.has_more):
            self._move_on(last, page)
        elif self.has_more:
            self._widen(page)

    def _goes_on(self, page: _Page) -> bool:
        """Whether there may be more after a page."""
        if page.size >= int(self._asked["limit"]) or page.size < page.total:
            return page.size > 0
        # Without a count, a server that caps its pages looks like the end of the log.
        is_widened = self._previous >= 0
        return not page.total and page.size >= self._limit and (self._is_lenient or not is_widened)

    def _fresh(self, page: _Page) -> list[dict[str, Any]]:
        known, fresh = self._known, []
        for entry, key in zip(page.entries, page.keys, strict=True):
            if known[key] > 0:
                known[key] -= 1
            else:
                fresh.append(entry)
        return fresh

    def _start_after(self, last: datetime) -> datetime:
        # Between consecutive pages a short overlap will do; a long one could fill the whole page.
        start = last - (PAGE_OVERLAP if self.has_more else self._overlap)
        return start if self._since is None else max(start, self._since)

    def _advances(self, last: datetime) -> bool:
        return self._from is None or self._start_after(last) > self._from

    def _move_on(self, last: datetime, page: _Page) -> None:
        start = self._start_after(last)
        seen = Counter(key for moment, key in zip(page.moments, page.keys, strict=True) if (moment or start) >= start)
        if self._from is not None and start < self._from:
            # The page only had entries of the overlap.
            start = self._from
            seen = Counter(page.keys)
        limit = self._limit
        if self.has_more and self._is_lenient:
            limit = max(limit, min(GROWN_PAGE, int(self._asked["limit"]) * 10))
        self._ask(start, limit, seen)

    def _ask(self, start: datetime, limit: int, known: Counter[bytes]) -> None:
        self._from = start
        self._asked |= {"from_time": start.isoformat(), "limit": limit}
        self._known, self._previous = known, -1

    def _widen(self, page: _Page) -> None:
        """Request the same with a larger limit; if that brings no more, there is no more to get."""
        limit = int(self._asked["limit"])
        if self._is_end(page):
            self.has_more = False
            return
        if page.size > self._previous and limit < LARGEST_PAGE:
            self._previous = page.size
            self._known += Counter(page.keys)
            self._asked["limit"] = min(LARGEST_PAGE, limit * 10)
            return
        if self._limit < page.size < limit and page.size >= page.total:
            # The server does return larger pages, so this is all.
            self.has_more = False
            return
        if not self._is_lenient:
            raise AltcraftError(
                f"{LOG}: there are more entries than fit on a page, and a request from the time of the last one brings"
                " no others. Use a larger limit."
            )
        self.has_more = page.last is not None and page.size >= self._limit
        if page.last is not None and self.has_more:
            self._go_past(page.last, page)

    def _go_past(self, last: datetime, page: _Page) -> None:
        """Request without an overlap; if that has been done, skip the rest of that second."""
        if self._from is None or last > self._from:
            seen = Counter(key for moment, key in zip(page.moments, page.keys, strict=True) if (moment or last) >= last)
            self._ask(last, self._limit, seen)
        else:
            self._ask(last + PAGE_OVERLAP, self._limit, Counter())

    def _is_end(self, page: _Page) -> bool:
        """Whether only the count suggests that there is more: it may be a count of the whole log."""
        all_taken = self._taken >= page.total
        if page.size < self._limit:
            return self._since is not None or all_taken
        return all_taken and 0 < page.total == self._first_total and page.size < int(self._asked["limit"])


def entries(call: EndpointCall, params: Mapping[str, Any], *, is_lenient: bool = False) -> Iterator[dict[str, Any]]:
    """All entries of the log from a time on, each once.

    :param params: of ``campaigns/log_v2``; ``limit`` is the page size.
    :param is_lenient: see ``LogPaginator``.
    :raises AltcraftError: if there are more entries than can be requested, or a call fails.
    """
    paginator = LogPaginator(params, is_lenient=is_lenient)
    while paginator.has_more:
        yield from paginator.take(call(LOG, paginator.params))
    if paginator.is_behind:
        raise AltcraftError(f"{LOG}: the log does not end within {PAGES_AT_ONCE} pages.")


def run_event(entry: Mapping[str, Any]) -> RunEvent | None:
    """The start or end of a run that an entry logs; ``None`` for other entries, or if its time cannot be read."""
    state, moment = normalize_status(entry.get("state")), moment_of(entry.get("time"))
    if moment is None or state not in {"start", "end"}:
        return None
    kind: Literal["start", "end"] = "start" if state == "start" else "end"
    return RunEvent(moment, kind, normalize_status(entry.get("level")) == "error")


@dataclass(frozen=True, slots=True)
class LogMark:
    """The position in a mailing's log just before a launch. A start that it does not list came later, by any clock.

    :param since: the time when the mark was taken, by the server's clock, RFC 3339.
    :param read_from: the time to read the log from later, by its own clock, RFC 3339.
    :param starts: the times of the starts from there on, RFC 3339, one for each.
    :param open: the times of earlier starts whose runs were still in progress there.
    """

    since: str
    read_from: str
    starts: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The mark as JSON; ``from_dict`` reads it back."""
        values = {"since": self.since, "read_from": self.read_from, "starts": list(self.starts)}
        return {**values, "open": list(self.open)} if self.open else values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LogMark:
        """Read what ``to_dict`` wrote."""
        starts, open_starts = (tuple(values.get(name) or ()) for name in ("starts", "open"))
        return cls(values["since"], values["read_from"], starts, open_starts)

    @property
    def known(self) -> Counter[datetime]:
        """The times of the starts before the mark, and how many at each."""
        return Counter(moment for start in self.starts if (moment := moment_of(start)) is not None)


def mark_of(call: EndpointCall, mailing_id: int, server_time: datetime) -> LogMark:
    """Mark the current position in the log, before a launch.

    :param server_time: the time on the server's clock.
    :raises AltcraftError: if the log cannot be read.
    """
    begin = server_time - LOOKBACK
    events, last = _events_since(call, mailing_id, begin)
    # Use the log's own clock, unless it is far ahead.
    read_from = begin if last is None else max(begin, min(last, server_time) - LATE_ENTRIES)
    starts = [start for start in _starts(events) if start >= read_from]
    if len(starts) > STARTS_KEPT:
        starts = starts[-STARTS_KEPT:]
        # Do not read from before the starts that the mark lists: unlisted ones would count as later.
        starts = [start for start in starts if start > starts[0]] or starts
        read_from = starts[0]
    going_on = open_starts(event for event in events if event.moment < read_from)
    return LogMark(
        server_time.isoformat(),
        read_from.isoformat(),
        tuple(map(datetime.isoformat, starts)),
        tuple(map(datetime.isoformat, going_on[-STARTS_KEPT:])),
    )


def open_starts(events: Iterable[RunEvent]) -> list[datetime]:
    """The starts without an end. An end is paired with the latest open start."""
    found: list[datetime] = []
    for event in sorted(events, key=lambda event: event.moment):
        if event.kind == "start":
            found.append(event.moment)
        elif found:
            found.pop()
    return found


def starts_since(call: EndpointCall, mailing_id: int, mark: LogMark) -> list[datetime]:
    """The starts after a mark, by the log's clock, in order.

    :raises AltcraftError: if the log cannot be read.
    """
    read_from = moment_of(mark.read_from) or datetime.fromisoformat(mark.since)
    events, _ = _events_since(call, mailing_id, read_from)
    known = mark.known
    later = []
    for start in _starts(events):
        if known[start] > 0:
            known[start] -= 1
        else:
            later.append(start)
    return later


def _starts(events: Iterable[RunEvent]) -> list[datetime]:
    return sorted(event.moment for event in events if event.kind == "start")


def _events_since(call: EndpointCall, mailing_id: int, since: datetime) -> tuple[list[RunEvent], datetime | None]:
    """The starts and ends from a time on, and the time of the newest entry of any kind."""
    # It is not documented whether from_time is inclusive: ask from a little earlier.
    params = {"id": mailing_id, "from_time": (since - PAGE_OVERLAP).isoformat()}
    events, last = [], None
    for entry in entries(call, params, is_lenient=True):
        moment, event = moment_of(entry.get("time")), run_event(entry)
        last = max(last or moment, moment) if moment is not None else last
        if event is not None and event.moment >= since:
            events.append(event)
    return events, last


def _is_descending(moments: list[datetime | None]) -> bool:
    """Whether a page starts with the newest entry."""
    known = [moment for moment in moments if moment is not None]
    return bool(known) and known[0] > known[-1]
