"""The rows of the catalogue, and the notation for their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal


class Effect(Enum):
    """What a call changes, and hence whether it may be repeated (CONTRACT 13)."""

    READ = "read"
    """Changes nothing: repeated freely."""
    IDEMPOTENT_WRITE = "idempotent write"
    """Brings data into a state that a repeat does not change: repeated with a Request-ID."""
    CREATE = "creation"
    """Creates another object, event or task with every call: goes through the launch protocol."""
    LAUNCH = "launch"
    """Sends messages, which cannot be recalled: goes through the launch protocol."""
    IRREVERSIBLE = "irreversible"
    """Cannot be undone by any other call."""
    UNKNOWN = "unknown"
    """Its effect is not documented: treated like a write that must not be repeated."""


class Documented(Enum):
    """How much is known about an endpoint."""

    FULL = "full"
    """Parameters and answer are documented: an unknown parameter is a mistake."""
    PARTIAL = "partial"
    """Documented in part, or only by an example."""
    PATH_ONLY = "path only"
    """Only the path and the title are known."""


class ResponseKind(Enum):
    """The kind of answer."""

    ENVELOPE = "envelope"
    """JSON with ``error`` and a payload (CONTRACT 1.3)."""
    STATUS = "HTTP status"
    """The HTTP status says whether it worked (CONTRACT 8.9); an envelope is read if there is one."""
    FILE = "file"
    """The bytes of a file."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an endpoint.

    :param name: its name here; the first of ``wire``.
    :param wire: its name in the request. If the sources contradict each other, there are two and both are sent.
    :param aliases: other accepted names: a consistent one for what the API calls by several (CONTRACT 14).
    :param types: any of ``int``, ``float``, ``bool``, ``str``, ``datetime`` (RFC 3339), ``date`` (``YYYY-MM-DD``),
        ``uuid``, ``object``, ``array``, ``int[]``, ``str[]``, ``object[]``, ``any``.
    :param values: the allowed strings; with ``str`` among the types, only the known ones.
    :param required: whether it is required.
    :param default: what Altcraft uses without it.
    :param condition: when it is needed, or another remark.
    """

    name: str
    wire: tuple[str, ...]
    aliases: tuple[str, ...]
    types: tuple[str, ...]
    values: tuple[str, ...] = ()
    required: bool = False
    default: str = ""
    condition: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All accepted names."""
        return (*self.wire, *self.aliases)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of the API.

    :param name: its name here: the path without ``/api/v1.1/``; the few methods outside of it begin with ``v1.0/``,
        ``integrations/`` or ``download/``. Names in braces are parameters in the path.
    :param effect: what it changes.
    :param documented: how much is known about it.
    :param title: its title in the documentation.
    :param takes: its parameters, each ``wire name[+wire name][/alias]: types[!] [= default] [(condition)]``, separated
        by ``;``. ``!`` means required, ``*`` any other name.
    :param payload: the field of the answer with the result (CONTRACT 1.3): ``data``, ``result`` or ``profile_id``; an
        answer without it is its own payload.
    :param items: the field of the request with the batch, for methods that take one.
    :param wrapped: whether an item of the batch is written ``{"data": {...}}`` (CONTRACT 14.6).
    :param task: where the answer has the id of the task it started: ``task_id`` or ``data.task_id``; ``not seen`` if it
        is not documented (CONTRACT 1.10). Both places are searched.
    :param answer: the kind of answer.
    :param token_in_url: whether the token is a parameter of the URL, whatever the connection says (CONTRACT 1.2).
    :param settles: for an irreversible method: whether a repeat, at any time, changes nothing more.
    :param deprecated: whether the documentation deprecates it.
    :param page: its documentation page, relative to the documentation's root.
    :param note: any other remark.
    """

    name: str
    effect: Effect
    documented: Documented
    title: str = ""
    takes: tuple[str, ...] = ()
    payload: str = "data"
    items: str | None = None
    wrapped: bool = False
    task: str | None = None
    answer: ResponseKind = ResponseKind.ENVELOPE
    token_in_url: bool = False
    settles: bool = False
    deprecated: bool = False
    page: str = ""
    note: str = ""

    @property
    def path(self) -> str:
        """Path below the host, without a trailing slash (CONTRACT 1.7)."""
        elsewhere = self.name.partition("/")[0] in {"v1.0", "integrations", "download"}
        return f"/api/{self.name}" if elsewhere else f"/api/v1.1/{self.name}"

    @property
    def method(self) -> Literal["GET", "POST"]:
        """``POST``, except for downloads (CONTRACT 1.1)."""
        return "GET" if self.answer is ResponseKind.FILE else "POST"

    @property
    def converges(self) -> bool:
        """Whether repeating the call, at any time, has no further effect."""
        return self.effect in (Effect.READ, Effect.IDEMPOTENT_WRITE) or self.settles

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its known parameters, parsed from ``takes`` on first use."""
        return _parameters(self.takes)

    @property
    def paging(self) -> Literal["id", "pointer"] | None:
        """How to request the next page of a list: by an id, or by an opaque pointer; ``None`` if it has no pages.

        If only the path of a list is known, the general rule applies (CONTRACT 1.6).
        """
        if self.effect is not Effect.READ:
            return None
        pointer = next((parameter for parameter in self.parameters if parameter.name == "from_id"), None)
        if pointer is not None:
            return "id" if pointer.types == ("int",) else "pointer"
        is_list = self.name.rpartition("/")[2] in {"list", "list_all"}
        return "id" if is_list and self.documented is Documented.PATH_ONLY else None


_TYPES = frozenset(
    {"int", "float", "bool", "str", "datetime", "date", "uuid", "object", "array", "int[]", "str[]", "object[]", "any"}
)


def row(name: str, effect: Effect, documented: Documented, title: str, *takes: str, **details: Any) -> Endpoint:
    """A row of the catalogue; see ``Endpoint``."""
    return Endpoint(name, effect, documented, title, takes, **details)


@cache
def _parameters(takes: tuple[str, ...]) -> tuple[Parameter, ...]:
    return tuple(_parameter(text) for piece in takes for text in piece.split("; "))


def _parameter(text: str) -> Parameter:
    names, _, kinds = text.partition(": ")
    kinds, _, condition = kinds.partition(" (")
    kinds, _, default = kinds.partition(" = ")
    wire, *aliases = names.split("/")
    words = kinds.removesuffix("!").split("|")
    return Parameter(
        name=wire.split("+")[0],
        wire=tuple(wire.split("+")),
        aliases=tuple(aliases),
        types=tuple(word for word in words if word in _TYPES),
        values=tuple(word for word in words if word not in _TYPES),
        required=kinds.endswith("!"),
        default=default,
        condition=condition.removesuffix(")"),
    )
