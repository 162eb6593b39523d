"""Build requests to Altcraft. Pure: the same arguments give the same bytes, so that a repeat is recognised as one."""

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

# Keys in a fixed order: installations without Request-ID recognise repeats by a checksum of the body (CONTRACT 1.8).
_ENCODER = msgspec.json.Encoder(order="deterministic")
_IN_THE_PATH = re.compile(r"\{(\w+)\}")
_PORTS = {"http": 80, "https": 443}

UPLOAD = "file_upload"
"""The method whose body is a file (CONTRACT 11)."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, ready to send. Its repr omits headers, query and body: all may contain the token."""

    endpoint: Endpoint
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str | None = None
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw_result: bool = False
    """Whether to leave ``data.result`` of the answer undecoded, as ``msgspec.Raw``: a task's may be large."""

    @property
    def suffix(self) -> str:
        """The extension of the requested file, such as ``.csv``."""
        return PurePosixPath(self.url).suffix.lower()


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes around the items of a batch: rows are encoded only once, and the size is known exactly.

    :param head: ends with the opening bracket of the array of items.
    :param tail: begins with the closing one.
    """

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of a body without items."""
        return len(self.head) + len(self.tail)

    def join(self, items: Sequence[bytes]) -> bytes:
        """The body of a batch.

        :param items: JSON, each of one item or several comma-separated ones.
        """
        if not items:
            return self.head + self.tail
        # Joined so that megabytes of items are copied only once.
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
            f"A parameter cannot be written as JSON ({type(error).__name__}): only strings, numbers, booleans,"
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
    """The HTTP request for a call, its parameters checked against the catalogue.

    :param params: under the API's names or their aliases, without the token; ``None`` values are left out.
    :param undocumented: see ``parameters.written``.
    :param from_id: the pointer from the previous page, sent back unchanged.
    :param raw_result: leave ``data["result"]`` of the answer undecoded, as ``msgspec.Raw``.
    :raises AltcraftConfigurationError: see ``parameters.written`` and ``body_of``.
    """
    sent = written(endpoint, params, undocumented=undocumented)
    if from_id is not None:
        sent["from_id"] = from_id
    path = _path(endpoint, sent)
    made = request_with_body(endpoint, body_of(endpoint, sent, settings), settings, request_id, path=path)
    return replace(made, raw_result=raw_result)


def body_of(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> bytes:
    """The body of a call. ``None`` values are left out.

    :raises AltcraftConfigurationError: if it is over ``max_body_bytes`` or, with files, ``max_body_bytes_with_files``.
    """
    if endpoint.method == "GET":
        return b""
    body = encode(_with_token(endpoint, params, settings))
    setting = "max_body_bytes_with_files" if endpoint.name == UPLOAD or params.get("attach") else "max_body_bytes"
    limit: int = getattr(settings, setting)
    if len(body) > limit:
        raise AltcraftConfigurationError(
            f"{endpoint.name}: the request would be {len(body):,} bytes, over the limit of {limit:,}"
            f" ({setting} in the connection's extra). Nothing was sent."
        )
    return body


def frame_of(endpoint: Endpoint, params: Mapping[str, Any], settings: Settings) -> Frame:
    """The bytes around the items of a batch for this endpoint; the items come last in the body.

    :raises AltcraftConfigurationError: if the endpoint takes no batches, or the parameters contain the items; and see
        ``parameters.written``.
    """
    if endpoint.items is None or endpoint.items in params:
        raise AltcraftConfigurationError(f"{endpoint.name} takes no batches, or its items are among the parameters.")
    head = encode(_with_token(endpoint, written(endpoint, params, without_items=True), settings))[:-1]
    separator = b"," if len(head) > 1 else b""
    return Frame(head=head + separator + encode(endpoint.items) + b":[", tail=b"]}")


def request_with_body(
    endpoint: Endpoint, body: bytes, settings: Settings, request_id: str | None = None, *, path: str | None = None
) -> Request:
    """The HTTP request for a call whose body is ready.

    :param path: the path with its placeholders filled in, if the endpoint's has any.
    :raises AltcraftConfigurationError: for a token or a Request-ID that is not valid in a header.
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
    """Where the token goes: as the connection says, except for methods that leave no choice."""
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
        raise AltcraftConfigurationError(
            f"{what} goes into a header, so it must be printable ASCII without spaces around it."
        )
    return text


def _path(endpoint: Endpoint, params: dict[str, Any]) -> str:
    """The path with its parameters filled in, which are removed from ``params``."""

    def fill(name: re.Match[str]) -> str:
        value = str(params.pop(name[1]))
        return _path_of_a_file(value) if endpoint.answer is ResponseKind.FILE else _segment(value)

    return _IN_THE_PATH.sub(fill, endpoint.path)


def _segment(value: str) -> str:
    """A value escaped so that it stays within its path segment."""
    if value in {"", ".", ".."}:
        raise AltcraftConfigurationError("A parameter in the path of the URL must not be empty or consist of dots.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise AltcraftConfigurationError("A parameter in the path of the URL is not valid Unicode.") from None


def _path_of_a_file(value: str) -> str:
    """The path of an exported file below ``/api/download/``, a prefix that the task's result may include."""
    below = value.strip().removeprefix("/").removeprefix("api/download/")
    return "/".join(_segment(part) for part in below.split("/"))


def path_of_file(named: str, settings: Settings) -> str:
    """The path of an exported file on the connection's host, the only one the token is sent to.

    :param named: a path or URL from a task's result. Its query is dropped: the token that older editions expect there
        is sent in a header, where no proxy logs it, unless the connection sets ``download_token_in_url``
        (CONTRACT 8.5).
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
        f"The result of the task names a file at {where or 'no host'}, but the connection's host is"
        f" {settings.base_url}. The file is not downloaded, as that would send the API token there."
    )


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)
