"""Functions in the place of a profile's values, such as ``{"action": "increase", "value": 5}`` (CONTRACT 8.1).

A batch that is sent twice leaves the stored profiles as if it had been sent once, unless it holds such a function.
"""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_altcraft.api.request import Frame

CONVERGING = frozenset({"set", "delete", "remove"})
"""Actions that do no more when they are repeated. Of ``add``, the contract says that it may (CONTRACT 13); the words
themselves are not documented, so any other counts as one that acts again."""

_MARK = b'"action"'
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def converges(body: bytes, frame: Frame, *, wrapped: bool) -> bool:
    """Whether sending a batch twice leaves the profiles as sending it once does.

    :param body: as the delivery writes it: names are not escaped where they need not be.
    :param frame: what it was joined by. What stands there is no profile.
    :param wrapped: whether an item is written ``{"data": {...}}``.
    """
    if body.find(_MARK, len(frame.head)) < 0:
        return True
    items = (bytes(item) for item in _ITEMS.decode(frame.array_of(body)))
    return not any(_acts_again(item, wrapped=wrapped) for item in items if _MARK in item)


def _acts_again(item: bytes, *, wrapped: bool) -> bool:
    profile: Any = msgspec.json.decode(item)
    if wrapped and isinstance(profile, dict):
        profile = profile.get("data")
    if not isinstance(profile, dict):
        return False
    actions = [value["action"] for value in profile.values() if isinstance(value, dict) and "action" in value]
    return any(not isinstance(action, str) or action not in CONVERGING for action in actions)
