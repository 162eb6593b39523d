"""What a row of the catalogue says, and the short way in which its parameters are written down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal


class Effect(Enum):
    """What a call changes, and so how carefully it is repeated (CONTRACT 13)."""

    READ = "read"
    """Changes nothing: repeated freely."""
    IDEMPOTENT_WRITE = "idempotent write"
    """Brings data into a state that a repeat would not change: repeated under a Request-ID."""
    CREATE = "creation"
    """Makes another object, event or task at every call: goes through the launch protocol."""
    LAUNCH = "launch"
    """Sends messages, which cannot be taken back: goes through the launch protocol."""
    IRREVERSIBLE = "irreversible"
    """Cannot be undone by any other call."""
    UNKNOWN = "unknown"
    """No source says what it changes, or what a repeat would: treated like a write that must not be repeated."""


class Documented(Enum):
    """How much is known of an endpoint."""

    FULL = "full"
    """Parameters and answer were read: an unknown parameter is a mistake."""
    PARTIAL = "partial"
    """One of them was cut off, or seen in an example only."""
    PATH_ONLY = "path only"
    """Nothing but the path and the title."""


class ResponseKind(Enum):
    """What comes back."""

    ENVELOPE = "envelope"
    """JSON with ``error`` and a payload (CONTRACT 1.3)."""
    STATUS = "HTTP status"
    """The HTTP status says whether it worked (CONTRACT 8.9); an envelope is read if there is one."""
    FILE = "file"
    """The bytes of a file."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an endpoint.

    :param name: what it is called here; the first of ``wire``.
    :param wire: its name in the request. Two, where the sources contradict each other: both are sent.
    :param aliases: other names that are accepted, one sensible name for what the API calls by several (CONTRACT 14).
    :param types: any of ``int``, ``float``, ``bool``, ``str``, ``datetime`` (RFC 3339), ``date`` (``YYYY-MM-DD``),
        ``uuid``, ``object``, ``array``, ``int[]``, ``str[]``, ``object[]``, ``any``.
    :param values: the texts it may be; with ``str`` among the types they are only the ones that were seen.
    :param required: whether it must be there.
    :param default: what Altcraft takes without it.
    :param condition: when it is needed, or what else is to be known.
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
        """All names it is accepted under."""
        return (*self.wire, *self.aliases)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of the API.

    :param name: what users write: the path without ``/api/v1.1/``; the few methods outside of it begin with ``v1.0/``,
        ``integrations/`` or ``download/``. Names in braces are parameters that go into the path.
    :param effect: what it changes.
    :param documented: how much is known of it.
    :param title: what the documentation calls it.
    :param takes: its parameters, each ``wire name[+wire name][/alias]: types[!] [= default] [(condition)]``, with ``;``
        between them. ``!`` means required, ``*`` any other name.
    :param payload: the field of the answer that holds the result (CONTRACT 1.3): ``data``, ``result`` or
        ``profile_id``; an answer without it is its own payload.
    :param items: the field of the request that holds the batch, for methods that take one.
    :param wrapped: whether an item of the batch is written ``{"data": {...}}`` (CONTRACT 14.6).
    :param task: where the answer holds the id of the task it made: ``task_id`` or ``data.task_id``; ``not seen`` where
        the sources do not say (CONTRACT 1.10). It is looked for in both places.
    :param answer: what comes back.
    :param token_in_url: the token is a parameter of the URL, whatever the connection says (CONTRACT 1.2).
    :param settles: of an irreversible one: a repeat, whenever it comes, finds it done and changes nothing more.
    :param deprecated: the documentation calls it so.
    :param page: where it is documented, below the documentation's root.
    :param note: what else is to be known.
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
        """``POST``, but for the download of a file (CONTRACT 1.1)."""
        return "GET" if self.answer is ResponseKind.FILE else "POST"

    @property
    def converges(self) -> bool:
        """Whether doing it twice, at any time, ends where doing it once does."""
        return self.effect in (Effect.READ, Effect.IDEMPOTENT_WRITE) or self.settles

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, as far as they are known; read from ``takes`` when they are first asked for."""
        return _parameters(self.takes)

    @property
    def paging(self) -> Literal["id", "pointer"] | None:
        """How the next page of a list is asked for: by an id, or by an opaque pointer; ``None`` if it has no pages.

        Of a list of which only the path is known, the general rule is taken (CONTRACT 1.6).
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
    """Write a row of the catalogue; see ``Endpoint``."""
    return Endpoint(name, effect, documented, title, takes, **details)


@cache
def _parameters(takes: tuple[str, ...]) -> tuple[Parameter, ...]:
    return tuple(_parameter(text) for piece in takes for text in piece.split("; "))


def _parameter(text: str) -> Parameter:
    names, _, said = text.partition(": ")
    said, _, condition = said.partition(" (")
    said, _, default = said.partition(" = ")
    wire, *aliases = names.split("/")
    words = said.removesuffix("!").split("|")
    return Parameter(
        name=wire.split("+")[0],
        wire=tuple(wire.split("+")),
        aliases=tuple(aliases),
        types=tuple(word for word in words if word in _TYPES),
        values=tuple(word for word in words if word not in _TYPES),
        required=said.endswith("!"),
        default=default,
        condition=condition.removesuffix(")"),
    )
