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
    """

    since: datetime | None = None
    cleared: bool = False
    max_tries: int = 0

    @classmethod
    def before(cls, context: Mapping[str, Any], *, retries: int, relaunch_on_clear: bool = False) -> Tries:
        """Read them from the context of a task.

        :param context: of the task.
        :param retries: of the task: a task instance that was never cleared has as many ``max_tries``.
        :param relaunch_on_clear: whether the tries before a clear are another launch's.
        """
        ti = context["ti"]
        cleared = ti.max_tries != retries
        since_clear = ti.try_number - (ti.max_tries - retries) if relaunch_on_clear else ti.try_number
        if ti.try_number <= 1 or since_clear == 1:
            return cls(None, cleared, ti.max_tries)
        run = context.get("dag_run")
        # A clear moves the start of a run, never the moment it was due.
        names = ("run_after", "logical_date", "data_interval_end", "queued_at", "start_date")
        known = [getattr(run, name, None) for name in (("start_date",) if not cleared else names)]
        moments = [moment.astimezone(UTC) for moment in known if isinstance(moment, datetime)]
        return cls(min(moments, default=datetime.min.replace(tzinfo=UTC)), cleared, ti.max_tries)
