"""Typed settings of a connection. Values may be strings; unknown names are an error."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

from msgspec import Meta, convert

from airflow_provider_altcraft.api.suggestion import suggestion
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

CHECKSUMMED = frozenset(
    {
        *(f"profiles/{verb}{batch}" for verb in ("add", "update", "import") for batch in ("", "_batch")),
        "integrations/any/profile_import",
        "suppresses/email_add",
        "suppresses/emails_add",
    }
)
"""Endpoints that the older documentation lists as remembered by checksum; its table is truncated (CONTRACT 1.8)."""
MEGABYTE = 1_000_000
"""Decimal, to be safe: it is unknown whether "10 MB" is binary (CONTRACT 1.5)."""

# The descriptions complete the sentence "… must be".
_TRUTH = Meta(description="true or false")
_FINITE = sys.float_info.max
Switch = Annotated[bool, _TRUTH]
Number = Annotated[float, Meta(ge=0, le=_FINITE, description="a number of at least 0")]
Seconds = Annotated[float, Meta(gt=0, le=_FINITE, description="a number above 0")]
Count = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]
Size = Annotated[int, Meta(ge=1_000, description="a whole number of at least 1000")]
Words = Annotated[frozenset[str], Meta(description="a list of words")]
Header = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", description="the name of an HTTP header")]
Name = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="a short name")]


@dataclass(frozen=True, slots=True)
class Settings:
    """The address of an Altcraft installation and how to talk to it.

    :param base_url: scheme, host and port, without a path.
    :param token: API token.
    :param auth: ``body`` sends the token as the field ``token``, which every edition reads; ``header`` sends
        ``Authorization: Bearer``, which newer ones prefer (CONTRACT 1.2).
    :param request_id_header: header that identifies a logical request; ``X-Request-ID`` on older installations.
    :param deduplication_window: seconds for which the installation remembers a Request-ID; 0 = not at all.
    :param deduplicates_launches: whether it also remembers launches and creations. That a ``Request-ID`` covers them is
        documented; that the checksums of older installations do is only inferred (CONTRACT 1.8), so there the default
        is ``False``.
    :param deployment: a name for this Airflow, part of every Request-ID. Airflows that share a token, such as staging
        and production, need different names; it must not change while a launch is in progress.
    :param record_path: a folder, local or in an object store, where the tries of a task leave records for the next, for
        Airflow before 3.3, which has no task state store.
    :param connect_timeout: seconds to establish a connection.
    :param read_timeout: seconds from the end of a request to the end of its answer; while sending a request or
        downloading a file, seconds without progress.
    :param max_attempts: maximum attempts per call, if it may be repeated.
    :param max_requests_per_second: rate limit of one client; 0 = none.
    :param max_body_bytes: maximum size of a request (CONTRACT 1.5); installations may differ.
    :param max_body_bytes_with_files: the same for requests with files.
    :param max_answer_bytes: maximum size of an answer, decompressed. Downloads are not limited.
    :param download_token_in_url: whether to send the token of a download in its URL, where proxies may log it, as older
        editions require (CONTRACT 8.5).
    :param verify: whether to check the certificate, or the path of a CA bundle.
    :param task_success_statuses: statuses of a task that has succeeded (CONTRACT 2.1).
    :param task_failure_statuses: statuses of one that has failed. They are not documented; a wrong guess does no harm,
        since any other status means "still running".
    """

    base_url: str
    token: str = field(repr=False)
    auth: Annotated[Literal["body", "header"], Meta(description="'body' or 'header'")] = "body"
    request_id_header: Header = "Request-ID"
    deduplication_window: Number = 86_400
    deduplicates_launches: Annotated[bool | None, _TRUTH] = None
    deployment: Name = ""
    record_path: Annotated[Annotated[str, Meta(min_length=1)] | None, Meta(description="a text")] = None
    connect_timeout: Seconds = 10
    read_timeout: Seconds = 120
    max_attempts: Count = 5
    max_requests_per_second: Number = 0
    max_body_bytes: Size = 10 * MEGABYTE
    max_body_bytes_with_files: Size = 100 * MEGABYTE
    max_answer_bytes: Size = 64 * MEGABYTE
    download_token_in_url: Switch = False
    verify: Annotated[bool | Annotated[str, Meta(pattern="/")], _TRUTH] = True
    task_success_statuses: Words = frozenset({"completed", "success"})
    task_failure_statuses: Words = frozenset({"failed", "error", "canceled", "cancelled"})

    def window_of(self, endpoint: str) -> float:
        """Seconds for which a request to an endpoint is certain to be remembered; 0 = possibly not at all.

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

    :param host: host name, or a URL whose scheme and port override the next two.
    :param schema: ``https`` by default.
    :param port: port, if not the scheme's default.
    :param token: API token, from the password field.
    :param extra: the settings above, and ``allow_http``, which permits plain http beyond loopback.
    :raises AltcraftConfigurationError: naming the field that is missing, unknown or of the wrong type.
    """
    if not host:
        raise AltcraftConfigurationError("The Altcraft connection has no host.")
    if not token:
        raise AltcraftConfigurationError("The Altcraft connection has no API token: put it in the password field.")
    typed = _typed({name: value for name, value in (extra or {}).items() if value not in (None, "")})
    base_url = _base_url(host, schema or "https", port, allow_http=typed.pop("allow_http", False))
    return Settings(base_url=base_url, token=token, **typed)


def _base_url(host: str, schema: str, port: int | None, *, allow_http: bool) -> str:
    parts = urlsplit(host if "://" in host else f"{schema}://{host}")
    scheme, name = parts.scheme.lower(), parts.hostname or ""
    if scheme not in {"http", "https"} or not name:
        raise AltcraftConfigurationError("The Altcraft connection's host and schema do not make an http(s) URL.")
    if any((parts.path.strip("/"), parts.query, parts.username)):
        raise AltcraftConfigurationError("The Altcraft connection's host must be a host name, without path or user.")
    if scheme == "http" and not allow_http and not _is_loopback(name):
        raise AltcraftConfigurationError(
            f"The Altcraft connection uses plain http to {name}: the API token would be sent unencrypted. "
            'Use https, or set "allow_http": true in the extra.'
        )
    return f"{scheme}://{_authority(name, port or parts.port)}"


def _authority(name: str, port: int | None) -> str:
    bracketed = f"[{name}]" if ":" in name else name
    return f"{bracketed}:{port}" if port else bracketed


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_KINDS = {**get_type_hints(Settings, include_extras=True), "allow_http": Switch}
del _KINDS["base_url"], _KINDS["token"]
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _typed(given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(_KINDS))
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        hint = suggestion(unknown[0], _KINDS, f"Known settings: {', '.join(_KINDS)}.")
        raise AltcraftConfigurationError(f"Unknown setting in the Altcraft connection's extra: {names}.{hint}")
    return {name: _read(name, value) for name, value in given.items()}


def _read(name: str, value: Any) -> Any:
    """A setting, which is a string if it comes from a form or an environment variable."""
    kind = _KINDS[name]
    (meta,) = kind.__metadata__
    value = value.strip() if isinstance(value, str) else value
    if meta is _TRUTH:
        value = _TRUTHS.get(str(value).lower(), value)
    elif kind is Words and isinstance(value, str):
        value = value.split(",")
    try:
        if isinstance(value, str) and kind.__origin__ in (int, float):
            # What Python reads as a number, and not JSON alone.
            value = kind.__origin__(value)
        found = convert(value, kind, strict=False)
    except ValueError:
        # The value is not quoted: a secret may have been pasted into the wrong field.
        raise AltcraftConfigurationError(
            f"The Altcraft connection's extra {name!r} must be {meta.description}."
        ) from None
    return frozenset(word.strip().lower() for word in found if word.strip()) if kind is Words else found
