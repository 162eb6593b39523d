"""The protocol over requests, for workers."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from tenacity import Retrying

from airflow_provider_altcraft.api import in_time, protocol
from airflow_provider_altcraft.api.endpoints import Answer, endpoint
from airflow_provider_altcraft.api.pace import Pace
from airflow_provider_altcraft.api.paging import Walk
from airflow_provider_altcraft.api.protocol import Frame, Reply, Request
from airflow_provider_altcraft.api.retrying import retrying
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftRateLimited,
    AltcraftTimeout,
    AltcraftTransportError,
)

PIECE = 1 << 20
"""Bytes of an answer read at a time: requests itself reads 10 KB, a hundredth of the answer to a batch."""


class AltcraftClient:
    """Calls Altcraft's API. Safe to share between threads: each has a pooled session of its own.

    :param settings: where and how.
    :param sleep: how to let seconds pass between attempts.
    """

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self._sleep = sleep
        self._sessions = threading.local()
        self._opened: list[requests.Session] = []
        self._pace = Pace(settings.max_requests_per_second)

    def __repr__(self) -> str:
        return f"AltcraftClient({self.settings.base_url!r})"

    def __enter__(self) -> AltcraftClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the sessions of all threads."""
        while self._opened:
            self._opened.pop().close()
        self._sessions = threading.local()

    def call(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        undocumented: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        attempts: int | None = None,
    ) -> Reply:
        """Call an endpoint and understand its answer.

        :param name: catalogue name, e.g. ``scampaigns/completed``.
        :param params: parameters of the method, without the token, under the API's names or the aliases of the
            catalogue; ``None`` values are left out.
        :param undocumented: parameters that the documentation does not have and this installation does: sent as they
            are. What is documented is refused here.
        :param request_id: names the logical request, so that a repeat is answered from memory (CONTRACT 1.8).
            A write without one is never repeated after its bytes went out.
        :param attempts: tries in all, if not the connection's ``max_attempts``.
        :raises AltcraftConfigurationError: for what the catalogue does not allow; see ``parameters.written``.
        :raises AltcraftError: see ``exceptions``.
        """
        request = protocol.call(endpoint(name), params or {}, self.settings, request_id, undocumented=undocumented)
        return self.send(request, attempts=attempts)

    def frame(self, name: str, params: Mapping[str, Any]) -> Frame:
        """The bytes around the items of a batch (see ``call_batch``)."""
        return protocol.frame_of(endpoint(name), params, self.settings)

    def call_batch(self, name: str, body: bytes, *, request_id: str) -> Reply:
        """Send a batch whose body was joined by ``frame``."""
        return self.send(protocol.request(endpoint(name), body, self.settings, request_id))

    def iterate(
        self, name: str, params: Mapping[str, Any] | None = None, *, undocumented: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """Walk a list endpoint, item by item, over all its pages (CONTRACT 1.6). What has no pages is one page.

        :param undocumented: see ``call``.
        :raises AltcraftError: if there are more pages than the answers lead to.
        :raises AltcraftConfigurationError: for an endpoint that is not a read.
        """
        row = endpoint(name)
        walk = Walk(row, params or {})
        while not walk.over:
            request = protocol.call(row, params or {}, self.settings, undocumented=undocumented, from_id=walk.pointer)
            yield from walk.take(self.send(request))

    def download(
        self,
        file: str,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        *,
        before_block: Callable[[], None] = lambda: None,
    ) -> int:
        """Stream a file that a task made (CONTRACT 8.5), in blocks: memory does not depend on its size.

        :param file: as the result of the task names it: a path, or a URL of the connection's own host.
        :param opened: opens the place for it, anew at each attempt. What it holds of a download that broke off is its
            own to discard: the error passes through.
        :param before_block: called before each block; raises to stop.
        :returns: how many bytes there were.
        :raises AltcraftConfigurationError: for a URL of another host.
        :raises AltcraftError: see ``exceptions``. A web page, or an error of the API's, is not the file.
        """
        path = protocol.path_of_file(file, self.settings)
        request = protocol.call(endpoint("download/{file}"), {"file": path}, self.settings)
        again = Retrying(**retrying(request, self.settings, sleep=self._sleep))
        return again(self._download_once, request, opened, before_block)

    def send(self, request: Request, *, attempts: int | None = None) -> Reply:
        """Send a request, again where that is safe, and understand the answer."""
        return Retrying(**retrying(request, self.settings, attempts, self._sleep))(self._send_once, request)

    def _send_once(self, request: Request) -> Reply:
        self._keep_pace()
        with self._exchange(request) as response:
            return self._read(request, response, b"".join(self._blocks(request, response)))

    def _download_once(
        self,
        request: Request,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        before_block: Callable[[], None],
    ) -> int:
        self._keep_pace()
        with self._exchange(request) as response:
            blocks = self._blocks(request, response)
            before_block()
            head = b""
            for block in blocks:
                head += block
                if len(head) > protocol.LONGEST_REFUSAL:
                    break
            self._read(request, response, head)
            with opened() as place:
                place.write(head)
                size = len(head)
                for block in blocks:
                    before_block()
                    place.write(block)
                    size += len(block)
            return size

    def _keep_pace(self) -> None:
        for delay in self._pace.delays():
            if delay > 0:
                self._sleep(delay)

    def _read(self, request: Request, response: requests.Response, body: bytes) -> Reply:
        try:
            return protocol.read(
                request,
                http_status=response.status_code,
                headers=response.headers,
                body=body,
                settings=self.settings,
            )
        except AltcraftRateLimited as error:
            self._pace.pause(error.retry_after or 0)
            raise

    def _exchange(self, request: Request) -> requests.Response:
        """The answer up to its body."""
        settings, session = self.settings, self._session()
        is_file = request.endpoint.answer is Answer.FILE
        session.limit.seconds = None if is_file else settings.read_timeout
        try:
            return session.request(
                request.endpoint.method,
                request.url,
                params=dict(request.query),
                data=request.body,
                headers=dict(request.headers),
                timeout=(settings.connect_timeout, settings.read_timeout),
                verify=settings.verify,
                # A redirect would carry the token to wherever it points.
                allow_redirects=False,
                stream=True,
            )
        except requests.exceptions.RequestException as error:
            failure = self._failure(request, error)
        # Outside of the handler, so that nothing but what was chosen hangs on it.
        raise failure

    def _blocks(self, request: Request, response: requests.Response) -> Iterator[bytes]:
        """The body of an answer, block by block."""
        try:
            yield from response.iter_content(PIECE)
            _check_length(response)
        except requests.exceptions.RequestException as error:
            failure = self._failure(request, error)
        else:
            return
        raise failure

    def _failure(self, request: Request, error: requests.exceptions.RequestException) -> AltcraftTransportError:
        """What went wrong, in words of our own."""
        settings, name = self.settings, request.endpoint.name
        failure: AltcraftTransportError
        if isinstance(error, requests.exceptions.ConnectTimeout):
            failure = AltcraftTimeout(
                f"{name}: no connection to {settings.base_url} within {settings.connect_timeout:g} s.", sent=False
            )
        elif _timed_out(error):
            failure = AltcraftTimeout(f"{name}: {settings.base_url} did not answer within {settings.read_timeout:g} s.")
        else:
            sent = not _never_connected(error)
            what = "the connection broke" if sent else "no connection"
            failure = AltcraftTransportError(
                f"{name}: {what} to {settings.base_url} ({type(error).__name__}).", sent=sent
            )
        if not request.query:
            # With a token in the URL, the error below quotes it.
            failure.__cause__ = _cause(error)
        return failure

    def _session(self) -> _Session:
        session: _Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = _Session()
            self._opened.append(session)
        return session


class _Session(requests.Session):
    """A session of one thread, whose answers end in time."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = in_time.Limit()
        self.mount("https://", _Adapter(self.limit))
        self.mount("http://", _Adapter(self.limit))
        # A .netrc entry must not replace the Authorization header.
        self.auth = lambda prepared: prepared


class _Adapter(HTTPAdapter):
    """Connections, direct or through a proxy, whose answers keep a limit."""

    def __init__(self, limit: in_time.Limit) -> None:
        self._limit = limit
        # Retrying is ours alone.
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        in_time.keep(self.poolmanager, self._limit)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        return manager if known else in_time.keep(manager, self._limit)


class _WithoutToken(logging.Filter):
    """Takes the token out of the paths that urllib3 logs at DEBUG level: two old methods carry it there."""

    _TOKEN = re.compile(r"(?<=[?&]token=)[^&\s]*")

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through, without the token."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._TOKEN.sub("***", argument) if isinstance(argument, str) else argument for argument in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutToken())


def _check_length(response: requests.Response) -> None:
    """Refuse a body shorter than was announced, as urllib3 does from 2.0 on: a cut CSV looks like a whole one."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and response.raw.tell() < int(announced):
        raise requests.exceptions.ConnectionError("the body is shorter than announced")


def _timed_out(error: requests.exceptions.RequestException) -> bool:
    """Whether it is a timeout; requests calls it another error when it comes in the body."""
    return isinstance(error, requests.exceptions.Timeout) or any(
        type(inner).__name__ == "ReadTimeoutError" for inner in error.args
    )


def _never_connected(error: BaseException) -> bool:
    """Whether the request certainly did not leave: refused, no such host, a certificate that does not hold.

    Anything else, a broken TLS stream or a proxy that hung up among them, may come after the bytes went out.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    if type(error).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}:
        return True
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return isinstance(inner, BaseException) and _never_connected(inner)


def _cause(error: requests.exceptions.RequestException) -> Exception | None:
    """What to chain: without the prepared request, which holds the token for any error reporter to dump."""
    error.request = None
    error.response = None
    return error
