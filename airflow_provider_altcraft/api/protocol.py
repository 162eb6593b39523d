"""How a call to Altcraft is written and how its answer is read. Pure: bytes in, bytes out, no I/O.

Both transports (``client`` over requests, ``aio`` over aiohttp) share it, so they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from airflow_provider_altcraft.api.endpoints import Endpoint
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftConfigurationError,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftRequestTooLarge,
    AltcraftTransportError,
)

# Keys in a fixed order: installations without Request-ID compare checksums of the body (CONTRACT 1.8).
_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder()

_ENVELOPE = frozenset({"error", "error_text", "error_debug", "error text", "total_count", "total", "next_from_id"})
_PAYLOADS = ("data", "result", "profile_id")
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_LONG_NUMBER = re.compile(r"\+?\d[\d\s()-]{8,}\d")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP POST, ready to send. Its repr shows neither headers nor body: both may hold the token."""

    endpoint: Endpoint
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that means success.

    :param endpoint: catalogue name of the endpoint.
    :param data: the payload, wherever the method puts it (CONTRACT 1.3).
    :param task_id: id of the server-side task, if the call made one (CONTRACT 1.10).
    :param next_from_id: pointer to the next page, if the answer carries one (CONTRACT 1.6).
    :param replayed: answered from Altcraft's memory: it happened at an earlier try (CONTRACT 1.8).
    :param server_time: the server's clock when it answered, to the second.
    """

    endpoint: str
    data: Any = field(repr=False)
    task_id: str | None = None
    next_from_id: Any = None
    replayed: bool = False
    server_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes around the items of a batch, so that rows are encoded once and the size is known exactly."""

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of a body without items."""
        return len(self.head) + len(self.tail)

    def join(self, items: Sequence[bytes]) -> bytes:
        """The body of a batch of encoded items."""
        return self.head + b",".join(items) + self.tail


def encode(value: Any) -> bytes:
    """JSON as UTF-8, compact, keys in a fixed order: the same value gives the same bytes on any worker.

    :raises AltcraftConfigurationError: for a value that JSON cannot carry.
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise AltcraftConfigurationError(
            f"A parameter cannot be written as JSON ({type(error).__name__}): only texts, numbers, booleans,"
            " lists, dictionaries, dates and nulls can."
        ) from None


def body_of(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> bytes:
    """The body of a call. Parameters that are ``None`` are left out.

    :raises AltcraftConfigurationError: if it is over ``max_body_bytes``.
    """
    body = encode(_with_token(params, settings))
    if len(body) > settings.max_body_bytes:
        raise AltcraftConfigurationError(
            f"{endpoint.name}: the request would have {len(body):,} bytes, the limit is {settings.max_body_bytes:,}"
            " (max_body_bytes in the connection's extra). Nothing was sent."
        )
    return body


def frame_of(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> Frame:
    """The bytes around the items of a batch of this endpoint; the items come last in the body.

    :raises AltcraftConfigurationError: if the endpoint takes no batch, or the parameters hold its items.
    """
    if endpoint.items is None or endpoint.items in params:
        raise AltcraftConfigurationError(f"{endpoint.name} takes its items one batch at a time.")
    head = encode(_with_token(params, settings))[:-1]
    separator = b"," if len(head) > 1 else b""
    return Frame(head=head + separator + encode(endpoint.items) + b":[", tail=b"]}")


def request(endpoint: Endpoint, body: bytes, settings: Settings, request_id: str | None = None) -> Request:
    """The HTTP request. Headers depend on nothing but the arguments, so a repeat is the same bytes."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Content-Type": "application/json",
        "User-Agent": "airflow-provider-altcraft",
    }
    if settings.auth == "header":
        headers["Authorization"] = f"Bearer {settings.token}"
    if request_id is not None:
        headers[settings.request_id_header] = request_id
    return Request(endpoint, f"{settings.base_url}{endpoint.path}", headers, body, request_id)


def _with_token(params: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    body = {name: value for name, value in params.items() if value is not None}
    if "token" in body:
        raise AltcraftConfigurationError("The token belongs in the connection, not in the parameters.")
    if settings.auth == "body":
        body["token"] = settings.token
    return body


def read(request: Request, *, http_status: int, headers: Mapping[str, str], body: bytes, settings: Settings) -> Reply:
    """Understand an answer: success only if the status is 2xx *and* ``error`` is 0 (CONTRACT 1.4).

    :param headers: of the answer, looked up without regard to case.
    :raises AltcraftTransportError: if it is not an answer of Altcraft's API at all.
    :raises AltcraftRejected: or one of its children, if Altcraft says no.
    """
    name = request.endpoint.name
    fields = {key.lower(): value for key, value in headers.items()}
    server_time = _http_date(fields.get("date"))
    retry_after = _retry_after(fields.get("retry-after"), server_time)
    replayed = any(
        fields.get(header, "").strip().lower() == "true" for header in ("duplicate-request", "x-duplicate-request")
    )
    answer = _json_object(body)
    code = _integer(answer.get("error")) if answer is not None else None
    if answer is None or code is None:
        raise _not_an_answer(name, http_status, body, settings, retry_after)
    if not 200 <= http_status < 300 or code != 0:
        raise _rejection(
            name,
            code=code or http_status,
            text=quotable(answer.get("error_text") or answer.get("error text"), settings),
            debug=quotable(answer.get("error_debug"), settings),
            http_status=http_status,
            replayed=replayed,
            retry_after=retry_after,
        )
    data = _payload(request.endpoint, answer)
    nested = data.get("task_id") if isinstance(data, dict) else None
    task_id = answer.get("task_id") or nested
    return Reply(
        endpoint=name,
        data=data,
        task_id=str(task_id) if task_id else None,
        next_from_id=answer.get("next_from_id"),
        replayed=replayed,
        server_time=server_time,
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _payload(endpoint: Endpoint, answer: Mapping[str, Any]) -> Any:
    for name in (endpoint.payload, *_PAYLOADS):
        if name in answer:
            return answer[name]
    return {name: value for name, value in answer.items() if name not in _ENVELOPE}


def _rejection(name: str, *, http_status: int, **details: Any) -> AltcraftRejected:
    code = details["code"]
    said = f"{details['text']} {details['debug']}".lower()
    kind = AltcraftRejected
    if 429 in (http_status, code):
        kind = AltcraftRateLimited
    elif {401, 403} & {http_status, code}:
        kind = AltcraftAuthenticationError
    elif 413 in (http_status, code) or "body too large" in said:
        kind = AltcraftRequestTooLarge
    return kind(name, http_status=http_status, **details)


def _not_an_answer(
    name: str, http_status: int, body: bytes, settings: Settings, retry_after: float | None
) -> AltcraftTransportError | AltcraftRejected:
    first_line = quotable(body.decode("utf-8", "replace").strip().partition("\n")[0], settings)
    if http_status in {401, 403, 413, 429}:
        # A gateway in front of Altcraft says these with a page of its own.
        return _rejection(
            name,
            http_status=http_status,
            code=http_status,
            text=first_line,
            debug="",
            replayed=False,
            retry_after=retry_after,
        )
    shown = f"beginning {first_line!r}" if first_line else "empty"
    return AltcraftTransportError(
        f"{name}: HTTP {http_status} with an answer that is not Altcraft's JSON, {shown}."
        " Check the connection's host and port, and whatever stands between Airflow and Altcraft.",
        http_status=http_status,
        retry_after=retry_after,
    )


def quotable(said: Any, settings: Settings) -> str:
    """What the other side said, fit for a log: one short line, without the token, addresses or phone numbers."""
    text = " ".join(str(said or "").split()).replace(settings.token, "***")
    text = _LONG_NUMBER.sub("***", _EMAIL.sub("***", text))
    return text if len(text) <= 200 else f"{text[:200]}…"


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _retry_after(value: str | None, server_time: datetime | None) -> float | None:
    """Seconds to wait, from either form of the header (RFC 9110)."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    return max(0.0, (until - (server_time or datetime.now(UTC))).total_seconds())
