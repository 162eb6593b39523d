"""Waiting for server-side tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRowsError
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.sensor import AltcraftSensor

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting.policy import Verdict
    from airflow_provider_altcraft.waiting.targets import Target


class AltcraftTaskSensor(AltcraftSensor):
    """Wait until server-side tasks have ended (CONTRACT 2.1): one id or a thousand, with a single trigger.

    :param altcraft_task_id: an id or a list of ids, usually the output of the task that started them. Templated.
    :param max_rejects: how many rejected rows to tolerate; more fail the sensor. ``None`` means any number.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls; another name for Airflow's ``poke_interval``.
    :param altcraft_conn_id: the connection. Templated.
    :returns: counters: ``tasks``, ``accepted``, ``rejected``. ``timeout``, ``soft_fail`` and ``mode`` are Airflow's.
    """

    template_fields: Sequence[str] = (*AltcraftSensor.template_fields, "altcraft_task_id")

    def __init__(
        self,
        *,
        altcraft_task_id: str | Sequence[str] | XComArg,
        max_rejects: int | None = 0,
        deferrable: bool = default_deferrable(),
        poll_interval: float | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            deferrable=deferrable, poll_interval=poll_interval, altcraft_conn_id=altcraft_conn_id, **kwargs
        )
        self.altcraft_task_id = altcraft_task_id
        self.max_rejects = max_rejects

    def target(self, context: Any) -> Target:
        """The tasks, without duplicates."""
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        given = self.altcraft_task_id
        ids = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else []
        ids = list(dict.fromkeys(ids))
        if not ids or not all(isinstance(task_id, str) and task_id.strip() not in {"", "None"} for task_id in ids):
            raise AltcraftConfigurationError(
                "altcraft_task_id is empty or contains something that is not a task id. Did the task it comes from"
                " return none?"
            )
        return TaskTarget(ids)

    def finish(self, verdict: Verdict) -> Any:
        """Return the counters, unless too many rows were rejected.

        :raises AltcraftRowsError: saying how many.
        """
        result = super().finish(verdict)
        if self.max_rejects is not None and result.get("rejected", 0) > self.max_rejects:
            raise AltcraftRowsError(
                f"The tasks ended, but rejected {result['rejected']:,} rows; {self.max_rejects:,} are allowed"
                f" (max_rejects). They accepted {result['accepted']:,}."
            )
        return result
