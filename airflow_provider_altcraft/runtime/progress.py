"""The progress of a delivery, in the log and in metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.report import Report


class Progress:
    """Logs the progress of a delivery, every 5 seconds at first and less often later.

    :param log: called with each line.
    """

    FIRST: ClassVar[float] = 5.0
    LONGEST: ClassVar[float] = 60.0

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._begun = self._told = time.monotonic()
        self._pause = self.FIRST
        self._rows = 0

    def __call__(self, report: Report, in_flight: int) -> None:
        """Log the progress after a batch, if it is time to."""
        now = time.monotonic()
        if now - self._told < self._pause:
            return
        rate = (report.sent - self._rows) / (now - self._told)
        self._told, self._rows = now, report.sent
        # A run of hours does not need a line every five seconds.
        self._pause = min(self.LONGEST, self._pause * 1.25)
        self._log(
            f"{report.read:,} rows read, {report.sent:,} sent, {rate:,.0f} rows/s; {report.accepted:,} accepted,"
            f" {report.rejected:,} rejected, {report.skipped:,} skipped; {report.requests:,} requests,"
            f" {in_flight} in flight; {now - self._begun:,.0f} s"
        )


def measure(report: Report, destination: Any) -> None:
    """Count in Airflow's metrics, tagged with the destination.

    They are ``altcraft.requests`` and ``altcraft.rows.{read,skipped,accepted,rejected}``.
    """
    from airflow.providers.common.compat.sdk import Stats

    tags = {"destination": type(destination).__name__}
    for name in ("read", "skipped", "accepted", "rejected"):
        Stats.incr(f"altcraft.rows.{name}", getattr(report, name), tags=tags)
    Stats.incr("altcraft.requests", report.requests, tags=tags)
