"""The threads that send batches, and what happens to requests in flight when a delivery ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftKilled

GRACE = 2.0
"""Seconds that threads have to end once their requests are aborted. SIGKILL follows SIGTERM after 5."""


class Workers:
    """A thread pool without a queue. Use it as a context manager.

    There is never more work than threads: a queue would fill the memory with batches if the source is faster than
    Altcraft. An error is raised once the requests in flight have ended. When the task is killed or out of time, they
    are aborted instead, and a later try finds out by their Request-IDs what became of them.

    :param count: number of threads.
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
        # Airflow's timeout, and what it raises on SIGTERM, are BaseExceptions.
        if error is not None and (isinstance(error, AltcraftKilled) or not isinstance(error, Exception)):
            self._abort_all()
            return
        try:
            self._pool.shutdown(cancel_futures=error is not None)
        except BaseException:
            # Killed while waiting for an orderly end.
            self._abort_all()
            raise

    def wait_for_one(self) -> None:
        """Wait until a thread is free. Raises the error of earlier work, if any."""
        if len(self._running) >= self._count:
            self._next()

    def submit(self, work: Callable[..., None], *args: Any) -> None:
        """Run work in a free thread."""
        self._running.add(self._pool.submit(work, *args))

    def finish(self) -> None:
        """Wait until all work is done. Raises its error, if any."""
        while self._running:
            self._next()

    def _next(self) -> None:
        done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()

    def _abort_all(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._abort()
        # Let the threads end before the caller closes what they write to, such as the ledger.
        wait(self._running, timeout=GRACE)
