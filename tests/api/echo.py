"""A server on loopback that takes any request, remembers it as it came, and answers what it is told to."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

DONE = {"error": 0, "error_text": "", "data": None}


@dataclass
class Arrived:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        return {name: value for name, (value,) in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Echo:
    """What arrived, and what is answered: JSON, or bytes, or one after another."""

    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    answers: list = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    dribble: float = 0
    """Seconds between the bytes of an answer."""
    dribbles_head: bool = False
    """Whether those of its head come like that, too."""
    reading: float = 0
    """Seconds between the blocks of 100 KB in which a request is read."""

    @property
    def last(self):
        return self.arrived[-1]

    def next_answer(self):
        answer = self.answers.pop(0) if self.answers else DONE
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def reset(self):
        self.arrived.clear()
        self.answers.clear()
        self.status = 200
        self.headers.clear()
        self.dribble, self.dribbles_head, self.reading = 0, False, 0


def blocks_of(file, size, pause):
    """The body of a request, with pauses."""
    while size > 0:
        time.sleep(pause)
        block = file.read(min(size, 100_000) if pause else size)
        yield block
        size -= len(block) or size


@contextmanager
def echoing():
    """The server, for as long as the block lasts."""
    echo = Echo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = b"".join(blocks_of(self.rfile, int(self.headers.get("Content-Length", 0)), echo.reading))
            echo.arrived.append(Arrived(self.command, self.path, dict(self.headers), body))
            answer = echo.next_answer()
            self.send_response(echo.status)
            self.send_header("Content-Length", str(len(answer)))
            for name, value in echo.headers.items():
                self.send_header(name, value)
            if echo.dribbles_head:
                head, self._headers_buffer = b"".join(self._headers_buffer), []
                self.dribble(head + b"\r\n")
            else:
                self.end_headers()
            self.dribble(answer)

        def dribble(self, said):
            if not echo.dribble:
                self.wfile.write(said)
                return
            for byte in said:
                self.wfile.write(bytes([byte]))
                time.sleep(echo.dribble)

        def do_GET(self):
            self.do_POST()

        def log_message(self, *args):
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """A client that hung up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    # Else the system would take megabytes of a request before anybody reads it.
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    server.daemon_threads = True
    echo.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield echo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
