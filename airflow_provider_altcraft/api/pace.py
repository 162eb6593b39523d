"""Keeping to ``max_requests_per_second``: when the next request may leave."""

from __future__ import annotations

import threading
import time


class Pace:
    """Hands out moments to send at, evenly spaced; and a pause that holds everybody.

    Shared by all threads of a client, so several requests in flight keep one pace together.

    :param per_second: requests per second; 0 = no limit.
    """

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def delay(self) -> float:
        """Seconds to wait before sending now. Takes the moment it names."""
        now = time.monotonic()
        with self._lock:
            moment = max(now, self._next)
            self._next = moment + self._gap
        return moment - now

    def pause(self, seconds: float) -> None:
        """Let nobody send for so many seconds: ``Retry-After`` is meant for all senders, not for one."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
