"""Ways to find a profile (CONTRACT 1.9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.contract.method import MATCHING

Key = tuple[str, str]
"""A place and the value there."""

PLACES: dict[str, tuple[str, ...]] = {
    "email": ("email", "sub:email"),
    "email_profile": ("email",),
    "email_sub": ("sub:email",),
    "phone": ("phones", "sub:phone"),
    "phone_sub": ("sub:phone",),
    "push_sub": ("sub:push",),
    "email_phone": ("email", "phones"),
    "email_phone_sub": ("sub:email", "sub:phone"),
    "profile_id": ("profile_id",),
}
"""The fields, and the subscriptions (``sub:``), that a matching searches, in this order."""

CUSTOM = {"custom": "", "custom_sub": "sub:"}
"""The prefix of a field that the request names."""

NAMES = {"sub:email": ("email",), "phones": ("phones", "phone"), "sub:phone": ("phones", "phone")}
"""The search values for a place, where that is not one of the same name; the first one given counts."""


def single(value: Any) -> str:
    """The one value, or the first of several."""
    first = value[0] if isinstance(value, list) and value else value
    return "" if first in (None, []) else str(first)


def keys(data: Mapping[str, Any]) -> Iterator[Key]:
    """What a profile can be found by."""
    for name, value in data.items():
        if isinstance(value, str | int):
            yield name, str(value)
    if phone := single(data.get("phones")) or single(data.get("phone")):
        yield "phones", phone
    for subscription in _subscriptions(data):
        yield from subscription_keys(subscription)


def subscription_keys(subscription: Mapping[str, Any]) -> Iterator[Key]:
    """What a profile can be found by, in one of its subscriptions."""
    for name in ("email", "phone"):
        if value := single(subscription.get(name)):
            yield f"sub:{name}", value
    if subscription.get("subscription_id"):
        yield "sub:push", f"{subscription.get('provider')}/{subscription['subscription_id']}"
    custom = subscription.get("cc_data")
    if isinstance(custom, dict):
        for name, value in custom.items():
            yield f"sub:{name}", str(value)


def wanted(matching: str, given: Mapping[str, Any]) -> list[Key]:
    """Where to look, and for what.

    :param given: the search values: parameters of the request, or a profile that is imported.
    :raises Refused: for an unknown matching, or without a value to search for.
    """
    if matching not in MATCHING:
        raise Refused(400, text=f"Unknown matching: {matching}")
    missing = matching
    if matching in CUSTOM:
        name = str(given.get("field_name") or "")
        missing = name or "field_name"
        found = [(f"{CUSTOM[matching]}{name}", _custom_value(name, given))]
    else:
        found = [(place, _value(place, given)) for place in PLACES[matching]]
    found = [key for key in found if key[1]]
    if not found:
        raise Refused(400, text=f"No value to match by: {missing}")
    return found


def _custom_value(name: str, given: Mapping[str, Any]) -> str:
    return single(given.get("field_value")) or single(given.get(name)) if name else ""


def _value(place: str, given: Mapping[str, Any]) -> str:
    """The value to search a place for; for a subscription it may be in the profile or in its subscriptions."""
    value = next((value for name in NAMES.get(place, (place,)) if (value := single(given.get(name)))), "")
    if value or not place.startswith("sub:"):
        return value
    # A request names a push subscription as the subscription itself does: by provider and id.
    named = [given] if place == "sub:push" else []
    listed = [*named, *_subscriptions(given)]
    return next((value for one in listed for name, value in subscription_keys(one) if name == place), "")


def _subscriptions(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in data.get("subscriptions") or [] if isinstance(one, dict)]
