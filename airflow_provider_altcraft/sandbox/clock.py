"""The sandbox's own time: real time at a chosen speed, and steps forward at will."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that tests can move.

    :param start: the first moment; now unless it is given.
    :param speed: seconds per real second; 0 stands still until ``advance``.
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
        """The moment, in UTC."""
        with self._lock:
            passed = (time.monotonic() - self._began) * self._speed + self._advanced
        return self._start + timedelta(seconds=passed)

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        with self._lock:
            self._advanced += seconds
