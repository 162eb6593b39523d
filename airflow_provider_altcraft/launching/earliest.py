"""From when on a launch can have happened of which nothing was kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_altcraft.launching.tries import due_moments, start_of


def earliest(context: Mapping[str, Any], *, now: datetime, window: float) -> datetime:
    """The earliest moment at which a replayed launch of this DAG run can have happened, by the server's clock.

    Used where nothing kept the moment: not before the run began, and not before Altcraft's memory does. Airflow's clock
    and Altcraft's may differ; what they differ by now they differed by then.

    :param context: of the task.
    :param now: the server's clock.
    :param window: seconds for which Altcraft remembers.
    """
    forgotten = now - timedelta(seconds=window)
    run = context.get("dag_run")
    # The latest of them: a moment too early finds the mailing's run of another DAG run.
    begin = next(reversed(due_moments(run)), None) if getattr(run, "clear_number", 0) else start_of(run)
    if begin is None:
        return forgotten
    begun = begin + (now - datetime.now(UTC))
    return begun if forgotten < begun <= now else forgotten
