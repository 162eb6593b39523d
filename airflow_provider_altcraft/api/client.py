"""The client for workers, over ``requests``."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from tenacity import Retrying
from urllib3.exceptions import HTTPError, ReadTimeoutError

from airflow_provider_altcraft.api.connections import Aborted, Exchange, SendTimeout, controlled_by
from airflow_provider_altcraft.api.decoding import PIECE, Decoder, Undecodable
from airflow_provider_altcraft.api.endpoints import ResponseKind, endpoint
from airflow_provider_altcraft.api.pagination import Paginator
from airflow_provider_altcraft.api.rate_limiter import RateLimiter
from airflow_provider_altcraft.api.redaction import HIDDEN, TOKEN_IN_URL
from airflow_provider_altcraft.api.reply import LONGEST_ERROR, Reply, check_size, read_reply
from airflow_provider_altcraft.api.request import Frame, Request, frame_of, path_of_file, request_of, request_with_body
from airflow_provider_altcraft.api.retrying import Repeats, retrying
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftKilled,
    AltcraftRateLimited,
    AltcraftTimeout,
    AltcraftTransportError,
)
from airflow_provider_altcraft.tracebacks import without_locals

ABORT_CHECK_SECONDS = 0.2
"""How often a pause between attempts checks whether the client was aborted."""


class AltcraftClient:
    """Calls Altcraft's API. Safe to share between threads: each has its own pooled session.

    :param settings: of the connection.
    :param sleep: called with seconds to wait between attempts, instead of the default.
    """

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] | None = None) -> None:
        self.settings = settings
        self._sleep = sleep or self._sleep_unless_aborted
        self._sessions = threading.local()
        self._opened: list[_Session] = []
        self._limiter = RateLimiter(settings.max_requests_per_second)
        # A plain flag, no lock or event: a signal handler waiting for a lock that its own thread holds would deadlock.
        self._aborted = False

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

    def abort(self) -> None:
        """Abort all calls for good: those in progress, those between two attempts and later ones.

        They raise ``AltcraftKilled`` in their threads, although Altcraft may still do the work. Only connections being
        established are not interrupted, up to ``connect_timeout``. Safe in a signal handler.
        """
        self._aborted = True
        for session in list(self._opened):
            session.exchange.shut()

    @without_locals
    def call(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        undocumented: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        attempts: int | None = None,
        raw_result: bool = False,
    ) -> Reply:
        """Call an endpoint and read its answer.

        :param name: catalogue name, e.g. ``scampaigns/completed``.
        :param params: parameters of the method, without the token, under the API's names or the catalogue's aliases;
            ``None`` values are left out.
        :param undocumented: parameters this installation takes that are not documented; sent unchecked. Documented ones
            belong in ``params``, where they are checked.
        :param request_id: identifies the logical request, so that a repeat is answered from memory (CONTRACT 1.8).
            A write without one is never repeated once its bytes have been sent.
        :param attempts: maximum attempts, if not the connection's ``max_attempts``.
        :param raw_result: leave ``data["result"]`` of the answer undecoded, as ``msgspec.Raw``.
        :raises AltcraftConfigurationError: for what the catalogue does not allow; see ``parameters.written``.
        :raises AltcraftError: see ``exceptions``.
        """
        request = request_of(
            endpoint(name), params or {}, self.settings, request_id, undocumented=undocumented, raw_result=raw_result
        )
        return self.send(request, attempts=attempts)

    @without_locals
    def frame(self, name: str, params: Mapping[str, Any]) -> Frame:
        """The bytes around the items of a batch (see ``call_batch``)."""
        return frame_of(endpoint(name), params, self.settings)

    @without_locals
    def call_batch(self, name: str, body: bytes, *, request_id: str) -> Reply:
        """Send a batch whose body was built with ``frame``."""
        return self.send(request_with_body(endpoint(name), body, self.settings, request_id))

    @without_locals
    def iterate(
        self, name: str, params: Mapping[str, Any] | None = None, *, undocumented: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """Iterate over the items of a list endpoint, across all its pages (CONTRACT 1.6).

        :param undocumented: see ``call``.
        :raises AltcraftError: if there are more items but the answer does not lead to them.
        :raises AltcraftConfigurationError: for an endpoint that is not a read.
        """
        row = endpoint(name)
        paginator = Paginator(row, params or {})
        while not paginator.over:
            request = request_of(row, params or {}, self.settings, undocumented=undocumented, from_id=paginator.pointer)
            yield from paginator.take(self.send(request))

    @without_locals
    def download(
        self,
        file: str,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        *,
        before_block: Callable[[], None] = lambda: None,
    ) -> int:
        """Download a file written by a task (CONTRACT 8.5), in blocks: memory use does not depend on its size.

        :param file: its name in the task's result: a path, or a URL on the connection's host.
        :param opened: opens the file to write to, once per attempt. It must discard what a broken download has written;
            the error passes through it.
        :param before_block: called before each block; may raise to stop.
        :returns: the number of bytes.
        :raises AltcraftConfigurationError: for a URL of another host.
        :raises AltcraftError: see ``exceptions``; also if a web page or an API error comes instead of the file.
        """
        path = path_of_file(file, self.settings)
        request = request_of(endpoint("download/{file}"), {"file": path}, self.settings)
        again = Retrying(**retrying(request, self.settings, sleep=self._sleep))
        return again(self._download_once, request, opened, before_block)

    @without_locals
    def send(self, request: Request, *, attempts: int | None = None) -> Reply:
        """Send a request, repeat it if that is safe, and read the answer."""
        repeats = Repeats(request.endpoint, request.request_id, self.settings)
        reply: Reply = Retrying(**retrying(request, self.settings, attempts, self._sleep, repeats=repeats))(
            self._send_once, request
        )
        return replace(reply, repeated=True) if repeats.in_doubt else reply

    def _send_once(self, request: Request) -> Reply:
        self._keep_rate()
        with self._exchange(request) as response:
            return self._read(request, response, self._whole(request, response))

    def _download_once(
        self,
        request: Request,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        before_block: Callable[[], None],
    ) -> int:
        self._keep_rate()
        with self._exchange(request) as response, closing(self._blocks(request, response)) as blocks:
            before_block()
            # Read enough to recognise an error or a web page before the target file is opened.
            head = b""
            for block in blocks:
                head += block
                if len(head) > LONGEST_ERROR:
                    break
            self._read(request, response, head)
            with opened() as target:
                target.write(head)
                size = len(head)
                for block in blocks:
                    before_block()
                    target.write(block)
                    size += len(block)
            return size

    def _keep_rate(self) -> None:
        for delay in self._limiter.delays():
            if delay > 0:
                self._sleep(delay)

    def _sleep_unless_aborted(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._aborted:
                raise _killed()
            time.sleep(min(left, ABORT_CHECK_SECONDS))

    def _read(self, request: Request, response: requests.Response, body: bytes) -> Reply:
        try:
            return read_reply(
                request,
                http_status=response.status_code,
                headers=response.headers,
                body=body,
                settings=self.settings,
            )
        except AltcraftRateLimited as error:
            self._limiter.pause(error.retry_after or 0)
            raise

    @contextmanager
    def _exchange(self, request: Request) -> Iterator[requests.Response]:
        """Send a request; the answer stays open while its body is read."""
        session = self._session()
        exchange = session.exchange
        exchange.answer_timeout = None if request.endpoint.answer is ResponseKind.FILE else self.settings.read_timeout
        try:
            with self._response(request, session) as response:
                yield response
        finally:
            exchange.release()

    def _response(self, request: Request, session: _Session) -> requests.Response:
        settings = self.settings
        try:
            session.exchange.check()
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
        except _BROKEN as error:
            failure = self._failure(request, error)
        # Raised outside the handler, so that no other error is chained to it.
        raise failure

    def _whole(self, request: Request, response: requests.Response) -> bytes:
        """The whole body of an answer, if it is not too large."""
        blocks, size = [], 0
        with closing(self._blocks(request, response)) as found:
            for block in found:
                size += len(block)
                check_size(request, size, self.settings)
                blocks.append(block)
        return b"".join(blocks)

    def _blocks(self, request: Request, response: requests.Response) -> Generator[bytes, None, None]:
        """The body of an answer, block by block."""
        # Not decompressed by urllib3, which before 2.6 puts no limit on what a compressed block expands to.
        decoder = Decoder(response.headers.get("Content-Encoding"))
        try:
            for block in response.raw.stream(PIECE, decode_content=False):
                yield from decoder.feed(block)
            _check_length(response)
            yield decoder.end()
        except _BROKEN as error:
            failure = self._failure(request, error)
        else:
            return
        raise failure

    def _failure(self, request: Request, error: Exception) -> AltcraftTransportError | AltcraftKilled:
        """Translate an error of the libraries."""
        settings, name = self.settings, request.endpoint.name
        failure: AltcraftTransportError | AltcraftKilled
        if self._aborted:
            failure = _killed()
        elif isinstance(error, requests.exceptions.ConnectTimeout):
            failure = AltcraftTimeout(
                f"{name}: no connection to {settings.base_url} within {settings.connect_timeout:g} s.", sent=False
            )
        elif _is_or_holds(error, SendTimeout):
            failure = AltcraftTimeout(
                f"{name}: {settings.base_url} accepted no data of the request for {settings.read_timeout:g} s."
            )
        elif isinstance(error, requests.exceptions.Timeout) or _is_or_holds(error, ReadTimeoutError):
            failure = AltcraftTimeout(f"{name}: {settings.base_url} did not answer within {settings.read_timeout:g} s.")
        else:
            sent = not _never_connected(error)
            what = "the connection broke" if sent else "no connection"
            failure = AltcraftTransportError(
                f"{name}: {what} to {settings.base_url} ({type(error).__name__}).", sent=sent
            )
        if not request.query:
            # The query is the token, and the library's error would quote it.
            failure.__cause__ = _cause(error)
        return failure

    def _session(self) -> _Session:
        session: _Session | None = getattr(self._sessions, "session", None)
        if session is None:
            exchange = Exchange(lambda: self._aborted, self.settings.read_timeout)
            session = self._sessions.session = _Session(exchange)
            self._opened.append(session)
        return session


class _Session(requests.Session):
    """A session for one thread, under the control of an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self.exchange = exchange
        self.mount("https://", _Adapter(exchange))
        self.mount("http://", _Adapter(exchange))
        # A .netrc entry must not replace the Authorization header.
        self.auth = lambda prepared: prepared


class _Adapter(HTTPAdapter):
    """Makes all connections, direct or through a proxy, obey an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        # Retrying is not left to urllib3.
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        controlled_by(self.poolmanager, self._exchange)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        return manager if known else controlled_by(manager, self._exchange)


_BROKEN = (requests.exceptions.RequestException, HTTPError, OSError, Undecodable, Aborted)
"""What the libraries raise when an exchange fails."""


class _WithoutToken(logging.Filter):
    """Masks the token in paths that urllib3 logs at DEBUG level: some methods and downloads have it in the URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, with the token masked."""
        if isinstance(record.args, tuple):
            record.args = tuple(TOKEN_IN_URL.sub(HIDDEN, arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutToken())


def _killed() -> AltcraftKilled:
    return AltcraftKilled("A call was aborted because the task must stop. What it started in Altcraft continues.")


def _check_length(response: requests.Response) -> None:
    """Reject a body shorter than its Content-Length, as urllib3 does since 2.0: a truncated CSV looks complete."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and response.raw.tell() < int(announced):
        raise requests.exceptions.ConnectionError("the body is shorter than announced")


def _is_or_holds(error: BaseException, kind: type[Exception]) -> bool:
    """Whether an error is of a kind or wraps one: the libraries pass errors as arguments of other errors."""
    if isinstance(error, kind):
        return True
    inner = [getattr(error, "reason", None), *error.args]
    return any(isinstance(wrapped, BaseException) and _is_or_holds(wrapped, kind) for wrapped in inner)


def _never_connected(error: BaseException) -> bool:
    """Whether the request was certainly not sent: connection refused, unknown host, invalid certificate.

    Anything else, including a broken TLS stream or a proxy that hung up, may happen after bytes were sent.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    if type(error).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}:
        return True
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return isinstance(inner, BaseException) and _never_connected(inner)


def _cause(error: Exception) -> Exception:
    """The error to chain, without the prepared request: error reporters would dump the token in it."""
    if isinstance(error, requests.exceptions.RequestException):
        error.request = None
        error.response = None
    return error
