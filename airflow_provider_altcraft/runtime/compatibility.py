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
