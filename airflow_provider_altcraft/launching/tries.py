"""What Airflow says of the tries of a task instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of a task instance before this one.

    :param since: no later than the first of them; ``None`` if this is the first.
    :param cleared: whether a user has cleared the task in between, as far as Airflow's counters show it.
    :param max_tries: changes at a clear, and not at a retry.
    :param run_since: no later than the first try of any mapped instance of the task; ``None`` if that is not known.
    """

    since: datetime | None = None
    cleared: bool = False
    max_tries: int = 0
    run_since: datetime | None = None

    @classmethod
    def before(cls, context: Mapping[str, Any], *, retries: int, relaunch_on_clear: bool = False) -> Tries:
        """Read them from the context of a task.

        :param context: of the task.
        :param retries: of the task: a task instance that was never cleared has as many ``max_tries``.
        :param relaunch_on_clear: whether the tries before a clear are another launch's.
        """
        ti = context["ti"]
        # The tries before a clear that launches again are another launch's, and so is the clear.
        cleared = ti.max_tries != retries and not relaunch_on_clear
        since_clear = ti.try_number - (ti.max_tries - retries) if relaunch_on_clear else ti.try_number
        run = context.get("dag_run")
        due = _moments(run, "run_after") or _moments(run, "data_interval_end") or _moments(run, "logical_date")
        run_since = min([*due, *_moments(run, "start_date")], default=None)
        if ti.try_number <= 1 or since_clear == 1:
            return cls(None, cleared, ti.max_tries, run_since)
        # A clear moves the start of a run, never the moment it was due.
        names = ("run_after", "logical_date", "data_interval_end", "queued_at", "start_date")
        known = _moments(run, *(names if cleared else ("start_date",)))
        return cls(min(known, default=datetime.min.replace(tzinfo=UTC)), cleared, ti.max_tries, run_since)


def _moments(run: Any, *names: str) -> list[datetime]:
    found = [getattr(run, name, None) for name in names]
    return [moment.astimezone(UTC) for moment in found if isinstance(moment, datetime)]
