"""Whether our run of a mailing is over, according to its log. Pure.

The log has starts and ends but does not name runs, and runs may overlap. So the wait is over once there is a start that
is, or may be, ours, and every run overlapping it has ended: if the log cannot tell runs apart, the later end counts. An
end without a start belongs to a run that began before the part of the log that was read, and is ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_altcraft.api.mailing_log import STARTS_KEPT, LogMark, RunEvent
from airflow_provider_altcraft.api.states import moment_of

LONGEST_RUN = timedelta(hours=6)
"""A run that started before ours and has no end after this time is assumed to have crashed."""


@dataclass(frozen=True, slots=True)
class RunState:
    """What the log says about our run.

    :param started: when it started; ``None`` if no start of ours has been seen.
    :param open: start times of the runs without an end, possibly including ours.
    :param finished: the last end of a run that overlapped ours.
    :param is_error: whether such an end was logged at level ERROR.
    """

    started: datetime | None = None
    open: tuple[datetime, ...] = ()
    finished: datetime | None = None
    is_error: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it and all overlapping runs have ended."""
        return self.started is not None and self.finished is not None and not self.open


@dataclass(frozen=True, slots=True)
class RunsBefore:
    """A summary of the log before the position it is read from, so that it need not be read again.

    :param open: start times of the runs without an end by then, and whether each is ours.
    :param started: when ours started, if it had.
    :param finished: the last end after that.
    :param is_error: whether such an end was logged at level ERROR.
    """

    open: tuple[tuple[datetime, bool], ...] = ()
    started: datetime | None = None
    finished: datetime | None = None
    is_error: bool = False

    @classmethod
    def of(cls, mark: LogMark | None) -> RunsBefore:
        """From a mark: all its runs are not ours."""
        found = [moment_of(start) for start in mark.open] if mark is not None else []
        return cls(tuple((moment, False) for moment in found if moment is not None))

    def to_dict(self) -> dict[str, Any]:
        """Compact JSON; ``from_dict`` reads it back."""
        values: dict[str, Any] = {
            "open": [[moment.isoformat(), is_ours] for moment, is_ours in self.open[-STARTS_KEPT:]],
            "started": self.started.isoformat() if self.started else None,
            "finished": self.finished.isoformat() if self.finished else None,
            "is_error": self.is_error,
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunsBefore:
        """Read what ``to_dict`` wrote."""
        found = [(moment_of(moment), is_ours) for moment, is_ours in values.get("open") or ()]
        return cls(
            tuple((moment, is_ours) for moment, is_ours in found if moment is not None),
            moment_of(values.get("started")),
            moment_of(values.get("finished")),
            bool(values.get("is_error")),
        )


def runs_after(
    events: Iterable[RunEvent], since: datetime, mark: LogMark | None, before: RunsBefore = RunsBefore()
) -> RunsBefore:
    """Update a summary of the log with further starts and ends.

    :param events: in the order of the log.
    :param since: without a mark, starts from this time on are ours.
    :param mark: starts that it does not name are ours, whatever the clocks say.
    :param before: the summary before the first event.
    """
    known = mark.known if mark is not None else Counter[datetime]()
    open_runs = list(before.open)
    started, finished, is_error = before.started, before.finished, before.is_error
    for event in sorted(events, key=lambda event: event.moment):
        if event.kind == "start":
            if mark is None:
                is_ours = event.moment >= since
            else:
                is_ours = known[event.moment] <= 0
                known[event.moment] -= 1
            open_runs.append((event.moment, is_ours))
            started = started or (event.moment if is_ours else None)
        elif open_runs:
            # Pair an end with the latest start: if one of two runs crashed, the older stays open until it expires.
            open_runs.pop()
            if started is not None:
                finished, is_error = event.moment, is_error or event.is_error
    return RunsBefore(tuple(open_runs), started, finished, is_error)


def run_state(
    events: Iterable[RunEvent],
    since: datetime,
    mark: LogMark | None,
    now: datetime | None,
    before: RunsBefore | None = None,
) -> RunState:
    """What the starts and ends in the log say about our run; see ``runs_after``.

    :param now: the time on the server's clock, by which older runs expire.
    :param before: the summary before the first event; by default, that of the mark.
    """
    after = runs_after(events, since, mark, before or RunsBefore.of(mark))
    remaining = tuple(moment for moment, is_ours in after.open if is_ours or now is None or now - moment < LONGEST_RUN)
    return RunState(after.started, remaining, after.finished, after.is_error)
