"""What the sensors share: one look per poke, or one trigger for the whole wait, under one policy."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
)

from airflow_provider_altcraft.airflow_compat import default_deferrable, execution_deadline, final_errors
from airflow_provider_altcraft.exceptions import AltcraftError, AltcraftWaitTimeout
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting import Deadlines, Verdict, Vigil
    from airflow_provider_altcraft.watches import Watch


class AltcraftSensor(BaseSensorOperator):
    """Waits for Altcraft. ``timeout``, ``soft_fail``, ``poke_interval`` and ``mode`` are Airflow's.

    :param altcraft_conn_id: the connection. Templated.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between looks; the same as ``poke_interval``, under the operators' name for it.
    """

    template_fields: Sequence[str] = ("altcraft_conn_id",)
    ui_color = "#e8f1ff"

    def __init__(
        self,
        *,
        altcraft_conn_id: str = AltcraftHook.default_conn_name,
        deferrable: bool = default_deferrable(),
        poll_interval: float | None = None,
        **kwargs: Any,
    ) -> None:
        if poll_interval is not None:
            kwargs["poke_interval"] = poll_interval
        super().__init__(**kwargs)
        self.altcraft_conn_id = altcraft_conn_id
        self.deferrable = deferrable
        self._steps: Vigil | None = None

    @cached_property
    def hook(self) -> AltcraftHook:
        """The connection, read when it is first needed."""
        return AltcraftHook(self.altcraft_conn_id)

    @abstractmethod
    def watch(self, context: Any) -> Watch:
        """What to wait for, checked.

        :raises AltcraftConfigurationError: naming the argument that is wrong.
        """

    def execute(self, context: Any) -> Any:
        """Wait, here or deferred."""
        if not self.deferrable:
            return super().execute(context)
        with self._resumed_errors():
            return self._defer_or_finish(context)

    def poke(self, context: Any) -> PokeReturnValue:
        """Look once. In ``poke`` mode the wait remembers what earlier looks found; deadlines are Airflow's."""
        from airflow_provider_altcraft.waiting import Deadlines, look

        with final_errors():
            if self._steps is None:
                self._steps = self._vigil(self.watch(context), Deadlines())
            verdict = look(self._steps, self.hook.client)
            if verdict is None:
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self.finish(verdict))

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """Go on after the trigger's event, as if the wait had been here."""
        from airflow_provider_altcraft.waiting import Verdict

        with self._resumed_errors():
            return self.finish(Verdict.from_event(event))

    def finish(self, verdict: Verdict) -> Any:
        """What the sensor returns after the wait.

        :raises AltcraftError: if it did not end well.
        """
        verdict.raise_for_failure()
        return dict(verdict.result)

    def _defer_or_finish(self, context: Any) -> Any:
        from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger
        from airflow_provider_altcraft.waiting import LONGEST_PAUSE, Deadlines, look

        now, watch = time.time(), self.watch(context)
        deadlines = Deadlines(timeout=now + self.timeout, execution=execution_deadline(self, context, now))
        verdict = look(self._vigil(watch, deadlines), self.hook.client)
        if verdict is not None:
            return self.finish(verdict)
        backstop = (deadlines.first or now) - now + 2 * LONGEST_PAUSE + self.poke_interval
        return self.defer(
            trigger=AltcraftTrigger(
                self.altcraft_conn_id, watch.to_dict(), self.poke_interval, deadlines.timeout, deadlines.execution
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=backstop),
        )

    def _vigil(self, watch: Watch, deadlines: Deadlines) -> Vigil:
        from airflow_provider_altcraft.waiting import vigil

        return vigil(watch, self.hook.settings, deadlines, poll_interval=self.poke_interval, log=self.log.info)

    @contextmanager
    def _resumed_errors(self) -> Iterator[None]:
        """What ``BaseSensorOperator`` makes of errors while it pokes, for the path on which it does not."""
        try:
            with final_errors():
                yield
        except AltcraftWaitTimeout as error:
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from error
            raise AirflowSensorTimeout(str(error)) from error
        except (AltcraftError, AirflowFailException) as error:
            if self.soft_fail or getattr(self, "never_fail", False):
                raise AirflowSkipException(str(error)) from error
            raise
