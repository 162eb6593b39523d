"""Answers that end in time.

The timeouts of requests and urllib3 are those of each read, so a server that sends a byte now and then would hold a
worker for ever. Here, all reads of an answer, its head included, share one deadline.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socket import socket

    from urllib3 import HTTPConnectionPool, PoolManager


@dataclass(slots=True)
class Limit:
    """How long the next answer may take.

    :param seconds: from the end of the request to the end of the answer; ``None`` for no limit.
    """

    seconds: float | None = None


def keep(manager: PoolManager, limit: Limit) -> PoolManager:
    """Make the answers of all connections of a pool manager keep a limit."""
    manager.pool_classes_by_scheme = {
        scheme: _keeping(pool, limit) for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


def _keeping(pool: type[HTTPConnectionPool], limit: Limit) -> type[HTTPConnectionPool]:
    """The same kind of pool, but for what its connections make of an answer."""

    def answer(sock: socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        response = HTTPResponse(sock, *args, **kwargs)
        if limit.seconds is not None:
            stream = _Reads(response.fp.detach(), sock, time.monotonic() + limit.seconds)
            response.fp = io.BufferedReader(stream)
        return response

    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": staticmethod(answer)})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Reads(io.RawIOBase):
    """Reads from a connection until a moment, and not after it."""

    def __init__(self, stream: Any, sock: socket, end: float) -> None:
        self._stream = stream
        self._sock = sock
        self._end = end

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("The time for the answer is over.")
        # The connection serves other answers, and requests, after this one.
        before = self._sock.gettimeout()
        self._sock.settimeout(left)
        try:
            return self._stream.readinto(buffer)  # type: ignore[no-any-return]
        finally:
            self._sock.settimeout(before)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
