"""Whose launch it is that Altcraft remembers, and which of its memories are no answer of today's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftRejected

REFUSALS = frozenset({400, 401, 402, 403, 404})
"""Codes that say no (CONTRACT 1.4). What the repeat of a request gets that is still worked on is not documented."""
STILL_UNDERWAY = timedelta(minutes=30)
"""How long after a request was sent a start in a mailing's log can be its doing."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What a task instance tells others of a launch.

    :param endpoint: catalogue name.
    :param target: fingerprint of what is launched at most once.
    :param content: fingerprint of all of it; ``None`` while it is not known that it happened.
    :param began: RFC 3339 by the server's clock, no later than the launch; empty if nobody knows.
    :param mark: where the mailing's log stood before it.
    """

    endpoint: str
    target: str
    content: str | None = None
    began: str = ""
    mark: dict[str, Any] | None = None


class Whose(Enum):
    """Whose launch it is that Altcraft remembers."""

    OURS = auto()
    """This task instance has asked for it, and no other says that it has."""
    A_SIBLINGS = auto()
    """Another mapped instance launched it, and it is what this one asks for."""
    OTHER_CONTENT = auto()
    """Another mapped instance launched it with other content."""
    NOBODY_KNOWS = auto()
    """This one and another have asked for it. One of them launched it, and neither knows which."""
    A_STRANGERS = auto()
    """This one has not asked for it, and no other says that it launched it."""


def whose(content: str, theirs: Announced | None, *, has_asked: bool) -> Whose:
    """Whose launch it is.

    :param content: fingerprint of what this task instance asks for.
    :param theirs: what another mapped instance says of it.
    :param has_asked: whether an earlier request of this task instance may have reached Altcraft.
    """
    if theirs is not None and theirs.content is not None:
        return Whose.A_SIBLINGS if theirs.content == content else Whose.OTHER_CONTENT
    if not has_asked:
        return Whose.A_STRANGERS
    return Whose.OURS if theirs is None else Whose.NOBODY_KNOWS


def is_old_refusal(error: AltcraftRejected, now: datetime, last: datetime | None) -> bool:
    """Whether it is a refusal from memory, and so no answer of today's.

    Not a remembered fault, which may have launched; nor what may be the answer to a repeat whose first request is
    still worked on.

    :param last: when an earlier try sent it, if that was kept.
    """
    if not error.replayed or error.is_fault or error.in_doubt:
        return False
    return error.code in REFUSALS or (last is not None and now - last > STILL_UNDERWAY)
