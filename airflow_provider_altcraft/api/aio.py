"""The client for triggers, over aiohttp. Nothing is launched from the triggerer: it only reads and stops things."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import aiohttp
from tenacity import AsyncRetrying

from airflow_provider_altcraft.api.decoding import PIECE, Decoder, Undecodable
from airflow_provider_altcraft.api.endpoints import Effect, ResponseKind, endpoint
from airflow_provider_altcraft.api.rate_limiter import RateLimiter
from airflow_provider_altcraft.api.reply import Reply, check_size, read_reply
from airflow_provider_altcraft.api.request import Request, request_of
from airflow_provider_altcraft.api.retrying import retrying
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftRateLimited,
    AltcraftTimeout,
    AltcraftTransportError,
)
from airflow_provider_altcraft.tracebacks import without_locals


class AsyncAltcraftClient:
    """Calls Altcraft's API without blocking the event loop. Use it as an async context manager.

    :param settings: of the connection.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._limiter = RateLimiter(settings.max_requests_per_second)

    def __repr__(self) -> str:
        return f"AsyncAltcraftClient({self.settings.base_url!r})"

    async def __aenter__(self) -> AsyncAltcraftClient:
        settings = self.settings
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                # A limit for the whole call is safe: triggers download nothing.
                total=settings.connect_timeout + settings.read_timeout,
                connect=None,
                sock_connect=settings.connect_timeout,
                sock_read=settings.read_timeout,
            ),
            connector=aiohttp.TCPConnector(ssl=await _ssl(settings.verify)),
            trust_env=True,
            # Decompressed here, up to max_answer_bytes.
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @without_locals
    async def call(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        request_id: str | None = None,
        attempts: int | None = None,
        raw_result: bool = False,
    ) -> Reply:
        """Call an endpoint that launches and creates nothing, and read its answer.

        :param name: catalogue name, e.g. ``tasks/status``.
        :param params: parameters of the method, without the token; see ``parameters.written``.
        :param request_id: identifies the logical request, so that a repeat is answered from memory (CONTRACT 1.8).
        :param attempts: maximum attempts, if not the connection's ``max_attempts``.
        :param raw_result: leave ``data["result"]`` of the answer undecoded, as ``msgspec.Raw``.
        :raises AltcraftConfigurationError: for an endpoint that does more than read or set a state, answers with a
            file, or needs the token in the URL, which aiohttp quotes in its errors.
        :raises AltcraftError: see ``exceptions``.
        """
        row = endpoint(name)
        if row.effect not in (Effect.READ, Effect.IDEMPOTENT_WRITE):
            raise AltcraftConfigurationError(f"{name} launches or creates something; a trigger must not.")
        if row.token_in_url or row.answer is ResponseKind.FILE:
            raise AltcraftConfigurationError(f"{name} cannot be called from a trigger.")
        request = request_of(row, params or {}, self.settings, request_id, raw_result=raw_result)
        reply: Reply = await AsyncRetrying(**retrying(request, self.settings, attempts))(self._send_once, request)
        return reply

    async def _send_once(self, request: Request) -> Reply:
        for delay in self._limiter.delays():
            if delay > 0:
                await asyncio.sleep(delay)
        http_status, headers, body = await self._post(request)
        try:
            return read_reply(request, http_status=http_status, headers=headers, body=body, settings=self.settings)
        except AltcraftRateLimited as error:
            self._limiter.pause(error.retry_after or 0)
            raise

    async def _post(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise RuntimeError("AsyncAltcraftClient must be used as an async context manager.")
        base_url, name = self.settings.base_url, request.endpoint.name
        try:
            async with self._session.post(
                request.url, data=request.body, headers=dict(request.headers), allow_redirects=False
            ) as response:
                return response.status, response.headers, await self._whole(request, response)
        except (TimeoutError, aiohttp.ServerTimeoutError):
            raise AltcraftTimeout(f"{name}: {base_url} did not answer in time.") from None
        except (aiohttp.ClientError, OSError, Undecodable) as error:
            sent = not isinstance(error, aiohttp.ClientConnectorError)
            what = "the connection broke" if sent else "no connection"
            raise AltcraftTransportError(f"{name}: {what} to {base_url} ({type(error).__name__}).", sent=sent) from None

    async def _whole(self, request: Request, response: aiohttp.ClientResponse) -> bytes:
        """The whole body of an answer, if it is not too large."""
        decoder = Decoder(response.headers.get("Content-Encoding"))
        blocks, size = [], 0
        async for block in response.content.iter_chunked(PIECE):
            for piece in decoder.feed(block):
                size += len(piece)
                check_size(request, size, self.settings)
                blocks.append(piece)
        return b"".join([*blocks, decoder.end()])


async def _ssl(verify: bool | str) -> ssl.SSLContext | bool:
    if isinstance(verify, str):
        # Reading a CA bundle takes tens of milliseconds: too long for an event loop that others share.
        return await asyncio.to_thread(ssl.create_default_context, cafile=verify)
    return verify
