"""Differences between Airflow 2.11 and 3.x that ``airflow.providers.common.compat.sdk`` does not cover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator, conf

from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftJobFailed,
    AltcraftLaunchConflict,
    AltcraftOutcomeUnknown,
    AltcraftRejected,
)
from airflow_provider_altcraft.tracebacks import locals_cleared

_FINAL = (AltcraftConfigurationError, AltcraftOutcomeUnknown, AltcraftLaunchConflict, AltcraftJobFailed)


class PushesXCom:
    """An attribute that decorated operators of Airflow 3.0 read after each execution but its operators lack."""

    if not hasattr(BaseOperator, "xcom_push"):
        xcom_push = None
        """Passed on, but never called."""


def default_deferrable() -> bool:
    """``[operators] default_deferrable``."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def task_state_store(context: Mapping[str, Any]) -> Any | None:
    """The task state store (Airflow 3.3 and later), or ``None``."""
    return context.get("task_state_store")


def removed_tasks(context: Mapping[str, Any]) -> set[str]:
    """Tasks with instances in this DAG run that its DAG no longer has.

    They include this task's own name if it has become mapped, or has ceased to be, during the run.
    """
    ti, dag = context["ti"], context.get("dag")
    if dag is None:
        return set()
    is_mapped = getattr(ti, "map_index", -1) >= 0
    removed: set[str] = set()
    for readings in _removed_instances(ti, context.get("dag_run")):
        # A mapped list that got shorter leaves removed instances of a task that still exists.
        if (ti.task_id, not is_mapped) in readings:
            removed.add(ti.task_id)
        elif not any(dag.has_task(name) for name, _ in readings):
            removed |= {name for name, _ in readings}
    return removed


def _removed_instances(ti: Any, dag_run: Any) -> list[set[tuple[str, bool]]]:
    """For each task instance in state "removed", the possible readings of its name: task id, and whether mapped."""
    if hasattr(ti, "get_task_states"):
        if not ti.get_ti_count(dag_id=ti.dag_id, run_ids=[ti.run_id], states=["removed"]):
            return []
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        return [_readings(name) for name, state in states.items() if state == "removed"]
    if hasattr(dag_run, "get_task_instances"):
        return [{(found.task_id, found.map_index >= 0)} for found in dag_run.get_task_instances(state=["removed"])]
    return []


def _readings(name: str) -> set[tuple[str, bool]]:
    """Airflow 3 appends the map index to the task id; an id that itself ends in digits is ambiguous."""
    base, _, digits = name.rpartition("_")
    return {(name, False), (base, True)} if base and digits.isdigit() else {(name, False)}


def execution_deadline(task: Any, context: Mapping[str, Any], now: float) -> float | None:
    """``execution_timeout`` as a deadline in seconds since the epoch: Airflow 3 loses it across a deferral."""
    if task.execution_timeout is None:
        return None
    started = getattr(context["ti"], "start_date", None)
    begin = started.timestamp() if isinstance(started, datetime) else now
    return float(begin + task.execution_timeout.total_seconds())


def is_final(error: BaseException) -> bool:
    """Whether no retry can fix the error."""
    rejected = isinstance(error, AltcraftRejected) and not error.is_transient
    return rejected or isinstance(error, (*_FINAL, AirflowFailException))


@contextmanager
def final_errors() -> Iterator[None]:
    """Make errors that no retry can fix fail the task at once, whatever ``retries`` says.

    Local variables are cleared from the traceback of every error: they may hold rows or the token.
    """
    with locals_cleared():
        try:
            yield
        except AltcraftError as error:
            if is_final(error):
                raise AirflowFailException(f"{type(error).__name__}: {error}") from error
            raise
