"""urllib3 connections that send in blocks, have one deadline for the whole answer, and can be aborted from outside.

urllib3's timeouts apply to each read and each write. So a server that sends a byte now and then would hold a worker
forever, and a body of many megabytes, a single write, would have to be sent within the timeout of one.
"""

from __future__ import annotations

import io
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import HTTPConnectionPool, PoolManager

BLOCK = 1 << 16
"""Bytes of a request sent at a time."""


class Aborted(Exception):
    """The exchange was aborted."""


class SendTimeout(TimeoutError):
    """The other side accepted no data of a request for too long."""


@dataclass(slots=True)
class Exchange:
    """Controls the request and answer in progress in one thread.

    :param aborted: returns whether to abort.
    :param send_timeout: seconds within which each block of a request must be accepted.
    :param answer_timeout: seconds from the end of the request to the end of the answer; ``None`` for no limit.
    """

    aborted: Callable[[], bool]
    send_timeout: float
    answer_timeout: float | None = None
    _socket: Any = field(init=False, default=None)

    def hold(self, sock: Any) -> None:
        """Remember the socket in use.

        :raises Aborted: if it must no longer be used.
        """
        self._socket = sock
        self.check()

    def check(self) -> None:
        """Stop if the exchange was aborted.

        :raises Aborted: if it was.
        """
        # Checked after the socket is remembered, while abort() sets the flag before it looks for sockets: whichever
        # comes first, no socket is missed.
        if self.aborted():
            raise Aborted

    def release(self) -> None:
        """Forget the socket."""
        self._socket = None

    def shut(self) -> None:
        """Shut down the connection in use, which wakes its thread. Callable from any thread and signal handlers."""
        sock = self._socket
        if sock is None:
            return
        # Through a duplicate descriptor: shutting down a TLS socket would change it under the thread reading from it.
        with suppress(OSError, ValueError), socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)


def controlled_by(manager: PoolManager, exchange: Exchange) -> PoolManager:
    """Put all connections of a pool manager under the control of an exchange."""
    manager.pool_classes_by_scheme = {
        scheme: _pool_class(pool, exchange) for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


def _pool_class(pool: type[HTTPConnectionPool], exchange: Exchange) -> type[HTTPConnectionPool]:
    connection = type(pool.ConnectionCls.__name__, (_Connection, pool.ConnectionCls), {"exchange": exchange})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Connection:
    """A mixin for urllib3's connection classes."""

    exchange: Exchange

    def send(self: Any, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        self.exchange.hold(self.sock)
        if not isinstance(data, bytes) or self.sock is None:
            super().send(data)  # type: ignore[misc]
            return
        view = memoryview(data)
        before = self.sock.gettimeout()
        self.sock.settimeout(self.exchange.send_timeout)
        try:
            for start in range(0, len(view), BLOCK):
                self.exchange.check()
                super().send(view[start : start + BLOCK])  # type: ignore[misc]
        except TimeoutError as error:
            raise SendTimeout("The other side accepted no data of the request.") from error
        finally:
            self.sock.settimeout(before)

    def response_class(self: Any, sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
        response = HTTPResponse(sock, *args, **kwargs)
        seconds = self.exchange.answer_timeout
        if seconds is not None:
            stream = _TimedReads(response.fp.detach(), sock, time.monotonic() + seconds)
            response.fp = io.BufferedReader(stream)
        return response


class _TimedReads(io.RawIOBase):
    """Reads from a connection until a deadline."""

    def __init__(self, stream: Any, sock: socket.socket, end: float) -> None:
        self._stream = stream
        self._sock = sock
        self._end = end

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def readinto(self, buffer: Any) -> int | None:
        # Set the time left for the whole answer: a fixed timeout would start again with every byte.
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("The time for the answer is over.")
        # Restore the timeout afterwards: the connection is reused for other requests.
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
