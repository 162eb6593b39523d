"""Subscriptions of a profile (CONTRACT 12.4)."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.contract.profiles import SUBSCRIPTION_CHANNELS

STATUSES = ("subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid")
"""Statuses as words; the position of each is its number."""

IDENTIFIERS = {"email": ("email",), "sms": ("phone",), "push": ("provider", "subscription_id")}
"""What identifies a subscription of a channel; the other channels have ``cc_data``."""

LEFT_ALONE = -1
"""A status or a priority that changes nothing (CONTRACT 8.3)."""

Subscription = dict[str, Any]


def status(value: Any) -> str:
    """The word for a status, which may be given as a number.

    :raises Refused: for any other.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(STATUSES):
        return STATUSES[value]
    if isinstance(value, str) and value.isdigit():
        return status(int(value))
    if value not in STATUSES:
        raise Refused(400, text=f"Invalid status of a subscription: {value}")
    return str(value)


def checked(value: Any) -> Subscription:
    """A subscription that can be stored, its status as a word.

    :raises Refused: for one that cannot.
    """
    if not isinstance(value, dict):
        raise Refused(400, text="A subscription must be an object")
    if value.get("channel") not in SUBSCRIPTION_CHANNELS:
        raise Refused(400, text=f"Invalid channel of a subscription: {value.get('channel')}")
    kept = {name: item for name, item in value.items() if name not in {"status", "priority"} or item != LEFT_ALONE}
    return {**kept, "status": status(kept["status"])} if kept.get("status") is not None else kept


def merged(stored: list[Subscription], given: list[Subscription]) -> list[Subscription]:
    """The subscriptions of a profile with those given: known ones change, others are added.

    A new one without a status is subscribed.
    """
    by_identity = {_identity(one): one for one in stored}
    for one in given:
        earlier = by_identity.get(_identity(one), {"status": STATUSES[0]})
        by_identity[_identity(one)] = {**earlier, **one}
    return list(by_identity.values())


def _identity(one: Subscription) -> tuple[str, ...]:
    names = IDENTIFIERS.get(one["channel"], ("cc_data",))
    return (one["channel"], str(one.get("resource_id")), *(str(one.get(name)) for name in names))
