"""Obey ``max_requests_per_second`` and ``Retry-After``: when the next request may be sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

LONGEST_SILENCE = 300.0
"""Maximum seconds to pause, whatever the server asks for: a single answer must not silence a client for a day."""


class RateLimiter:
    """Hands out evenly spaced times to send at, and a pause that holds everybody.

    Shared by all threads of a client, which keep the rate together.

    :param per_second: requests per second; 0 = no limit.
    """

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._until = 0.0
        self._lock = threading.Lock()

    def delays(self) -> Iterator[float]:
        """Seconds to wait before sending: once, and again if a pause began in the meantime."""
        moment = self._take()
        yield moment - time.monotonic()
        while moment < self._until:
            moment = self._take()
            yield moment - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Hold all senders: ``Retry-After`` is not meant for one of them only.

        :param seconds: at most ``LONGEST_SILENCE`` are obeyed.
        """
        with self._lock:
            self._until = max(self._until, time.monotonic() + min(seconds, LONGEST_SILENCE))
            self._next = max(self._next, self._until)

    def _take(self) -> float:
        """Reserve the next time to send at."""
        with self._lock:
            moment = max(time.monotonic(), self._next)
            self._next = moment + self._gap
        return moment
