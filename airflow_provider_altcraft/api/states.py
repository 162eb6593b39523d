"""What Altcraft's status words mean for somebody who waits. Pure.

A word that no document names means "still running": the deadline ends such a wait, never a guess.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from airflow_provider_altcraft.api.settings import Settings


class State(Enum):
    """Where a job is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


CAMPAIGN_STATES = frozenset({"cloning", "inactive", "waiting", "active", "completed", "deleted"})
"""All states of a campaign (CONTRACT 4.1)."""
CAMPAIGN_ENDS = frozenset({"completed", "deleted"})
"""States a campaign never leaves."""


def normalize_status(value: Any) -> str:
    """A status word as it is compared: examples differ in case (CONTRACT 5.1)."""
    return str(value or "").strip().lower()


def task_state(status: Any, settings: Settings) -> State:
    """A server-side task, by its ``data.status`` (CONTRACT 2.1); the words are settings of the connection."""
    if normalize_status(status) in settings.task_success_statuses:
        return State.SUCCEEDED
    if normalize_status(status) in settings.task_failure_statuses:
        return State.FAILED
    return State.RUNNING


def campaign_state(status: Any, target: str) -> State:
    """A campaign, by its ``status``, for somebody who waits for the state ``target``."""
    if normalize_status(status) == target:
        return State.SUCCEEDED
    return State.FAILED if normalize_status(status) in CAMPAIGN_ENDS else State.RUNNING


def moment_of(value: Any) -> datetime | None:
    """A date-time of the API (RFC 3339) as an aware datetime, or ``None`` if it is none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    # Go writes the year 1 where there is no time, and such a moment can be moved by nothing.
    return moment if moment.tzinfo and datetime.min.year < moment.year < datetime.max.year else None
