"""Read the counters of a segment (CONTRACT 9)."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftJobFailed

SegmentCounters = dict[str, dict[str, Any]]
"""Channel -> ``subscribed_sendable`` and ``unconfirmed_sendable`` -> how many."""


def counters_of(answer: Any) -> SegmentCounters:
    """The answer of ``segments/get_counters``, by channel. An empty answer is a segment without subscriptions.

    :raises AltcraftJobFailed: if the answer has another form.
    """
    items = [] if answer is None else answer
    try:
        if isinstance(items, list):
            return {str(item["channel"]): dict(item["status"]) for item in items}
    except (TypeError, KeyError, ValueError):
        pass
    raise AltcraftJobFailed("segments/get_counters: the answer is not a list of channels with their counters.")


def number_of(value: Any) -> int:
    """A counter, which may be a string (CONTRACT 1.7)."""
    try:
        return int(str(value))
    except ValueError:
        raise AltcraftJobFailed("segments/get_counters: a counter is not a whole number.") from None


def summary(counters: SegmentCounters) -> str:
    """All counters in one line, for the log."""
    return (
        "; ".join(
            f"{channel}: " + ", ".join(f"{number} {name}" for name, number in statuses.items())
            for channel, statuses in counters.items()
        )
        or "no subscriptions"
    )
