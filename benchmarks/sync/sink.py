"""An Altcraft that takes every profile: it counts the rows of a body and answers each of them, and does no more.

A batch is answered after the latency, which stands for the work on its profiles; whatever else is asked, at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import cast
from urllib.request import urlopen

from benchmarks.sync.rows import COLUMNS

ROOT = Path(__file__).parents[2]
METHOD = "profiles/import_batch"
KEY = b'"email":'
"""Occurs once in each profile, however the JSON is spaced, and nowhere else in a body."""
FIELDS = [{"name": name} for name in COLUMNS]
"""What the operator hears when it asks which fields the database has."""


@dataclass
class Tally:
    """What came in.

    :param requests: that brought rows.
    """

    rows: int = 0
    requests: int = 0
    other_requests: int = 0
    body_bytes: int = 0
    open_requests: int = 0
    most_open_requests: int = 0


class Connection(asyncio.Protocol):
    """One connection of a client, kept alive. Bodies have a length; no client here sends chunks."""

    def __init__(self, tally: Tally, latency: float) -> None:
        self._tally = tally
        self._latency = latency
        self._received = bytearray()
        self._target = b""
        self._missing: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect a request; answer when it is whole."""
        self._received += data
        while self._missing is not None or self._read_head():
            assert self._missing is not None
            if len(self._received) < self._missing:
                return
            rows, size = self._received.count(KEY, 0, self._missing), self._missing
            del self._received[:size]
            self._missing = None
            self._answer(rows, size)

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        line, *headers = bytes(self._received[:end]).split(b"\r\n")
        del self._received[: end + 4]
        self._target = line.split(b" ")[1]
        lengths = [value for name, _, value in (header.partition(b":") for header in headers) if _is_length(name)]
        self._missing = int(lengths[0]) if lengths else 0
        if self._target.endswith(METHOD.encode()):
            self._tally.open_requests += 1
            self._tally.most_open_requests = max(self._tally.most_open_requests, self._tally.open_requests)
        return True

    def _answer(self, rows: int, size: int) -> None:
        tally = self._tally
        if self._target == b"/tally":
            self._transport.write(_response(json.dumps(asdict(tally)).encode()))
            for field in fields(tally):
                setattr(tally, field.name, 0)
        elif not self._target.endswith(METHOD.encode()):
            tally.other_requests += 1
            self._transport.write(_response(json.dumps({"error": 0, "error_text": "", "data": FIELDS}).encode()))
        else:
            self._count(rows, size)

    def _count(self, rows: int, size: int) -> None:
        tally = self._tally
        tally.rows += rows
        tally.requests += 1
        tally.body_bytes += size
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._accept, rows)
        else:
            self._accept(rows)

    def _accept(self, rows: int) -> None:
        self._tally.open_requests -= 1
        self._transport.write(_accepted(rows))


def _is_length(name: bytes) -> bool:
    return name.lower() == b"content-length"


@cache
def _accepted(rows: int) -> bytes:
    """The answer to a batch of so many rows, all of them taken."""
    items = [{"error": 0, "error_text": "", "profile_id": f"{number:024x}"} for number in range(rows)]
    body = {"error": 0, "error_text": "", "result": items}
    return _response(json.dumps(body, separators=(",", ":")).encode())


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def sink(latency: float) -> Iterator[str]:
    """A sink in a process of its own, while the context lasts; its URL."""
    command = [sys.executable, "-m", __name__, "--latency", str(latency)]
    # It ends with its standard input, so it does not outlive us however we end.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def take_tally(url: str) -> Tally:
    """What a sink has counted since it was asked last."""
    with urlopen(f"{url}/tally") as answer:
        return Tally(**json.load(answer))


async def _serve(latency: float) -> None:
    tally = Tally()
    _accepted(10_000)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(tally, latency), "127.0.0.1", 0)
    print("http://{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0, help="seconds until a batch is answered")
    uvloop.run(_serve(parser.parse_args().latency))
