"""The counters of a segment, as Altcraft answers them (CONTRACT 9)."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftJobFailed

Counters = dict[str, dict[str, Any]]
"""Channel -> ``subscribed_sendable`` and ``unconfirmed_sendable`` -> how many."""


def counters_of(answer: Any) -> Counters:
    """By channel, what ``segments/get_counters`` answers; nothing at all is a segment without subscriptions.

    :raises AltcraftJobFailed: if it is something else.
    """
    items = [] if answer is None else answer
    try:
        if isinstance(items, list):
            return {str(item["channel"]): dict(item["status"]) for item in items}
    except (TypeError, KeyError, ValueError):
        pass
    raise AltcraftJobFailed("segments/get_counters: the answer is no list of channels with their counters.")


def number_of(value: Any) -> int:
    """A counter, which may come as a text (CONTRACT 1.7)."""
    try:
        return int(str(value))
    except ValueError:
        raise AltcraftJobFailed("segments/get_counters: a counter is no whole number.") from None


def summary(counters: Counters) -> str:
    """All of them in a line, for the log."""
    return (
        "; ".join(
            f"{channel}: " + ", ".join(f"{number} {name}" for name, number in statuses.items())
            for channel, statuses in counters.items()
        )
        or "no subscriptions"
    )
