"""Mailings and their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_altcraft.sandbox.deliveries import Deliveries, Launch


@dataclass(slots=True)
class Run:
    """One run of a mailing. Its messages are sent at an even pace from start to end.

    :param level: the level at which its end is logged.
    :param is_lost: whether its end is never logged.
    """

    start: datetime
    end: datetime
    launch: Launch
    level: str = "INFO"
    is_lost: bool = False

    def stop(self, moment: datetime, deliveries: Deliveries) -> None:
        """End it at a moment, if it is running then: what is still queued is not sent (CONTRACT 5.4)."""
        if self.start <= moment < self.end:
            share = (moment - self.start) / (self.end - self.start)
            deliveries.truncate(self.launch, int(self.launch.recipients * share))
            self.end = moment


@dataclass(slots=True)
class Mailing:
    """A broadcast, a regular or a trigger mailing.

    :param duration: seconds a run takes.
    :param delay: seconds after its launch at which a run starts.
    :param durations: seconds a run takes for another audience, by the id of that audience.
    :param end_level: the level at which the ends of its runs are logged.
    :param chatter: how many extra entries each run logs at its start.
    """

    mailing_id: int
    kind: str
    name: str
    is_active: bool
    data_type: str
    data_id: int
    duration: float
    stored: dict[str, Any] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    delay: float = 0.0
    end_level: str = "INFO"
    chatter: int = 0
    durations: dict[str, float] = field(default_factory=dict)

    def duration_for(self, source_id: int | None) -> float:
        """Seconds that a run for an audience takes; ``None`` is the mailing's own audience."""
        return self.durations.get(str(source_id), self.duration)

    def running(self, now: datetime) -> bool:
        """Whether a run is in progress."""
        return any(run.start <= now < run.end for run in self.runs)

    def stop(self, moment: datetime, deliveries: Deliveries) -> None:
        """End the runs in progress at a moment."""
        for run in self.runs:
            run.stop(moment, deliveries)

    def log(self, now: datetime, *, ahead: float = 0.0, in_whole_seconds: bool = False) -> list[dict[str, Any]]:
        """The log of the mailing up to now (CONTRACT 5.2).

        :param ahead: seconds that its clock is ahead.
        """
        entries: list[tuple[datetime, str, str, str]] = []
        for run in self.runs:
            if run.start > now:
                continue
            entries += [(run.start, "start", "Sending started", "INFO"), (run.start, "", "Audience selected", "INFO")]
            entries += [(run.start, "", f"Part {number} queued", "DEBUG") for number in range(self.chatter)]
            if run.end <= now and not run.is_lost:
                entries.append((run.end, "end", "Sending finished", run.level))
        return [
            {
                "level": level,
                "message": message,
                "state": state,
                "time": _logged(moment + timedelta(seconds=ahead), in_whole_seconds=in_whole_seconds),
                "value": "",
            }
            for moment, state, message, level in sorted(entries, key=lambda entry: entry[0])
        ]


def _logged(moment: datetime, *, in_whole_seconds: bool) -> str:
    return (moment.replace(microsecond=0) if in_whole_seconds else moment).isoformat()
