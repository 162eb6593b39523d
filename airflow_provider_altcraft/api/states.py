"""What Altcraft's statuses mean for a wait. Pure.

An undocumented status means "still running": such a wait is ended by its deadline, never by a guess.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from airflow_provider_altcraft.api.settings import Settings


class State(Enum):
    """The state of a job."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


CAMPAIGN_STATES = frozenset({"cloning", "inactive", "waiting", "active", "completed", "deleted"})
"""All states of a campaign (CONTRACT 4.1)."""
CAMPAIGN_ENDS = frozenset({"completed", "deleted"})
"""States that a campaign never leaves."""


def normalize_status(value: Any) -> str:
    """A status in lower case: the documentation's examples differ in case (CONTRACT 5.1)."""
    return str(value or "").strip().lower()


def task_state(status: Any, settings: Settings) -> State:
    """The state of a server-side task, from its ``data.status`` (CONTRACT 2.1) and the connection's settings."""
    if normalize_status(status) in settings.task_success_statuses:
        return State.SUCCEEDED
    if normalize_status(status) in settings.task_failure_statuses:
        return State.FAILED
    return State.RUNNING


def campaign_state(status: Any, target: str) -> State:
    """The state of a campaign, from its ``status``, for a wait for the status ``target``."""
    if normalize_status(status) == target:
        return State.SUCCEEDED
    return State.FAILED if normalize_status(status) in CAMPAIGN_ENDS else State.RUNNING


def moment_of(value: Any) -> datetime | None:
    """A date-time from the API (RFC 3339) as an aware datetime; ``None`` for anything else."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    # Go writes year 1 for "no time"; adding to or subtracting from dates at the limits would overflow.
    return moment if moment.tzinfo and datetime.min.year < moment.year < datetime.max.year else None
