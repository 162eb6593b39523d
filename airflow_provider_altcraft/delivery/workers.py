"""The threads that send batches: what is in flight when a delivery ends, well or not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftKilled

GRACE = 2.0
"""Seconds that threads have to end in, once their requests were given up. SIGKILL follows SIGTERM after 5."""


class Workers:
    """So many threads, and no more work than that. Use it as a context manager.

    An error is raised when the requests in flight have ended. Being killed, or out of time, waits for none of them:
    they are given up, and a later try finds out by their Request-IDs what became of them.

    :param count: of threads.
    :param abort: makes the requests in flight end at once.
    """

    def __init__(self, count: int, abort: Callable[[], None]) -> None:
        self._count = count
        self._abort = abort
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="altcraft")
        self._running: set[Future[None]] = set()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Airflow's timeout is no Exception, nor is what it raises for SIGTERM.
        if error is not None and (isinstance(error, AltcraftKilled) or not isinstance(error, Exception)):
            self._give_up()
            return
        try:
            self._pool.shutdown(cancel_futures=error is not None)
        except BaseException:
            self._give_up()
            raise

    def wait_for_one(self) -> None:
        """Wait until a thread is free. Raises the error of earlier work, if it had one."""
        if len(self._running) >= self._count:
            self._next()

    def submit(self, work: Callable[..., None], *args: Any) -> None:
        """Have work done."""
        self._running.add(self._pool.submit(work, *args))

    def finish(self) -> None:
        """Wait until all work is done. Raises its error, if it had one."""
        while self._running:
            self._next()

    def _next(self) -> None:
        done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()

    def _give_up(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._abort()
        # What they write to is closed next.
        wait(self._running, timeout=GRACE)
