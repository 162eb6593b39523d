"""How a call to Altcraft is written. Pure: the same arguments give the same bytes, so that a repeat is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from airflow_provider_altcraft.api.endpoints import Endpoint, ResponseKind
from airflow_provider_altcraft.api.parameters import written
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

# Keys in a fixed order: installations without Request-ID compare checksums of the body (CONTRACT 1.8).
_ENCODER = msgspec.json.Encoder(order="deterministic")
_IN_THE_PATH = re.compile(r"\{(\w+)\}")
_PORTS = {"http": 80, "https": 443}

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


def request_of(
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
    made = request_with_body(endpoint, body_of(endpoint, sent, settings), settings, request_id, path=path)
    return replace(made, raw_result=raw_result)


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


def request_with_body(
    endpoint: Endpoint, body: bytes, settings: Settings, request_id: str | None = None, *, path: str | None = None
) -> Request:
    """A call whose body is written already, as an HTTP request.

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


def _with_token(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    body = {name: value for name, value in params.items() if value is not None}
    if _token_place(endpoint, settings) == "body":
        body["token"] = settings.token
    return body


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


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)
