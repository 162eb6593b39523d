"""Statistics of subscriptions: how many can be sent messages, by channel (CONTRACT 2.1, 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

NAMES = {"subscribed": "subscribed_sendable", "unconfirmed": "unconfirmed_sendable"}


def counters(profiles: Iterable[dict[str, Any]], resource_id: int) -> list[dict[str, Any]]:
    """The subscriptions to a resource, counted by channel."""
    found: Counter[tuple[str, str]] = Counter()
    channels: dict[str, None] = {}
    for profile in profiles:
        for one in profile.get("subscriptions") or []:
            if str(one.get("resource_id")) == str(resource_id):
                channels[one["channel"]] = None
                found[one["channel"], str(one.get("status"))] += 1
    return [
        {"channel": channel, "status": {name: found[channel, status] for status, name in NAMES.items()}}
        for channel in channels
    ]
