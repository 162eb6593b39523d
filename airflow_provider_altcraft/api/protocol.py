"""How a call to Altcraft is written and how its answer is read. Pure: bytes in, bytes out, no I/O.

Both transports (``client`` over requests, ``aio`` over aiohttp) share it, so they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from airflow_provider_altcraft.api.endpoints import Endpoint, ResponseKind
from airflow_provider_altcraft.api.parameters import written
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAnswerTooLarge,
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
_PARTS_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])

_ENVELOPE = frozenset({"error", "error_text", "error_debug", "error text", "total_count", "total", "next_from_id"})
_PAYLOADS = ("data", "result", "profile_id")
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_IN_A_URL = re.compile(r"(?<=[?&]token=)[^&\s\"'<>]+")
_IN_THE_PATH = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"\w{3,}")
_LONG_NUMBER = re.compile(r"\+?\d[\d\s()-]{8,}\d")


UPLOAD = "file_upload"
"""The method whose body is a file (CONTRACT 11)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to send. Its repr shows neither headers nor query nor body: all may hold the token."""

    endpoint: Endpoint
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str | None = None
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw_result: bool = False
    """Whether ``data.result`` of the answer is left as it came, as ``msgspec.Raw``: that of a task may be large."""

    @property
    def suffix(self) -> str:
        """What the file that is asked for is, by its name: ``.csv``."""
        return PurePosixPath(self.url).suffix.lower()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that means success.

    :param endpoint: catalogue name of the endpoint.
    :param data: the payload, wherever the method puts it (CONTRACT 1.3).
    :param task_id: id of the server-side task, if the call made one (CONTRACT 1.10).
    :param next_from_id: pointer to the next page, if the answer carries one (CONTRACT 1.6).
    :param total_count: of a list, how many items there are over all pages (CONTRACT 1.6).
    :param replayed: answered from Altcraft's memory: it happened at an earlier try (CONTRACT 1.8).
    :param repeated: an earlier attempt of the same call may have reached Altcraft.
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


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes around the items of a batch, so that rows are encoded once and the size is known exactly.

    :param head: ends with the bracket that opens the array of items.
    :param tail: begins with the one that closes it.
    """

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of a body without items."""
        return len(self.head) + len(self.tail)

    def join(self, items: Sequence[bytes]) -> bytes:
        """The body of a batch.

        :param items: JSON, of one item each or of some with commas between them.
        """
        if not items:
            return self.head + self.tail
        # The whole is copied once.
        first, last = self.head + items[0], items[-1] + self.tail
        return b",".join([first, *items[1:-1], last]) if len(items) > 1 else first + self.tail

    def array_of(self, body: bytes) -> memoryview:
        """The array of items in a body."""
        return memoryview(body)[len(self.head) - 1 : len(body) - len(self.tail) + 1]


def encode(value: Any) -> bytes:
    """JSON as UTF-8, compact, keys in a fixed order: the same value gives the same bytes on any worker.

    :raises AltcraftConfigurationError: for a value that JSON cannot carry.
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AltcraftConfigurationError(
            f"A parameter cannot be written as JSON ({type(error).__name__}): only texts, numbers, booleans,"
            " lists, dictionaries, dates and nulls can."
        ) from None


def call(
    endpoint: Endpoint,
    params: Any,
    settings: Settings,
    request_id: str | None = None,
    *,
    undocumented: Any = None,
    from_id: int | str | None = None,
    raw_result: bool = False,
) -> Request:
    """A call as an HTTP request, its parameters checked against the catalogue.

    :param params: under the API's names or their aliases, without the token; ``None`` values are left out.
    :param undocumented: see ``parameters.written``.
    :param from_id: the pointer that the page before gave; it goes back as it came.
    :param raw_result: leave ``data["result"]`` of the answer as it came, as ``msgspec.Raw``.
    :raises AltcraftConfigurationError: see ``parameters.written`` and ``body_of``.
    """
    sent = written(endpoint, params, undocumented=undocumented)
    if from_id is not None:
        sent["from_id"] = from_id
    path = _path(endpoint, sent)
    made = request(endpoint, body_of(endpoint, sent, settings), settings, request_id, path=path)
    return replace(made, raw_result=True) if raw_result else made


def body_of(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> bytes:
    """The body of a call. Parameters that are ``None`` are left out.

    :raises AltcraftConfigurationError: if it is over ``max_body_bytes``, or over that of a request with files.
    """
    if endpoint.method == "GET":
        return b""
    body = encode(_with_token(endpoint, params, settings))
    setting = "max_body_bytes_with_files" if endpoint.name == UPLOAD or params.get("attach") else "max_body_bytes"
    limit: int = getattr(settings, setting)
    if len(body) > limit:
        raise AltcraftConfigurationError(
            f"{endpoint.name}: the request would have {len(body):,} bytes, the limit is {limit:,}"
            f" ({setting} in the connection's extra). Nothing was sent."
        )
    return body


def frame_of(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> Frame:
    """The bytes around the items of a batch of this endpoint; the items come last in the body.

    :raises AltcraftConfigurationError: if the endpoint takes no batch, or the parameters hold its items; and see
        ``parameters.written``.
    """
    if endpoint.items is None or endpoint.items in params:
        raise AltcraftConfigurationError(f"{endpoint.name} takes its items one batch at a time.")
    head = encode(_with_token(endpoint, written(endpoint, params, without_items=True), settings))[:-1]
    separator = b"," if len(head) > 1 else b""
    return Frame(head=head + separator + encode(endpoint.items) + b":[", tail=b"]}")


def request(
    endpoint: Endpoint, body: bytes, settings: Settings, request_id: str | None = None, *, path: str | None = None
) -> Request:
    """The HTTP request. Headers depend on nothing but the arguments, so a repeat is the same bytes.

    :param path: where the endpoint's own has names in braces, the path with their values.
    :raises AltcraftConfigurationError: for a token or a Request-ID that no header can carry.
    """
    headers = {
        "Accept": "application/json" if endpoint.answer is not ResponseKind.FILE else "*/*",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "airflow-provider-altcraft",
    }
    if endpoint.method == "POST":
        headers["Content-Type"] = "application/json"
    place = _token_place(endpoint, settings)
    if place == "header":
        headers["Authorization"] = f"Bearer {_header_value('The API token', settings.token)}"
    if request_id is not None:
        headers[settings.request_id_header] = _header_value("The Request-ID", request_id)
    query = {"token": settings.token} if place == "url" else {}
    return Request(endpoint, f"{settings.base_url}{path or endpoint.path}", headers, body, request_id, query)


def _token_place(endpoint: Endpoint, settings: Settings) -> str:
    """Where the token goes: as the connection says, but for the methods that leave no choice."""
    if endpoint.token_in_url:
        return "url"
    if endpoint.method == "GET":
        # A download has no body. Older editions want its token in the URL, where proxies log it (CONTRACT 8.5).
        return "url" if settings.download_token_in_url else "header"
    return settings.auth


def _header_value(what: str, value: Any) -> str:
    text = str(value)
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        raise AltcraftConfigurationError(f"{what} goes into a header, which takes nothing but printable ASCII.")
    return text


def _path(endpoint: Endpoint, params: dict[str, Any]) -> str:
    """The path with its parameters filled in. Takes them out of ``params``."""

    def fill(name: re.Match[str]) -> str:
        value = str(params.pop(name[1]))
        return _path_of_a_file(value) if endpoint.answer is ResponseKind.FILE else _segment(value)

    return _IN_THE_PATH.sub(fill, endpoint.path)


def _segment(value: str) -> str:
    """A value that cannot leave its segment of the path."""
    if value in {"", ".", ".."}:
        raise AltcraftConfigurationError("A parameter that goes into the path of the URL is empty or made of dots.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise AltcraftConfigurationError("A parameter that goes into the path of the URL is not Unicode.") from None


def _path_of_a_file(value: str) -> str:
    """The path of an exported file below ``/api/download/``, which the result of a task may begin with."""
    below = value.strip().removeprefix("/").removeprefix("api/download/")
    return "/".join(_segment(part) for part in below.split("/"))


def path_of_file(named: str, settings: Settings) -> str:
    """The path of an exported file on the connection's own host, the only one that is sent the token.

    :param named: what the result of a task says: a path, or a URL. What follows its ``?`` is left out: the token that
        older editions want there goes in a header, where no proxy logs it, unless the connection says
        ``download_token_in_url`` (CONTRACT 8.5).
    :raises AltcraftConfigurationError: for a URL of another host.
    """
    try:
        url = urlsplit(named.strip())
        if not url.scheme and not url.netloc:
            return named.strip().partition("?")[0].partition("#")[0]
        if _origin(url) == _origin(urlsplit(settings.base_url)):
            return url.path
        where = url.hostname
    except ValueError:
        where = None
    raise AltcraftConfigurationError(
        f"The result of the task names a file at {where or 'no host'}, and the connection's host is"
        f" {settings.base_url}. It is not downloaded: the API token would go there."
    )


_PORTS = {"http": 80, "https": 443}


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


def _with_token(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    body = {name: value for name, value in params.items() if value is not None}
    if "token" in body:
        raise AltcraftConfigurationError("The token belongs in the connection, not in the parameters.")
    if _token_place(endpoint, settings) == "body":
        body["token"] = settings.token
    return body


def read(request: Request, *, http_status: int, headers: Mapping[str, str], body: bytes, settings: Settings) -> Reply:
    """Understand an answer: success only if the status is 2xx *and* ``error`` is 0 (CONTRACT 1.4).

    :param headers: of the answer, looked up without regard to case.
    :raises AltcraftTransportError: if it is not an answer of Altcraft's API at all.
    :raises AltcraftRejected: or one of its children, if Altcraft says no.
    """
    endpoint, worked = request.endpoint, 200 <= http_status < 300
    name = endpoint.name
    fields = {key.lower(): value for key, value in headers.items()}
    server_time = _http_date(fields.get("date"))
    retry_after = _retry_after(fields.get("retry-after"), server_time)
    replayed = any(
        fields.get(header, "").strip().lower() == "true" for header in ("duplicate-request", "x-duplicate-request")
    )
    answer = _json_with_raw_result(body) if request.raw_result else _json_object(body)
    if worked and endpoint.answer is ResponseKind.FILE:
        if _is_page(request, fields.get("content-type", ""), body):
            raise _page_instead(name, http_status, body, settings)
        if not _refuses(request, answer):
            return Reply(name, body, replayed=replayed, server_time=server_time)
    code = _integer(answer.get("error")) if answer is not None else None
    if worked and not code and _worked_by_status(endpoint, code, body):
        return Reply(name, answer, replayed=replayed, server_time=server_time)
    if code is None and endpoint.answer is ResponseKind.STATUS and http_status in REFUSING_STATUSES:
        code = http_status
        answer = answer or {"error_text": _first_line(body)}
    if answer is None or code is None:
        said = quotable(_first_line(body), settings, request)
        raise _not_an_answer(name, http_status, said, retry_after)
    if not worked or code != 0:
        raise _rejection(
            name,
            code=code or http_status,
            text=quotable(answer.get("error_text") or answer.get("error text"), settings, request),
            debug=quotable(answer.get("error_debug"), settings, request),
            http_status=http_status,
            replayed=replayed,
            retry_after=retry_after,
        )
    data = _payload(endpoint, answer)
    nested = data.get("task_id") if isinstance(data, dict) else None
    task_id = answer.get("task_id") or nested
    return Reply(
        endpoint=name,
        data=data,
        task_id=str(task_id) if task_id and isinstance(task_id, str | int) else None,
        next_from_id=answer.get("next_from_id"),
        total_count=_integer(answer.get("total_count", answer.get("total"))),
        replayed=replayed,
        server_time=server_time,
    )


def check_size(request: Request, size: int, settings: Settings) -> None:
    """Refuse an answer that is too large to be held in memory, before it is.

    :param size: bytes that have come by now, without their compression.
    :raises AltcraftAnswerTooLarge: if they are more than ``max_answer_bytes``.
    """
    if size > settings.max_answer_bytes:
        raise AltcraftAnswerTooLarge(
            f"{request.endpoint.name}: the answer is larger than {settings.max_answer_bytes:,} bytes (max_answer_bytes"
            " in the connection's extra) and was not read. Ask for less at a time, or raise the setting."
        )


LONGEST_REFUSAL = 1_000_000
"""Bytes. Of what is longer than this, where a file was asked for, the beginning tells whether it is the file."""
REFUSING_STATUSES = frozenset({400, 402, 404, 409})
"""What quick import says beside 401 and 403 (CONTRACT 1.4)."""


def _worked_by_status(endpoint: Endpoint, code: int | None, body: bytes) -> bool:
    """Whether a 2xx alone means success, since the answer need be no envelope. A web page is a gateway's."""
    return endpoint.answer is ResponseKind.STATUS and code is None and not body.lstrip().startswith(b"<")


def _is_page(request: Request, content_type: str, body: bytes) -> bool:
    """Whether a web page came where another file was asked for: the login of a proxy, a link that has expired."""
    if request.suffix in {".html", ".htm", ".xhtml"}:
        return False
    said = content_type.partition(";")[0].strip().lower()
    begins = body[:1_000].lstrip().lower()
    return said in {"text/html", "application/xhtml+xml"} or begins.startswith((b"<!doctype html", b"<html"))


def _refuses(request: Request, answer: Mapping[str, Any] | None) -> bool:
    """Whether JSON that came where a file was asked for says no. A JSON file may have an ``error`` of its own."""
    if answer is None or not _integer(answer.get("error")):
        return False
    is_envelope = "error_text" in answer and answer.keys() <= {*_ENVELOPE, *_PAYLOADS}
    return is_envelope or request.suffix not in {".json", ".jsonl"}


def _first_line(body: bytes) -> str:
    return body.decode("utf-8", "replace").strip().partition("\n")[0]


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
    name: str, http_status: int, first_line: str, retry_after: float | None
) -> AltcraftTransportError | AltcraftRejected:
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


def _page_instead(name: str, http_status: int, body: bytes, settings: Settings) -> AltcraftTransportError:
    return AltcraftTransportError(
        f"{name}: HTTP {http_status} with a web page instead of the file, beginning"
        f" {quotable(_first_line(body), settings)!r}. Is the file still there, or does a proxy ask to sign in?",
        http_status=http_status,
    )


def _without_rows(text: str, request: Request) -> str:
    """A text about a batch, without the words that stand in its rows. Names of fields are no such words.

    Words of one or two letters tell nobody apart, and are left.
    """
    words = {word.casefold() for word in _WORD.findall(text)}
    if not request.endpoint.items or not words:
        return text
    rows = (_json_object(request.body) or {}).get(request.endpoint.items)
    hidden: set[str] = set()
    fields: set[str] = set()
    try:
        _find(words, rows, hidden, fields)
    except RecursionError:
        # Nested as deep as it could just be read.
        hidden = words
    return _WORD.sub(lambda word: "***" if word[0].casefold() in hidden - fields else word[0], text)


def _find(words: set[str], value: Any, in_values: set[str], in_names: set[str]) -> None:
    """Find words in a value from JSON: in the names in it, and in what stands under them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            in_names |= words.intersection(_WORD.findall(name.casefold()))
            _find(words, inner, in_values, in_names)
    elif isinstance(value, list):
        for inner in value:
            _find(words, inner, in_values, in_names)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        in_values |= words.intersection(_WORD.findall(str(value).casefold()))


def quotable(said: Any, settings: Settings, request: Request | None = None) -> str:
    """What the other side said, fit for a log: one short line, without the token, addresses or phone numbers.

    :param request: what it was said of; of a batch, the words of its rows are left out, too.
    """
    try:
        text = " ".join(str(said or "").split())
    except (RecursionError, ValueError):
        # Nested as deep as it could just be read, or a number of more digits than Python writes.
        return f"({type(said).__name__})"
    text = _IN_A_URL.sub("***", _forms_of(settings.token).sub("***", text))
    if len(text) > LONGEST_SEARCHED:
        # The searches below take the square of the length. A word that is cut is not shown: its rest told what it is.
        text = text[:LONGEST_SEARCHED].rpartition(" ")[0] or text[:LONGEST_SEARCHED]
    text = _LONG_NUMBER.sub("***", _EMAIL.sub("***", text))
    if request is not None:
        text = _without_rows(text, request)
    return text if len(text) <= 200 else f"{text[:200]}…"


LONGEST_SEARCHED = 2_000


@cache
def _forms_of(token: str) -> re.Pattern[str]:
    """The token as it is, and as a URL writes it."""
    signs = (
        sign
        if sign.isascii() and sign.isalnum()
        else f"(?:{re.escape(sign)}|{'[+]|' if sign == ' ' else ''}{quote(sign, safe='', errors='replace')})"
        for sign in token
    )
    return re.compile("".join(signs), re.IGNORECASE)


def _integer(value: Any) -> int | None:
    """A whole number, which may come as a text (CONTRACT 1.7)."""
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


def _retry_after(value: str | None, server_time: datetime | None) -> float | None:
    """Seconds to wait, from either form of the header (RFC 9110)."""
    if not value:
        return None
    seconds = value.strip()
    if seconds.isascii() and seconds.isdigit():
        return float(seconds)
    until = _http_date(value)
    if until is None:
        return None
    return max(0.0, (until - (server_time or datetime.now(UTC))).total_seconds())
