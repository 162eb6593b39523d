"""Mailings and their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider_altcraft.sandbox.deliveries import Deliveries, Launch


@dataclass(slots=True)
class Run:
    """One time a mailing goes out. Its messages leave evenly from start to end."""

    start: datetime
    end: datetime
    launch: Launch

    def stop(self, moment: datetime, deliveries: Deliveries) -> None:
        """End it at a moment, if it is going on then: what is still queued is not sent (CONTRACT 5.4)."""
        if self.start <= moment < self.end:
            share = (moment - self.start) / (self.end - self.start)
            deliveries.cut(self.launch, int(self.launch.recipients * share))
            self.end = moment


@dataclass(slots=True)
class Mailing:
    """A broadcast, a regular or a trigger mailing.

    :param duration: seconds a run takes.
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

    def running(self, now: datetime) -> bool:
        """Whether a run is going on."""
        return any(run.start <= now < run.end for run in self.runs)

    def stop(self, moment: datetime, deliveries: Deliveries) -> None:
        """End what is going on at a moment."""
        for run in self.runs:
            run.stop(moment, deliveries)

    def log(self, now: datetime) -> list[dict[str, Any]]:
        """The log of the mailing up to now (CONTRACT 5.2)."""
        entries: list[tuple[datetime, str, str]] = []
        for run in self.runs:
            entries += [(run.start, "start", "Sending started"), (run.start, "", "Audience selected")]
            if run.end <= now:
                entries.append((run.end, "end", "Sending finished"))
        return [
            {"level": "INFO", "message": message, "state": state, "time": moment.isoformat(), "value": ""}
            for moment, state, message in sorted(entries, key=lambda entry: entry[0])
        ]
