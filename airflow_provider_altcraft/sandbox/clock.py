"""The sandbox's clock: real time at a chosen speed, and jumps."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that tests can move.

    :param start: the time it starts at; now by default.
    :param speed: seconds per real second; at 0 it stands still until ``advance``.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        self._speed = speed
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()
        self._advanced = 0.0
        self._lock = threading.Lock()

    @property
    def speed(self) -> float:
        """Seconds per real second, from now on."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        now = time.monotonic()
        with self._lock:
            self._advanced += (now - self._began) * self._speed
            self._began, self._speed = now, speed

    def now(self) -> datetime:
        """The current time, in UTC."""
        with self._lock:
            passed = (time.monotonic() - self._began) * self._speed + self._advanced
        return self._start + timedelta(seconds=passed)

    def advance(self, seconds: float) -> None:
        """Move the clock by this many seconds at once."""
        with self._lock:
            self._advanced += seconds
