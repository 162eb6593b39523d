"""Read Altcraft's answers. Pure: status, headers and bytes in, a reply or an error out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from airflow_provider_altcraft.api.endpoints import Endpoint, ResponseKind
from airflow_provider_altcraft.api.redaction import quotable
from airflow_provider_altcraft.api.request import Request
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAnswerTooLarge,
    AltcraftAuthenticationError,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftRequestTooLarge,
    AltcraftTransportError,
)

LONGEST_ERROR = 1_000_000
"""Bytes of a download that are enough to tell an error or a web page from the file."""

_DECODER = msgspec.json.Decoder()
_PARTS_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENVELOPE = frozenset({"error", "error_text", "error_debug", "error text", "total_count", "total", "next_from_id"})
_PAYLOADS = ("data", "result", "profile_id")
# The error statuses of quick import, besides 401 and 403 (CONTRACT 1.4).
_ERROR_STATUSES = frozenset({400, 402, 404, 409})
# A gateway in front of Altcraft may answer with these, and a page of its own.
_GATEWAY_STATUSES = frozenset({401, 403, 413, 429})
# Which of these an installation sends depends on its edition (CONTRACT 1.8).
_REPLAY_HEADERS = ("duplicate-request", "x-duplicate-request")


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer.

    :param endpoint: catalogue name of the endpoint.
    :param data: the payload, wherever the method puts it (CONTRACT 1.3).
    :param task_id: id of the server-side task, if the call started one (CONTRACT 1.10).
    :param next_from_id: pointer to the next page, if the answer has one (CONTRACT 1.6).
    :param total_count: for a list, the number of items on all pages (CONTRACT 1.6).
    :param replayed: whether Altcraft answered from memory: the request had been made before (CONTRACT 1.8).
    :param repeated: whether an earlier attempt of the same call may have reached Altcraft.
    :param server_time: the server's clock when it answered, to the second.
    """

    endpoint: str
    data: Any = field(repr=False)
    task_id: str | None = None
    next_from_id: Any = None
    total_count: int | None = None
    replayed: bool = False
    server_time: datetime | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class _Response:
    """An HTTP response, before it is interpreted.

    :param headers: with lower-case names.
    :param envelope: the body, if it is a JSON object.
    """

    request: Request
    http_status: int
    headers: Mapping[str, str]
    body: bytes
    envelope: dict[str, Any] | None
    settings: Settings

    @property
    def kind(self) -> ResponseKind:
        return self.request.endpoint.answer

    @property
    def is_2xx(self) -> bool:
        return 200 <= self.http_status < 300

    @property
    def error(self) -> int | None:
        """The error code, 0 for none; ``None`` if there is no envelope."""
        return _integer(self.envelope.get("error")) if self.envelope else None

    @property
    def replayed(self) -> bool:
        return any(self.headers.get(name, "").strip().lower() == "true" for name in _REPLAY_HEADERS)

    @property
    def server_time(self) -> datetime | None:
        return _http_date(self.headers.get("date"))

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, from either form of the header (RFC 9110)."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return float(value)
        until = _http_date(value)
        # By the server's clock, if known: ours may be minutes off.
        return max(0.0, (until - (self.server_time or datetime.now(UTC))).total_seconds()) if until else None

    @property
    def first_line(self) -> str:
        return self.body.decode("utf-8", "replace").strip().partition("\n")[0]

    def quoted(self, text: Any) -> str:
        return quotable(text, self.settings, self.request)

    def reply(self, data: Any, **details: Any) -> Reply:
        name = self.request.endpoint.name
        return Reply(name, data, replayed=self.replayed, server_time=self.server_time, **details)


def read_reply(
    request: Request, *, http_status: int, headers: Mapping[str, str], body: bytes, settings: Settings
) -> Reply:
    """Read an answer: it is a success only if the status is 2xx *and* ``error`` is 0 (CONTRACT 1.4).

    :param headers: of the answer, looked up case-insensitively.
    :raises AltcraftTransportError: if it is not an answer of Altcraft's API at all.
    :raises AltcraftRejected: or a subclass, if Altcraft answered with an error.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    envelope = _json_with_raw_result(body) if request.raw_result else _json_object(body)
    response = _Response(request, http_status, fields, body, envelope, settings)
    if response.is_2xx and not _is_decided_by_envelope(response):
        return response.reply(body if response.kind is ResponseKind.FILE else envelope)
    if response.is_2xx and response.error == 0:
        return _success(response, envelope or {})
    raise _failure(response)


def check_size(request: Request, size: int, settings: Settings) -> None:
    """Stop reading an answer that is too large to be held in memory.

    :param size: bytes so far, decompressed.
    :raises AltcraftAnswerTooLarge: if there are more than ``max_answer_bytes``.
    """
    if size > settings.max_answer_bytes:
        raise AltcraftAnswerTooLarge(
            f"{request.endpoint.name}: the answer is larger than {settings.max_answer_bytes:,} bytes (max_answer_bytes"
            " in the connection's extra) and was not read. Request less at a time, or raise the setting."
        )


def _is_decided_by_envelope(response: _Response) -> bool:
    """Whether the envelope, and not the 2xx status alone, says whether the call succeeded.

    :raises AltcraftTransportError: for a web page instead of a file.
    """
    if response.kind is ResponseKind.FILE:
        if _is_page(response):
            raise _page_instead(response)
        return _is_error_envelope(response)
    # Even if the status is enough, an envelope counts if there is one. What begins with < is a gateway's page.
    needs_envelope = response.kind is ResponseKind.ENVELOPE or response.body.lstrip().startswith(b"<")
    return needs_envelope or response.error is not None


def _success(response: _Response, envelope: Mapping[str, Any]) -> Reply:
    data = _payload(response.request.endpoint, envelope)
    task_id = envelope.get("task_id") or (data.get("task_id") if isinstance(data, dict) else None)
    return response.reply(
        data,
        task_id=str(task_id) if task_id and isinstance(task_id, str | int) else None,
        next_from_id=envelope.get("next_from_id"),
        total_count=_integer(envelope.get("total_count", envelope.get("total"))),
    )


def _payload(endpoint: Endpoint, envelope: Mapping[str, Any]) -> Any:
    for name in (endpoint.payload, *_PAYLOADS):
        if name in envelope:
            return envelope[name]
    return {name: value for name, value in envelope.items() if name not in _ENVELOPE}


def _is_page(response: _Response) -> bool:
    """Whether a web page came instead of another type of file: a proxy's login page, or an expired link."""
    if response.request.suffix in {".html", ".htm", ".xhtml"}:
        return False
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    beginning = response.body[:1_000].lstrip().lower()
    is_html = content_type in {"text/html", "application/xhtml+xml"}
    return is_html or beginning.startswith((b"<!doctype html", b"<html"))


def _is_error_envelope(response: _Response) -> bool:
    """Whether JSON that came instead of a file is an API error. A JSON file may have an ``error`` field of its own."""
    envelope = response.envelope or {}
    is_envelope = "error_text" in envelope and envelope.keys() <= {*_ENVELOPE, *_PAYLOADS}
    return bool(response.error) and (is_envelope or response.request.suffix not in {".json", ".jsonl"})


def _failure(response: _Response) -> AltcraftTransportError | AltcraftRejected:
    status, replayed, first_line = response.http_status, response.replayed, {"error_text": response.first_line}
    if response.error is not None:
        return _rejection(response, response.error or status, response.envelope or {}, replayed=replayed)
    if response.kind is ResponseKind.STATUS and status in _ERROR_STATUSES:
        return _rejection(response, status, response.envelope or first_line, replayed=replayed)
    if status in _GATEWAY_STATUSES:
        # A gateway's answer cannot come from Altcraft's memory.
        return _rejection(response, status, first_line, replayed=False)
    beginning = response.quoted(response.first_line)
    return AltcraftTransportError(
        f"{response.request.endpoint.name}: HTTP {status} with an answer that is not Altcraft's JSON,"
        f" {f'beginning {beginning!r}' if beginning else 'empty'}."
        " Check the connection's host and port, and any proxies between Airflow and Altcraft.",
        http_status=status,
        retry_after=response.retry_after,
    )


def _rejection(response: _Response, code: int, envelope: Mapping[str, Any], *, replayed: bool) -> AltcraftRejected:
    text = response.quoted(envelope.get("error_text") or envelope.get("error text"))
    debug = response.quoted(envelope.get("error_debug"))
    codes = {response.http_status, code}
    kind = AltcraftRejected
    if 429 in codes:
        kind = AltcraftRateLimited
    elif {401, 403} & codes:
        kind = AltcraftAuthenticationError
    elif 413 in codes or "body too large" in f"{text} {debug}".lower():
        kind = AltcraftRequestTooLarge
    return kind(
        response.request.endpoint.name,
        code=code,
        text=text,
        debug=debug,
        http_status=response.http_status,
        replayed=replayed,
        retry_after=response.retry_after,
    )


def _page_instead(response: _Response) -> AltcraftTransportError:
    return AltcraftTransportError(
        f"{response.request.endpoint.name}: HTTP {response.http_status} with a web page instead of the file, beginning"
        f" {response.quoted(response.first_line)!r}. The link may have expired, or a proxy may require a login.",
        http_status=response.http_status,
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _json_with_raw_result(body: bytes) -> dict[str, Any] | None:
    try:
        parts = _PARTS_DECODER.decode(body)
        answer = {name: _DECODER.decode(part) for name, part in parts.items() if name != "data"}
        if "data" in parts:
            answer["data"] = _with_raw_result(parts["data"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return answer


def _with_raw_result(data: msgspec.Raw) -> Any:
    try:
        parts = _PARTS_DECODER.decode(data)
    except msgspec.ValidationError:
        return _DECODER.decode(data)
    return {name: part if name == "result" else _DECODER.decode(part) for name, part in parts.items()}


def _integer(value: Any) -> int | None:
    """A whole number, which may be a string (CONTRACT 1.7)."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
