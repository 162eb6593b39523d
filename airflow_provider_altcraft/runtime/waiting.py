"""The base of operators that wait for Altcraft, on the worker or in the triggerer, under the same policy."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.runtime.compatibility import execution_deadline, final_errors

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting.policy import Deadlines, Verdict
    from airflow_provider_altcraft.waiting.polling import Poller
    from airflow_provider_altcraft.waiting.targets import Target


def deadlines_of(task: Any, context: Any) -> Deadlines:
    """The deadlines of a wait that begins now.

    :param task: an operator or a sensor.
    """
    from airflow_provider_altcraft.waiting.policy import Deadlines

    now = time.time()
    return Deadlines(timeout=now + task.timeout, execution=execution_deadline(task, context, now))


def defer(
    task: Any, poller: Poller, deadlines: Deadlines, *, carried: Any = None, cancel: dict[str, Any] | None = None
) -> Any:
    """Hand a wait over to the triggerer.

    :param task: an operator or a sensor with ``execute_complete``.
    :param carried: what the task needs when it resumes, as JSON.
    :param cancel: the call to make if a user ends the task in the meantime.
    :raises TaskDeferred: always.
    """
    from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger
    from airflow_provider_altcraft.waiting.policy import LONGEST_PAUSE

    now = time.time()
    # Airflow's own timeout is a backstop for a lost trigger: it comes later than any end the trigger would report.
    backstop = (deadlines.first or now) - now + 2 * LONGEST_PAUSE + poller.poll_interval
    return task.defer(
        trigger=AltcraftTrigger(
            task.altcraft_conn_id,
            poller.target.to_dict(),
            poller.poll_interval,
            deadlines.timeout,
            deadlines.execution,
            carried=carried,
            cancel=cancel,
            next_poll_at=poller.next_poll_at,
        ),
        method_name="execute_complete",
        timeout=timedelta(seconds=backstop),
    )


class WaitingOperator(AltcraftOperator):
    """Work that Altcraft does in the background."""

    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    timeout: float
    _target: Target | None = None

    def check_waiting(self) -> None:
        """Check the arguments of the wait before anything is launched.

        :raises AltcraftConfigurationError: naming the argument that is wrong.
        """
        for name, value in (("poll_interval", self.poll_interval), ("timeout", self.timeout)):
            if not isinstance(value, int | float) or value <= 0:
                raise AltcraftConfigurationError(f"{name} must be a number of seconds above 0, not {value!r}.")

    def await_end(self, context: Any, target: Target, result: dict[str, Any]) -> Any:
        """Wait for the end, on the worker or deferred, and ``finish``.

        :param result: what is known so far, as JSON; travels with the deferral.
        """
        from airflow_provider_altcraft.waiting.polling import Poller, poll, wait

        self._target = target
        deadlines = deadlines_of(self, context)
        poller = Poller(target, self.hook.settings, deadlines, poll_interval=self.poll_interval, log=self.log.info)
        if not self.deferrable:
            return self.finish(context, wait(poller, self.hook.client, sleep=self.sleep), result)
        verdict = poll(poller, self.hook.client)
        if verdict is not None:
            return self.finish(context, verdict, result)
        return defer(self, poller, deadlines, carried=result, cancel=self.cancellation(context, result))

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """Resume after the trigger's event, as if the wait had happened here."""
        from airflow_provider_altcraft.waiting.policy import Verdict

        with final_errors():
            verdict = Verdict.from_event(event)
            finished = self.finish(context, verdict, event["carried"] if isinstance(event, dict) else {})
            self.check_killed()
            return finished

    def task_result(self, altcraft_task_id: str) -> Any:
        """The result of an awaited task: as seen during the wait, or fetched again if the wait was elsewhere."""
        seen = getattr(self._target, "results", {})
        if altcraft_task_id in seen:
            return seen[altcraft_task_id]
        return self.hook.task_status(altcraft_task_id).get("result")

    def cancellation(self, context: Any, result: dict[str, Any]) -> dict[str, Any] | None:
        """The call that the trigger makes if a user ends the task while it is deferred; ``None`` for none."""
        return None

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """The task's return value after the wait.

        :raises AltcraftError: if the wait did not succeed.
        """
        verdict.raise_for_failure()
        return {**result, **verdict.result}
