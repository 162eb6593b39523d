"""Field functions in place of a profile's values, such as ``{"action": "increase", "value": 5}`` (CONTRACT 8.1).

Sending a batch twice leaves the same stored profiles as sending it once, unless it contains such a function.
"""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_altcraft.api.request import Frame

CONVERGING = frozenset({"set", "delete", "remove"})
"""Actions that have no further effect when repeated. ``add`` may have one (CONTRACT 13). Other actions are not
documented, so they are assumed to act again."""

_MARK = b'"action"'
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def converges(body: bytes, frame: Frame, *, wrapped: bool) -> bool:
    """Whether sending a batch twice leaves the same profiles as sending it once.

    :param body: as the delivery writes it, so ``"action"`` is never escaped.
    :param frame: the frame around the items, which holds no profiles.
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
