"""The protocol over requests, for workers."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from tenacity import Retrying

from airflow_provider_altcraft.api import protocol
from airflow_provider_altcraft.api.endpoints import endpoint
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
        request_id: str | None = None,
        attempts: int | None = None,
    ) -> Reply:
        """Call an endpoint and understand its answer.

        :param name: catalogue name, e.g. ``scampaigns/completed``.
        :param params: parameters of the method, without the token, under the API's names or the aliases of the
            catalogue; ``None`` values are left out.
        :param request_id: names the logical request, so that a repeat is answered from memory (CONTRACT 1.8).
            A write without one is never repeated after its bytes went out.
        :param attempts: tries in all, if not the connection's ``max_attempts``.
        :raises AltcraftConfigurationError: for what the catalogue does not allow; see ``parameters.written``.
        :raises AltcraftError: see ``exceptions``.
        """
        return self.send(protocol.call(endpoint(name), params or {}, self.settings, request_id), attempts=attempts)

    def frame(self, name: str, params: Mapping[str, Any]) -> Frame:
        """The bytes around the items of a batch (see ``call_batch``)."""
        return protocol.frame_of(endpoint(name), params, self.settings)

    def call_batch(self, name: str, body: bytes, *, request_id: str) -> Reply:
        """Send a batch whose body was joined by ``frame``."""
        return self.send(protocol.request(endpoint(name), body, self.settings, request_id))

    def iterate(self, name: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Walk a list endpoint, item by item, over all its pages (CONTRACT 1.6). What has no pages is one page.

        :raises AltcraftError: if there are more pages than the answers lead to.
        :raises AltcraftConfigurationError: for an endpoint that is not a read.
        """
        row = endpoint(name)
        walk = Walk(row, params or {})
        while not walk.over:
            yield from walk.take(self.send(protocol.call(row, params or {}, self.settings, from_id=walk.pointer)))

    def send(self, request: Request, *, attempts: int | None = None) -> Reply:
        """Send a request, again where that is safe, and understand the answer."""
        return Retrying(**retrying(request, self.settings, attempts, self._sleep))(self._send_once, request)

    def _send_once(self, request: Request) -> Reply:
        for delay in self._pace.delays():
            if delay > 0:
                self._sleep(delay)
        response, body = self._exchange(request)
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

    def _exchange(self, request: Request) -> tuple[requests.Response, bytes]:
        settings = self.settings
        try:
            with self._session().request(
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
            ) as response:
                return response, b"".join(response.iter_content(PIECE))
        except requests.exceptions.RequestException as error:
            failure = self._failure(request, error)
        # Outside of the handler, so that nothing but what was chosen hangs on it.
        raise failure

    def _failure(self, request: Request, error: requests.exceptions.RequestException) -> AltcraftTransportError:
        """What went wrong, in words of our own."""
        settings, name = self.settings, request.endpoint.name
        failure: AltcraftTransportError
        if isinstance(error, requests.exceptions.ConnectTimeout):
            failure = AltcraftTimeout(
                f"{name}: no connection to {settings.base_url} within {settings.connect_timeout:g} s.", sent=False
            )
        elif isinstance(error, requests.exceptions.Timeout):
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

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = requests.Session()
            # Retrying is ours alone; and a .netrc entry must not replace the Authorization header.
            session.mount("https://", HTTPAdapter(max_retries=0))
            session.mount("http://", HTTPAdapter(max_retries=0))
            session.auth = lambda prepared: prepared
            self._sessions.session = session
            self._opened.append(session)
        return session


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
