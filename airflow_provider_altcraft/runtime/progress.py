"""How far a delivery is, for people and for metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.report import Report


class Progress:
    """Tells how far a delivery is, at a human pace.

    :param log: takes a line.
    """

    FIRST: ClassVar[float] = 5.0
    LONGEST: ClassVar[float] = 60.0

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._begun = self._told = time.monotonic()
        self._pause = self.FIRST
        self._rows = 0

    def __call__(self, report: Report, in_flight: int) -> None:
        """A batch was answered."""
        now = time.monotonic()
        if now - self._told < self._pause:
            return
        rate = (report.sent - self._rows) / (now - self._told)
        self._told, self._rows = now, report.sent
        # A long run needs fewer lines, not one every five seconds all night.
        self._pause = min(self.LONGEST, self._pause * 1.25)
        self._log(
            f"{report.read:,} rows read, {report.sent:,} sent, {rate:,.0f} rows/s; {report.accepted:,} accepted,"
            f" {report.rejected:,} rejected, {report.skipped:,} skipped; {report.requests:,} requests,"
            f" {in_flight} in flight; {now - self._begun:,.0f} s"
        )


def measure(report: Report, destination: Any) -> None:
    """Count in Airflow's metrics, with the destination as a tag.

    They are ``altcraft.requests``, and ``altcraft.rows.`` with ``read``, ``skipped``, ``accepted`` and ``rejected``.
    """
    from airflow.providers.common.compat.sdk import Stats

    tags = {"destination": type(destination).__name__}
    for name in ("read", "skipped", "accepted", "rejected"):
        Stats.incr(f"altcraft.rows.{name}", getattr(report, name), tags=tags)
    Stats.incr("altcraft.requests", report.requests, tags=tags)
