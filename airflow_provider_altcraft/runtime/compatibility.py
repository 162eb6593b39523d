"""What differs between Airflow 2.11 and 3.x beyond ``airflow.providers.common.compat.sdk``, and what is ours to add."""

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
    """What the decorated operators of Airflow 3.0 look for after each execution, and its operators have no more."""

    if not hasattr(BaseOperator, "xcom_push"):
        xcom_push = None
        """Handed on, and called by nobody."""


def default_deferrable() -> bool:
    """``[operators] default_deferrable``."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def task_state_store(context: Mapping[str, Any]) -> Any | None:
    """The task state store (Airflow 3.3 on), or ``None``."""
    return context.get("task_state_store")


def removed_tasks(context: Mapping[str, Any]) -> set[str]:
    """Tasks that have instances in this DAG run, and that its DAG does not have any more.

    Its own name is among them where the task is mapped now and was not before, or the other way round.
    """
    ti, dag = context["ti"], context.get("dag")
    if dag is None:
        return set()
    is_mapped = getattr(ti, "map_index", -1) >= 0
    removed: set[str] = set()
    for readings in _removed_instances(ti, context.get("dag_run")):
        # A list that got shorter leaves instances of a task that is still there.
        if (ti.task_id, not is_mapped) in readings:
            removed.add(ti.task_id)
        elif not any(dag.has_task(name) for name, _ in readings):
            removed |= {name for name, _ in readings}
    return removed


def _removed_instances(ti: Any, dag_run: Any) -> list[set[tuple[str, bool]]]:
    """Of each task instance in state "removed", its name and whether it was mapped: one reading of it, or two."""
    if hasattr(ti, "get_task_states"):
        if not ti.get_ti_count(dag_id=ti.dag_id, run_ids=[ti.run_id], states=["removed"]):
            return []
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        return [_readings(name) for name, state in states.items() if state == "removed"]
    if hasattr(dag_run, "get_task_instances"):
        return [{(found.task_id, found.map_index >= 0)} for found in dag_run.get_task_instances(state=["removed"])]
    return []


def _readings(name: str) -> set[tuple[str, bool]]:
    """Airflow 3 writes a map index behind the name of a task, which may end like one."""
    base, _, digits = name.rpartition("_")
    return {(name, False), (base, True)} if base and digits.isdigit() else {(name, False)}


def execution_deadline(task: Any, context: Mapping[str, Any], now: float) -> float | None:
    """``execution_timeout`` as a moment, in seconds since the epoch: Airflow 3 forgets it across a deferral."""
    if task.execution_timeout is None:
        return None
    started = getattr(context["ti"], "start_date", None)
    begin = started.timestamp() if isinstance(started, datetime) else now
    return float(begin + task.execution_timeout.total_seconds())


def is_final(error: BaseException) -> bool:
    """Whether it is an error that no retry can cure."""
    refused = isinstance(error, AltcraftRejected) and not error.is_transient
    return refused or isinstance(error, (*_FINAL, AirflowFailException))


@contextmanager
def final_errors() -> Iterator[None]:
    """Tell Airflow which errors no retry can cure: it fails the task at once, whatever ``retries`` says.

    No error leaves it with the variables of functions on it: they may hold rows or the token.
    """
    with locals_cleared():
        try:
            yield
        except AltcraftError as error:
            if is_final(error):
                raise AirflowFailException(f"{type(error).__name__}: {error}") from error
            raise
