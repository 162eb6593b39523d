"""Typed settings of a connection. Values arrive as strings as often as not; unknown names are refused."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

CHECKSUMMED = frozenset(
    {
        *(f"profiles/{verb}{batch}" for verb in ("add", "update", "import") for batch in ("", "_batch")),
        "integrations/any/profile_import",
        "suppresses/email_add",
        "suppresses/emails_add",
    }
)
"""Endpoints that the older documentation names among those remembered by checksum; its table is cut (CONTRACT 1.8)."""
MEGABYTE = 1_000_000
"""Decimal, the smaller reading: whether "10 MB" is binary is unknown (CONTRACT 1.5)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where an Altcraft is and how to talk to it.

    :param base_url: scheme, host and port, without a path.
    :param token: API token.
    :param auth: ``body`` sends the token as the field ``token``, which every edition reads; ``header`` sends
        ``Authorization: Bearer``, which newer ones prefer (CONTRACT 1.2).
    :param request_id_header: header that names a logical request; ``X-Request-ID`` on older installations.
    :param deduplication_window: seconds for which the installation remembers a Request-ID; 0 = it does not.
    :param deduplicates_launches: whether it remembers launches and creations, too. That a ``Request-ID`` covers them is
        documented; that the checksums of older installations do is only inferred (CONTRACT 1.8), so there it is
        ``False`` unless somebody who knows says otherwise.
    :param deployment: a name of this Airflow, part of every Request-ID. Two with one token, such as staging and
        production, need different ones; it must not change while a launch is under way.
    :param record_path: a folder, local or in an object store, where the tries of a task leave what the next one must
        know, on Airflow before 3.3, which has no task state store.
    :param connect_timeout: seconds to get a connection.
    :param read_timeout: seconds from the end of a request to the end of its answer; of a request that is being sent,
        and of a file that is downloaded, seconds without progress.
    :param max_attempts: how often one call is tried in all, where it may be repeated.
    :param max_requests_per_second: pace of one client; 0 = as fast as it goes.
    :param max_body_bytes: largest body of a request (CONTRACT 1.5); an installation may have changed it.
    :param max_body_bytes_with_files: the same of a request with files.
    :param max_answer_bytes: largest answer that is read, without its compression. Files are downloaded at any size.
    :param download_token_in_url: older editions want the token of a download in its URL (CONTRACT 8.5), where proxies
        may log it.
    :param verify: check the certificate: yes, no, or the path of a CA bundle.
    :param task_success_statuses: words that say a task is done (CONTRACT 2.1).
    :param task_failure_statuses: words that say it failed. No source names them; the defaults are guesses
        that cost nothing when they are wrong, since other words mean "still running".
    """

    base_url: str
    token: str = field(repr=False)
    auth: Literal["body", "header"] = "body"
    request_id_header: str = "Request-ID"
    deduplication_window: float = 86_400
    deduplicates_launches: bool | None = None
    deployment: str = ""
    record_path: str | None = None
    connect_timeout: float = 10
    read_timeout: float = 120
    max_attempts: int = 5
    max_requests_per_second: float = 0
    max_body_bytes: int = 10 * MEGABYTE
    max_body_bytes_with_files: int = 100 * MEGABYTE
    max_answer_bytes: int = 64 * MEGABYTE
    download_token_in_url: bool = False
    verify: bool | str = True
    task_success_statuses: frozenset[str] = frozenset({"completed", "success"})
    task_failure_statuses: frozenset[str] = frozenset({"failed", "error", "canceled", "cancelled"})

    @property
    def deduplicates(self) -> bool:
        """Whether a repeated Request-ID is answered from memory."""
        return self.deduplication_window > 0

    def window_of(self, endpoint: str) -> float:
        """Seconds for which a request to an endpoint is certainly remembered; 0 = perhaps not at all.

        :param endpoint: catalogue name.
        """
        covers_all = self.deduplicates_launches
        if covers_all is None:
            covers_all = self.request_id_header.lower() == "request-id"
        return self.deduplication_window if covers_all or endpoint in CHECKSUMMED else 0.0


def settings_from_connection(
    *,
    host: str | None,
    schema: str | None = None,
    port: int | None = None,
    token: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the fields of an Airflow connection.

    :param host: host name, or a URL whose scheme and port then stand in for the two below.
    :param schema: ``https`` unless said otherwise.
    :param port: port, if not the scheme's own.
    :param token: API token, from the password field.
    :param extra: the typed settings above, and ``allow_http``, which permits plain http beyond
        loopback.
    :raises AltcraftConfigurationError: naming the field that is missing, unknown or of the wrong type.
    """
    if not host:
        raise AltcraftConfigurationError("The Altcraft connection has no host.")
    if not token:
        raise AltcraftConfigurationError("The Altcraft connection has no API token: put it in the password field.")
    given = {name: value for name, value in (extra or {}).items() if value not in (None, "")}
    allow_http = _boolean("allow_http", given.pop("allow_http", False))
    base_url = _base_url(host, schema, port, allow_http=allow_http)
    return Settings(base_url=base_url, token=token, **_typed(given))


def _base_url(host: str, schema: str | None, port: int | None, *, allow_http: bool) -> str:
    parts = urlsplit(host if "://" in host else f"{schema or 'https'}://{host}")
    scheme, name = parts.scheme.lower(), parts.hostname or ""
    if scheme not in {"http", "https"} or not name:
        raise AltcraftConfigurationError("The Altcraft connection's host and schema do not make an http(s) URL.")
    if parts.path.strip("/") or parts.query or parts.username:
        raise AltcraftConfigurationError("The Altcraft connection's host must be a host name, without path or user.")
    if scheme == "http" and not allow_http and not _is_loopback(name):
        raise AltcraftConfigurationError(
            f"The Altcraft connection uses plain http to {name}: the API token would travel readable. "
            'Use https, or set "allow_http": true in the extra.'
        )
    number = port or parts.port
    bracketed = f"[{name}]" if ":" in name else name
    return f"{scheme}://{bracketed}:{number}" if number else f"{scheme}://{bracketed}"


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _typed(given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(_READERS))
    if unknown:
        known = [*_READERS, "allow_http"]
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known are: {', '.join(known)}."
        names = ", ".join(repr(name) for name in unknown)
        raise AltcraftConfigurationError(f"Unknown setting in the Altcraft connection's extra: {names}.{hint}")
    return {name: _READERS[name](name, value) for name, value in given.items()}


def _refused(name: str, expected: str) -> AltcraftConfigurationError:
    # The value is not quoted: whatever was pasted into the wrong field may be a secret.
    return AltcraftConfigurationError(f"The Altcraft connection's extra {name!r} must be {expected}.")


def _boolean(name: str, value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise _refused(name, "true or false")
    return found


def _number(minimum: float, *, exclusive: bool = False) -> Callable[[str, Any], float]:
    def read(name: str, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise _refused(name, "a number") from None
        if not (number > minimum or (number == minimum and not exclusive)) or number == float("inf"):
            raise _refused(name, f"a number {'above' if exclusive else 'of at least'} {minimum:g}")
        return number

    return read


def _integer(minimum: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            raise _refused(name, "a whole number") from None
        if number < minimum:
            raise _refused(name, f"a whole number of at least {minimum}")
        return number

    return read


def _word(*allowed: str) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in allowed:
            raise _refused(name, " or ".join(repr(word) for word in allowed))
        return str(value)

    return read


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refused(name, "a text")
    return value.strip()


def _name(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise _refused(name, "a short name")
    return value.strip()


def _header(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.replace("-", "").isalnum() or not value.isascii():
        raise _refused(name, "the name of an HTTP header")
    return value


def _verify(name: str, value: Any) -> bool | str:
    if isinstance(value, str) and "/" in value:
        return value
    return _boolean(name, value)


def _words(name: str, value: Any) -> frozenset[str]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise _refused(name, "a list of words")
    return frozenset(item.strip().lower() for item in items if item.strip())


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "auth": _word("body", "header"),
    "request_id_header": _header,
    "deduplication_window": _number(0),
    "deduplicates_launches": _boolean,
    "deployment": _name,
    "record_path": _text,
    "connect_timeout": _number(0, exclusive=True),
    "read_timeout": _number(0, exclusive=True),
    "max_attempts": _integer(1),
    "max_requests_per_second": _number(0),
    "max_body_bytes": _integer(1_000),
    "max_body_bytes_with_files": _integer(1_000),
    "max_answer_bytes": _integer(1_000),
    "download_token_in_url": _boolean,
    "verify": _verify,
    "task_success_statuses": _words,
    "task_failure_statuses": _words,
}
