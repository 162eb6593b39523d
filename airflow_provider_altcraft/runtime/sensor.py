"""The base of sensors: one poll per poke, or one trigger for the whole wait, under the same policy."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
)

from airflow_provider_altcraft.exceptions import AltcraftError, AltcraftWaitTimeout
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.runtime.compatibility import default_deferrable, final_errors, task_state_store
from airflow_provider_altcraft.runtime.waiting import deadlines_of, defer

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_altcraft.waiting.policy import Deadlines, Verdict
    from airflow_provider_altcraft.waiting.polling import Poller
    from airflow_provider_altcraft.waiting.targets import Target

STATE_KEY = "altcraft_wait"
"""Key in the task state store: what earlier pokes of a sensor in ``reschedule`` mode learned."""
LARGEST_STATE = 60_000
"""Maximum bytes of it; Airflow's limit is 65,535."""


class AltcraftSensor(BaseSensorOperator):
    """Waits for Altcraft. ``timeout``, ``soft_fail``, ``poke_interval`` and ``mode`` are Airflow's.

    In ``reschedule`` mode each poke is a separate process. Since Airflow 3.3, the task state store passes on what
    earlier pokes learned: which tasks have ended, how many polls in a row failed, and when Altcraft wants to be polled
    again. Before 3.3, each poke starts afresh, and if Altcraft is unreachable, the wait ends at its ``timeout``.
    """

    template_fields: Sequence[str] = ("altcraft_conn_id",)
    ui_color = "#e8f1ff"

    _poller: Poller | None = None

    def __init__(
        self,
        *,
        deferrable: bool = default_deferrable(),
        poll_interval: float | None = None,
        altcraft_conn_id: str = AltcraftHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        if poll_interval is not None:
            # Airflow's own argument, under the name that operators use.
            kwargs["poke_interval"] = poll_interval
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.altcraft_conn_id = altcraft_conn_id

    @cached_property
    def hook(self) -> AltcraftHook:
        """The connection, read when it is first needed."""
        return AltcraftHook(self.altcraft_conn_id)

    @abstractmethod
    def target(self, context: Any) -> Target:
        """What to wait for, validated.

        :raises AltcraftConfigurationError: naming the argument that is wrong.
        """

    def execute(self, context: Any) -> Any:
        """Wait, on the worker or deferred."""
        if not self.deferrable:
            return super().execute(context)
        with self._resumed_errors():
            return self._defer_or_finish(context)

    def poke(self, context: Any) -> PokeReturnValue:
        """Poll once. In ``poke`` mode the poller remembers what earlier pokes found; deadlines are Airflow's."""
        from airflow_provider_altcraft.waiting.policy import Deadlines
        from airflow_provider_altcraft.waiting.polling import poll

        with final_errors():
            if self._poller is None:
                self._poller = self._recalled(context) or self._new_poller(self.target(context), Deadlines())
            verdict = poll(self._poller, self.hook.client, at_once=True)
            if verdict is None:
                self._remember(context, self._poller)
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self.finish(verdict))

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """Resume after the trigger's event, as if the wait had happened here."""
        from airflow_provider_altcraft.waiting.policy import Verdict

        with self._resumed_errors():
            return self.finish(Verdict.from_event(event))

    def finish(self, verdict: Verdict) -> Any:
        """The sensor's return value after the wait.

        :raises AltcraftError: if the wait did not succeed.
        """
        verdict.raise_for_failure()
        return dict(verdict.result)

    def _defer_or_finish(self, context: Any) -> Any:
        from airflow_provider_altcraft.waiting.polling import poll

        deadlines = deadlines_of(self, context)
        poller = self._new_poller(self.target(context), deadlines)
        verdict = poll(poller, self.hook.client)
        return defer(self, poller, deadlines) if verdict is None else self.finish(verdict)

    def _new_poller(self, target: Target, deadlines: Deadlines, **known: Any) -> Poller:
        from airflow_provider_altcraft.waiting.polling import Poller

        settings = self.hook.settings
        return Poller(target, settings, deadlines, poll_interval=self.poke_interval, log=self.log.info, **known)

    def _get_next_poke_interval(self, started_at: Any, run_duration: Callable[[], float], poke_count: int) -> float:
        """Tell Airflow how long until the next poke: not before Altcraft allows it, and not after the timeout."""
        interval = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        if self._poller is None or not self._poller.is_held:
            return interval
        backoff = self._poller.held_until - time.time()
        # Airflow ends the wait at the first poke after its timeout, so poke just after it at the latest.
        return max(interval, min(backoff, self.timeout - run_duration() + 1))

    def _remember(self, context: Any, poller: Poller) -> None:
        """Store what this poke learned for the next one."""
        store = task_state_store(context) if self.mode == "reschedule" else None
        if store is None:
            return
        ti = context["ti"]
        state = {
            "try": [ti.try_number, ti.max_tries],
            "target": poller.target.to_dict(),
            "failures": poller.failures,
            "held_until": poller.held_until,
        }
        if len(json.dumps(state)) > LARGEST_STATE:
            # Too many task answers to store. The failure count still matters.
            state["target"] = None
        store.set(STATE_KEY, state)

    def _recalled(self, context: Any) -> Poller | None:
        """The poller as the last poke of this try left it."""
        from airflow_provider_altcraft.waiting.policy import Deadlines
        from airflow_provider_altcraft.waiting.targets import target_from

        store = task_state_store(context) if self.mode == "reschedule" else None
        state = store.get(STATE_KEY) if store is not None else None
        ti = context["ti"]
        if not isinstance(state, dict) or state.get("try") != [ti.try_number, ti.max_tries]:
            return None
        target = target_from(state["target"]) if state["target"] else self.target(context)
        return self._new_poller(
            target, Deadlines(), failures=state["failures"], next_poll_at=state["held_until"] or None
        )

    @contextmanager
    def _resumed_errors(self) -> Iterator[None]:
        """Translate errors of a deferred wait as ``BaseSensorOperator`` does while it pokes."""
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
