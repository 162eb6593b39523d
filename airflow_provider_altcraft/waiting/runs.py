"""Whether our run of a mailing is over, by the log. Pure.

The log names no runs: a start is followed by an end, and runs may overlap. So the wait is over when a start was seen
that is ours, or may be, and every run that was going on with it has ended: where the log cannot tell runs apart, the
later end counts. An end without a start before it belongs to a run that began before the log was read, and is nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_altcraft.api.mailing_log import LogMark, RunEvent

LONGEST_RUN = timedelta(hours=6)
"""A run that began before ours and has no end after so long is taken for one that crashed."""


@dataclass(frozen=True, slots=True)
class RunState:
    """What the log says of our run.

    :param started: when it started; ``None`` if no start of ours was seen.
    :param open: when the runs started that have no end yet, ours perhaps among them.
    :param finished: the last end of a run that was going on with ours.
    :param is_error: whether such an end was logged at level ERROR.
    """

    started: datetime | None = None
    open: tuple[datetime, ...] = ()
    finished: datetime | None = None
    is_error: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and all that overlapped it."""
        return self.started is not None and self.finished is not None and not self.open


def run_state(events: Iterable[RunEvent], since: datetime, mark: LogMark | None, now: datetime | None) -> RunState:
    """Read the starts and ends of the log.

    :param events: in the order of the log.
    :param since: where there is no mark, a start at this moment or later is ours.
    :param mark: a start that it does not name is ours, whatever the clocks say.
    :param now: the server's clock; decides which older runs have crashed.
    """
    known = mark.known if mark is not None else Counter[datetime]()
    open_runs: list[tuple[datetime, bool]] = []
    started = finished = None
    is_error = False
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
            # The latest start: of two runs one of which has crashed, the older remains, and grows too old.
            open_runs.pop()
            if started is not None:
                finished, is_error = event.moment, is_error or event.is_error
    remaining = tuple(moment for moment, is_ours in open_runs if is_ours or now is None or now - moment < LONGEST_RUN)
    return RunState(started, remaining, finished, is_error)
