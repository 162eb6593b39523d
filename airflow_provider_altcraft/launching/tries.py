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
    :param run_since: no later than the first try of any mapped instance of the task, whichever was cleared; ``None`` if
        that is not known.
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
        due, start = due_moments(run), start_of(run)
        # Another instance may have been cleared when this one was not. The earliest of the moments would have all ask
        # each other at every launch, where Altcraft still remembers.
        run_since = min(due[-1], start or due[-1]) if due else None
        if ti.try_number <= 1 or since_clear == 1:
            return cls(None, cleared, ti.max_tries, run_since)
        since = (due[0] if due else None) if cleared else start
        return cls(since or datetime.min.replace(tzinfo=UTC), cleared, ti.max_tries, run_since)


def start_of(run: Any) -> datetime | None:
    """When a DAG run began; or, if it had ended by then, when one of its tasks was cleared last."""
    return next(iter(_moments(run, "start_date")), None)


def due_moments(run: Any) -> list[datetime]:
    """Moments of a DAG run that no clear moves, in order: it was due at one of them, or between.

    A clear moves the start of a run that had ended, and when it was queued. Airflow 3 has ``run_after``. Airflow 2.11
    runs at the end of the data interval, a timetable of one's own as early as the logical date; by hand, at the latter.
    """
    return _moments(run, "run_after") or sorted(_moments(run, "data_interval_end", "logical_date"))


def _moments(run: Any, *names: str) -> list[datetime]:
    found = [getattr(run, name, None) for name in names]
    return [moment.astimezone(UTC) for moment in found if isinstance(moment, datetime)]
