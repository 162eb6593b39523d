"""Keeping to ``max_requests_per_second``, and to ``Retry-After``: when the next request may leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

LONGEST_SILENCE = 300.0
"""Seconds. A server that asks for more is asked again then: one answer must not silence a client for a day."""


class RateLimiter:
    """Hands out moments to send at, evenly spaced; and a pause that holds everybody.

    Shared by all threads of a client, so several requests in flight keep one rate together.

    :param per_second: requests per second; 0 = no limit.
    """

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._until = 0.0
        self._lock = threading.Lock()

    def delays(self) -> Iterator[float]:
        """Seconds to wait before sending: once, and again if a pause began while they were waited for."""
        moment = self._take()
        yield moment - time.monotonic()
        while moment < self._until:
            moment = self._take()
            yield moment - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Let nobody send for so many seconds: ``Retry-After`` is meant for all senders, not for one.

        :param seconds: cut at ``LONGEST_SILENCE``.
        """
        with self._lock:
            self._until = max(self._until, time.monotonic() + min(seconds, LONGEST_SILENCE))
            self._next = max(self._next, self._until)

    def _take(self) -> float:
        """The next moment, which nobody else is given."""
        with self._lock:
            moment = max(time.monotonic(), self._next)
            self._next = moment + self._gap
        return moment
