"""What the operators share: the connection, waiting here or deferred, and delivering rows."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_provider_altcraft.airflow_compat import (
    default_deferrable,
    execution_deadline,
    final_errors,
    task_state_store,
)
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftKilled, AltcraftRowsError
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

# What only a running task needs is imported by its methods: a DAG file is parsed far more often than it runs.
if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.mapping import NullPolicy
    from airflow_provider_altcraft.delivery.pipeline import Answer, Delivery
    from airflow_provider_altcraft.delivery.rejects import Rejects
    from airflow_provider_altcraft.delivery.report import Report
    from airflow_provider_altcraft.launching import Identity, Launcher
    from airflow_provider_altcraft.waiting import Verdict
    from airflow_provider_altcraft.watches import Watch

DAY = 86_400.0
BLINK = 0.5
"""Seconds of sleep after which a wait sees that it was told to stop; SIGKILL follows SIGTERM after 5."""


class AltcraftOperator(BaseOperator):
    """Work at Altcraft. Subclasses say what in ``work``.

    :param altcraft_conn_id: the connection.
    """

    template_fields: Sequence[str] = ("altcraft_conn_id",)
    ui_color = "#e8f1ff"

    killed = False

    def __init__(self, *, altcraft_conn_id: str = AltcraftHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.altcraft_conn_id = altcraft_conn_id

    @cached_property
    def hook(self) -> AltcraftHook:
        """The connection, read when it is first needed."""
        return AltcraftHook(self.altcraft_conn_id)

    def execute(self, context: Any) -> Any:
        """Do the work; an error that no retry can cure fails the task at once."""
        with final_errors():
            result = self.work(context)
            self.check_killed()
            return result

    @abstractmethod
    def work(self, context: Any) -> Any:
        """The work itself."""

    def on_kill(self) -> None:
        """Note that Airflow told the task to stop: what is running then must not end green."""
        self.killed = True

    def check_killed(self) -> None:
        """Stop, if Airflow said so.

        :raises AltcraftKilled: if it did.
        """
        if self.killed:
            raise AltcraftKilled("Airflow told the task to stop. What it began at Altcraft goes on.")

    def sleep(self, seconds: float) -> None:
        """Let time pass on the worker, unless told to stop.

        :raises AltcraftKilled: if it was.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check_killed()
            time.sleep(min(left, BLINK))
        self.check_killed()


class LaunchingOperator(AltcraftOperator):
    """Work that must happen once per task and DAG run, however often it is tried.

    :param request_id: a Request-ID of your own instead of the derived one. Templated. With ``relaunch_on_clear``, the
        id is derived from yours.
    :param relaunch_on_clear: whether clearing the task does it again.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "request_id")

    def __init__(self, *, request_id: str | None = None, relaunch_on_clear: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear

    def launcher(self, context: Any) -> Launcher:
        """The launch protocol for this task instance."""
        from airflow_provider_altcraft.launching import Launcher, Tries

        return Launcher(
            self.hook.client,
            self.identity(context),
            tries=Tries.before(context, retries=self.retries or 0, relaunch_on_clear=self.relaunch_on_clear),
            store=task_state_store(context),
            log=self.log.info,
        )

    def identity(self, context: Any) -> Identity:
        """What makes this launch the same launch."""
        from airflow_provider_altcraft.launching import Identity

        return Identity.of(context, relaunch_on_clear=self.relaunch_on_clear, given=self.request_id)


class WaitingOperator(LaunchingOperator):
    """Work that takes Altcraft a while.

    :param wait_for_completion: wait for the end, or return once Altcraft has begun.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between looks, give or take a fifth.
    :param timeout: seconds to wait in all; Altcraft goes on when they are over.
    """

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 30,
        timeout: float = DAY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout

    def check_waiting(self) -> None:
        """Refuse a wait that cannot be, before anything is launched.

        :raises AltcraftConfigurationError: naming the argument.
        """
        for name, value in (("poll_interval", self.poll_interval), ("timeout", self.timeout)):
            if not isinstance(value, int | float) or value <= 0:
                raise AltcraftConfigurationError(f"{name} must be a number of seconds above 0, not {value!r}.")

    def await_end(self, context: Any, watch: Watch, result: dict[str, Any]) -> Any:
        """Wait for the end, here or deferred, and ``finish``.

        :param result: what is known so far, as JSON; travels with the deferral.
        """
        from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger
        from airflow_provider_altcraft.waiting import LONGEST_PAUSE, Deadlines, look, vigil, wait

        now = time.time()
        deadlines = Deadlines(timeout=now + self.timeout, execution=execution_deadline(self, context, now))
        steps = vigil(watch, self.hook.settings, deadlines, poll_interval=self.poll_interval, log=self.log.info)
        if not self.deferrable:
            return self.finish(context, wait(steps, self.hook.client, sleep=self.sleep), result)
        verdict = look(steps, self.hook.client)
        if verdict is not None:
            return self.finish(context, verdict, result)
        backstop = (deadlines.first or now) - now + 2 * LONGEST_PAUSE + self.poll_interval
        return self.defer(
            trigger=AltcraftTrigger(
                self.altcraft_conn_id,
                watch.to_dict(),
                self.poll_interval,
                deadlines.timeout,
                deadlines.execution,
                carried=result,
                cancel=self.cancellation(context, result),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=backstop),
        )

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """Go on after the trigger's event, as if the wait had been here."""
        from airflow_provider_altcraft.waiting import Verdict

        with final_errors():
            verdict = Verdict.from_event(event)
            finished = self.finish(context, verdict, event["carried"] if isinstance(event, dict) else {})
            self.check_killed()
            return finished

    def cancellation(self, context: Any, result: dict[str, Any]) -> dict[str, Any] | None:
        """The call that a trigger makes when a user ends the task while it is deferred; ``None`` for none."""
        return None

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """What the task returns after the wait.

        :raises AltcraftError: if it did not end well.
        """
        verdict.raise_for_failure()
        return {**result, **verdict.result}


class DeliveringOperator(WaitingOperator):
    """Rows to a destination: sent, waited for, and accounted for.

    :param batch_size: rows per request at most; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_in_flight: requests at a time.
    :param nulls: what to do with a value that is not there: ``omit`` leaves what Altcraft has, ``send`` clears it; or a
        dictionary of field -> one of them.
    :param timezone: the zone of datetimes that name none.
    :param reject_path: where rejected rows are kept, with the reason: a folder, as a local path or the URL of an
        object store (``s3://conn@bucket/path``). They hold personal data.
    :param max_rejects: rejected rows that are put up with. Above 0 it needs ``reject_path``: a green task never
        hides rows that nobody can find.
    :param max_reject_ratio: the same as a share of the rows sent, 0 to 1; the larger of the two holds.
    :param on_empty: what no rows at all mean: ``succeed``, ``skip`` the task, or ``fail`` it.
    """

    template_fields: Sequence[str] = (*WaitingOperator.template_fields, "destination", "reject_path")
    destination: Any

    def __init__(
        self,
        *,
        batch_size: int = 10_000,
        max_in_flight: int = 4,
        nulls: NullPolicy | Mapping[str, NullPolicy] = "omit",
        timezone: str = "UTC",
        reject_path: str | None = None,
        max_rejects: int = 0,
        max_reject_ratio: float | None = None,
        on_empty: Literal["succeed", "skip", "fail"] = "succeed",
        poll_interval: float = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(poll_interval=poll_interval, **kwargs)
        self.batch_size = batch_size
        self.max_in_flight = max_in_flight
        self.nulls = nulls
        self.timezone = timezone
        self.reject_path = reject_path
        self.max_rejects = max_rejects
        self.max_reject_ratio = max_reject_ratio
        self.on_empty = on_empty

    def delivery(self, context: Any, destination: Destination) -> Delivery:
        """A delivery to this destination, checked as far as it can be before the first row.

        :raises AltcraftConfigurationError: for arguments that do not go together.
        """
        import pendulum

        from airflow_provider_altcraft.delivery.mapping import ProfileEncoder
        from airflow_provider_altcraft.delivery.pipeline import Delivery

        self.check_waiting()
        if (self.max_rejects or self.max_reject_ratio) and not self.reject_path:
            raise AltcraftConfigurationError("max_rejects above 0 needs reject_path: rejected rows must be kept.")
        if self.max_reject_ratio is not None and not 0 <= self.max_reject_ratio <= 1:
            raise AltcraftConfigurationError(f"max_reject_ratio is a share from 0 to 1, not {self.max_reject_ratio!r}.")
        if self.on_empty not in ("succeed", "skip", "fail"):
            raise AltcraftConfigurationError(f"on_empty must be 'succeed', 'skip' or 'fail', not {self.on_empty!r}.")
        client, row = self.hook.client, destination.endpoint
        launcher = self.launcher(context)

        def send(body: bytes, content: str) -> Answer:
            self.check_killed()
            return launcher.launch_batch(row.name, body, content)

        return Delivery(
            destination,
            frame=client.frame(row.name, destination.params),
            send=send,
            encoder=ProfileEncoder(nulls=self.nulls, timezone=pendulum.timezone(self.timezone)),
            batch_size=self.batch_size,
            max_body_bytes=self.hook.settings.max_body_bytes,
            max_in_flight=self.max_in_flight,
            rejects=self._rejects(context, destination),
            progress=_Progress(self.log.info),
        )

    def conclude(self, context: Any, delivery: Delivery) -> Any:
        """Wait for the tasks that the rows became, and account for each row."""
        from airflow_provider_altcraft.watches import TaskWatch

        if not delivery.report.read:
            self._empty()
        result = {"report": delivery.report.to_dict(), "tasks": [asdict(task) for task in delivery.tasks]}
        if not delivery.tasks:
            return self._account(context, delivery.report)
        if not self.wait_for_completion:
            self.log.info(
                "%d tasks were started and are not waited for: their rows are not counted.", len(delivery.tasks)
            )
            kept_at = self._rejects(context, self.destination).location
            delivery.report.check_rejects(max_rejects=self.max_rejects, kept_at=kept_at)
            return delivery.report.summary(kept_at=kept_at, handed_over=True)
        return self.await_end(context, TaskWatch([task.task_id for task in delivery.tasks]), result)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Count what the tasks say of their rows; a task that failed is a reason to reject its rows, not to stop."""
        from airflow_provider_altcraft.api.states import State, task_state
        from airflow_provider_altcraft.delivery.pipeline import TaskBatch, settle
        from airflow_provider_altcraft.delivery.report import Report

        if verdict.cause != "job":
            verdict.raise_for_failure()
        report = Report.from_dict(result["report"])
        tasks = [TaskBatch(**task) for task in result["tasks"]]
        settle(
            report,
            tasks,
            self._rejects(context, self.destination),
            task_status=self.hook.task_status,
            succeeded=lambda data: task_state(data.get("status"), self.hook.settings) is State.SUCCEEDED,
        )
        return self._account(context, report)

    def _empty(self) -> None:
        """There were no rows."""
        if self.on_empty == "skip":
            raise AirflowSkipException("The source has no rows (on_empty='skip').")
        if self.on_empty == "fail":
            raise AltcraftRowsError("The source has no rows, and on_empty='fail' says there must be some.")

    def _account(self, context: Any, report: Report) -> dict[str, Any]:
        kept_at = self._rejects(context, self.destination).location if report.rejected else None
        self.log.info("%s%s", report, f"; rejected rows are kept in {kept_at}" if kept_at else "")
        if report.as_batch:
            self.log.warning("%d rows were accepted as a batch: Altcraft said nothing of each.", report.as_batch)
        report.check(max_rejects=self.max_rejects, max_reject_ratio=self.max_reject_ratio, kept_at=kept_at)
        return report.summary(kept_at=kept_at)

    def _rejects(self, context: Any, destination: Destination) -> Rejects:
        from airflow_provider_altcraft.delivery.rejects import Rejects

        if not self.reject_path:
            return Rejects(None)
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        ti = context["ti"]
        index = getattr(ti, "map_index", -1)
        names = (ti.dag_id, ti.run_id, ti.task_id if index < 0 else f"{ti.task_id}-{index}")
        folder = ObjectStoragePath(self.reject_path)
        for name in names:
            folder = folder / quote(name, safe="")
        return Rejects(folder, destination.key_fields, holds=self.wait_for_completion)


class _Progress:
    """Tells how far a delivery is, at a human pace."""

    EVERY: ClassVar[float] = 5.0

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._begun = self._told = time.monotonic()

    def __call__(self, report: Report) -> None:
        now = time.monotonic()
        if now - self._told >= self.EVERY:
            self._told = now
            rate = report.sent / (now - self._begun)
            self._log(f"{report.sent:,} rows sent in {report.requests} requests, {rate:,.0f} rows/s")
