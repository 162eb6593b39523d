"""The base of operators that deliver rows: read, send, wait, account for each row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftRowsError
from airflow_provider_altcraft.runtime.compatibility import is_final
from airflow_provider_altcraft.runtime.delivery_options import ChangeDetection, Reading, RejectPolicy
from airflow_provider_altcraft.runtime.storage import location
from airflow_provider_altcraft.runtime.waiting import WaitingOperator

# Methods import what only a running task needs: a DAG file is parsed far more often than it runs.
if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.answers import TaskAnswer, TaskOutcome
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.encoding import NullPolicy, ProfileEncoder
    from airflow_provider_altcraft.delivery.ledger.ledger import Ledger
    from airflow_provider_altcraft.delivery.pipeline import Delivery, TaskBatch
    from airflow_provider_altcraft.delivery.rejects import Rejects
    from airflow_provider_altcraft.delivery.report import Report
    from airflow_provider_altcraft.delivery.source import Source
    from airflow_provider_altcraft.delivery.watermark import Watermark
    from airflow_provider_altcraft.launching.deliveries import DeliveryLauncher
    from airflow_provider_altcraft.waiting.policy import Verdict

TASK_IDS_KEY = "altcraft_task_ids"
"""The XCom with all task ids if nobody waits here. Only this one grows, by one id per batch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source ready to be read.

    :param source: its rows.
    :param fields: the fields its rows fill, if known in advance.
    :param watermark: tracks one of its columns.
    :param is_whole: whether all rows are in memory and can be read twice.
    """

    source: Source[Any]
    fields: Sequence[str] = ()
    watermark: Watermark | None = None
    is_whole: bool = False


class DeliveringOperator(WaitingOperator):
    """Send rows to a destination, wait for Altcraft to process them, and account for each."""

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "destination",
        "reject_path",
        "rejects_from",
        "ledger_path",
        "ledger_table",
        "ledger_conn_id",
    )
    destination: Destination | None
    batch_size: int
    max_in_flight: int
    nulls: NullPolicy | Mapping[str, NullPolicy]
    timezone: str
    reject_path: Any
    max_rejects: int
    max_reject_ratio: float | None
    rejects_from: Any
    on_empty: Literal["succeed", "skip", "fail"]
    changes_only: bool
    changes_key: Sequence[str] | None
    ledger_path: Any
    ledger_table: Any
    ledger_conn_id: Any
    check_fields: bool
    # Not named dry_run: BaseOperator has a method of that name, for the command line.
    is_dry_run: bool
    sample_size: int
    sql_conn_id: Any = None
    watermark_start: Any = None

    def on_kill(self) -> None:
        """Also abort the requests in flight: a later try finds out what became of them."""
        super().on_kill()
        hook = self.__dict__.get("hook")
        if hook is not None:
            hook.abort()

    @abstractmethod
    def opened(self, context: Any, destination: Destination, encoder: ProfileEncoder) -> AbstractContextManager[Opened]:
        """Open the source for as long as rows are read."""

    def total(self) -> int | None:
        """How many rows the source has, if known without reading them."""
        return None

    def work(self, context: Any) -> Any:
        """Read, send, wait, account for each row."""
        with self._pending_released(context):
            return self._deliver(context)

    def _deliver(self, context: Any) -> Any:
        from airflow_provider_altcraft.delivery.watermark import plain
        from airflow_provider_altcraft.launching.identity import fingerprint

        destination = self._with_files(context, self.chosen_destination())
        self.check_arguments(destination)
        encoder = self._reading.encoder()
        launcher = self._delivery_launcher(context, destination)
        params: Mapping[str, Any] = destination.params
        if not self.is_dry_run:
            if launcher.reaches_people:
                name = destination.endpoint.name
                self.announce_delivery(context, name, fingerprint(params), has_begun=launcher.has_begun)
            params = launcher.begin(params, is_private=destination.has_files)
            if launcher.completed is not None:
                return self._resume(context, *launcher.completed)
        delivery = self._delivery(context, destination, launcher, params)
        opening = self._repaired(encoder) if self.rejects_from else self.opened(context, destination, encoder)
        with opening as source:
            self._check_target(destination, source.fields)
            if self.changes_only:
                self._changes.check_fields(source.fields)
            if self.is_dry_run:
                return self._preview(delivery, source)
            if source.is_whole:
                delivery.forecast(source.source)
            delivery.report.before = plain(self.watermark_start)
            with self._ledger(destination, encoder) as ledger:
                delivery.run(source.source, ledger=ledger, watermark=source.watermark)
        launcher.complete(delivery.batches, {**delivery.report.to_dict(), "task_ids": []})
        return self._conclude(context, delivery.report, delivery.tasks)

    def depend_on_destination(self) -> None:
        """Put the task behind those whose output its destination holds: Airflow does not look into it."""
        for name in (*getattr(self.destination, "template_fields", ()), "attach"):
            self.depend_on(getattr(self.destination, name, None))

    def chosen_destination(self) -> Destination:
        """The destination that the arguments name.

        :raises AltcraftConfigurationError: if it is not a destination.
        """
        from airflow_provider_altcraft.delivery.destinations import Destination

        if not isinstance(self.destination, Destination):
            raise AltcraftConfigurationError(
                "destination must be one of the classes in delivery.destinations, not"
                f" {type(self.destination).__name__}."
            )
        return self.destination

    @property
    def _reading(self) -> Reading:
        return Reading(self.nulls, self.timezone, self.on_empty, self.sample_size)

    @property
    def _reject_policy(self) -> RejectPolicy:
        return RejectPolicy(self.reject_path, self.max_rejects, self.max_reject_ratio, self.rejects_from)

    @property
    def _changes(self) -> ChangeDetection:
        return ChangeDetection(
            self.changes_key, self.ledger_path, self.ledger_table, self.ledger_conn_id, self.sql_conn_id
        )

    def _with_files(self, context: Any, destination: Destination) -> Destination:
        """The destination with its files in Altcraft's format."""
        from airflow_provider_altcraft.delivery.destinations import Scenario, TriggerMailing
        from airflow_provider_altcraft.runtime.attachments import attachments

        if isinstance(destination, Scenario | TriggerMailing) and destination.attach is not None:
            return replace(destination, attach=attachments(self, destination.attach, context))
        return destination

    def check_arguments(self, destination: Destination) -> None:
        """Check before the first row that the arguments go together.

        :raises AltcraftConfigurationError: naming those that do not.
        """
        self.check_waiting()
        # Both validate themselves when created.
        _ = self._reading, self._reject_policy
        if isinstance(self.changes_key, str):
            raise AltcraftConfigurationError("changes_key must be a list of fields, not a string.")
        if self.changes_only:
            self._changes.check_destination(destination)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Count what the tasks report about their rows. A failed task rejects its rows; it does not fail the wait."""
        from airflow_provider_altcraft.delivery.answers import TaskOutcome
        from airflow_provider_altcraft.delivery.pipeline import TaskBatch, settle
        from airflow_provider_altcraft.delivery.report import Report

        rejects = self._rejects(context, self.chosen_destination())
        with self._pending_released(context):
            if verdict.cause != "job":
                verdict.raise_for_failure()
            report = Report.from_dict(result["report"])
            forgotten = settle(
                report,
                [TaskBatch(**task) for task in result["tasks"]],
                rejects,
                destination=self.chosen_destination(),
                outcomes={task_id: TaskOutcome.from_dict(found) for task_id, found in verdict.outcomes.items()},
                ask=self._ask,
            )
            if not forgotten:
                rejects.release_all()
                return self._account(context, report)
        shown = ", ".join(forgotten[:5]) + (", …" if len(forgotten) > 5 else "")
        raise AltcraftRowsError(
            f"{len(forgotten)} tasks rejected rows, but no longer say which ({shown}). {report}. All rows of these"
            f" tasks are kept in 'pending' below {rejects.location}."
        )

    @contextmanager
    def _pending_released(self, context: Any) -> Iterator[None]:
        """Delete the pending rows when the task fails and no later try will ask what became of them."""
        try:
            yield
        except TaskDeferred:
            raise
        except BaseException as error:
            ti = context["ti"]
            if is_final(error) or ti.try_number > ti.max_tries:
                with suppress(Exception):
                    self._rejects(context, self.chosen_destination()).release_all()
            raise

    def _ask(self, altcraft_task_id: str) -> tuple[TaskAnswer, TaskOutcome]:
        """Ask what a finished task reports about its rows."""
        from airflow_provider_altcraft.waiting.targets import ended

        params = {"task_id": altcraft_task_id}
        return ended(self.hook.client.call("tasks/status", params, raw_result=True), self.hook.settings)

    def _delivery_launcher(self, context: Any, destination: Destination) -> DeliveryLauncher:
        """The launcher that sends each batch once."""
        from airflow_provider_altcraft.launching.deliveries import DeliveryLauncher

        endpoint = destination.endpoint
        folder = self._reject_policy.folder(context)
        store = self.store(context, folder=None if folder is None else folder / "records")
        return DeliveryLauncher(
            self.hook.client,
            self.identity(context, is_redone_on_clear=True),
            endpoint.name,
            tries=self.tries(context, is_redone_on_clear=self.is_redone_on_clear(endpoint.converges)),
            store=store,
            is_complete=store is not None and self.has_recorded_all(store, context),
            relaunch_on_clear=self.relaunch_on_clear,
            before=self.check_killed,
            log=self.log.info,
        )

    def _delivery(
        self, context: Any, destination: Destination, launcher: DeliveryLauncher, params: Mapping[str, Any]
    ) -> Delivery:
        from airflow_provider_altcraft.api.request import encode
        from airflow_provider_altcraft.delivery.pipeline import Delivery
        from airflow_provider_altcraft.runtime.progress import Progress

        settings = self.hook.settings
        limit = settings.max_body_bytes_with_files if destination.has_files else settings.max_body_bytes
        return Delivery(
            destination,
            frame=self.hook.client.frame(destination.endpoint.name, params),
            place=encode([settings.base_url, destination.place_of(params)]),
            sender=launcher,
            batch_size=self.batch_size,
            max_body_bytes=limit,
            max_in_flight=self.max_in_flight,
            rejects=self._rejects(context, destination),
            progress=Progress(self.log.info),
            abort=self.hook.abort,
        )

    def _check_target(self, destination: Destination, fields: Sequence[str]) -> None:
        """Check that the destination has the fields.

        :raises AltcraftConfigurationError: naming those it lacks.
        """
        from airflow_provider_altcraft.delivery.preflight import check_fields

        takes = destination.takes
        if takes is not None and not set(fields) <= set(takes):
            raise AltcraftConfigurationError(
                f"{destination.alone}, not {', '.join(fields)}: name the columns in field_mapping."
            )
        if not self.check_fields or not fields or destination.database is None:
            return
        try:
            answer = self.hook.call("databases/fields_get", {"id": destination.database}).data
        except AltcraftError as error:
            self.log.info("Could not check the fields of database %s: %s", destination.database, error)
            return
        if not check_fields(fields, answer, destination.key_fields):
            self.log.info("Altcraft's answer does not list the fields of database %s.", destination.database)

    def _preview(self, delivery: Delivery, opened: Opened) -> dict[str, Any]:
        from airflow_provider_altcraft.delivery.preview import Preview

        preview = Preview.of(delivery, opened.source, size=self.sample_size)
        total = len(preview) if preview.is_all else None if self.rejects_from else self.total()
        self.log.info("Dry run: nothing is sent.\n%s", preview.text(total, self.batch_size))
        # The next run reads its watermark from the previous result.
        return {"dry_run": True, "watermark": self.watermark_start, **preview.summary(total, self.batch_size)}

    def _ledger(self, destination: Destination, encoder: ProfileEncoder) -> AbstractContextManager[Ledger | None]:
        if not self.changes_only:
            return nullcontext()
        return self._changes.ledger(destination, encoder, base_url=self.hook.settings.base_url)

    @contextmanager
    def _repaired(self, encoder: ProfileEncoder) -> Iterator[Opened]:
        """Repaired rejects, read instead of the source."""
        from airflow_provider_altcraft.delivery.rejects import records
        from airflow_provider_altcraft.delivery.source import closing_generators, from_profiles

        self.log.info("Reading rows from %s instead of the source.", self.rejects_from)
        repaired = records(location("rejects_from", self.rejects_from))
        with closing_generators(repaired, warn=self.log.warning):
            yield Opened(from_profiles(repaired, encoder))

    def _resume(self, context: Any, counters: Mapping[str, Any], tasks: Sequence[TaskBatch]) -> Any:
        """Wait for what an earlier try delivered."""
        from airflow_provider_altcraft.delivery.report import Report

        report = Report.from_dict({**counters, "task_ids": [task.task_id for task in tasks]})
        report.replayed = report.requests
        return self._conclude(context, report, tasks)

    def _conclude(self, context: Any, report: Report, tasks: Sequence[TaskBatch]) -> Any:
        """Wait for the tasks that Altcraft made of the rows, and account for each row."""
        from airflow_provider_altcraft.delivery.pipeline import keep_rejects
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        self._reading.check_not_empty(report)
        if not tasks:
            return self._account(context, report)
        if not self.wait_for_completion:
            return self._hand_over(context, report)
        result = {"report": report.to_dict(), "tasks": [asdict(task) for task in tasks]}
        batches = {task.task_id: task for task in tasks}
        destination = self.chosen_destination()
        rejects = self._rejects(context, destination)

        def keep(task_id: str, answer: TaskAnswer) -> bool:
            return keep_rejects(batches[task_id], answer, rejects, destination)

        return self.await_end(context, TaskTarget(list(batches), on_rejects=keep), result)

    def _hand_over(self, context: Any, report: Report) -> dict[str, Any]:
        """Return without waiting for the tasks."""
        from airflow_provider_altcraft.runtime.progress import measure

        kept_at = self._rejects(context, self.chosen_destination()).location
        self.log.info(
            "%d tasks were started. This task does not wait for them, so their rows are still open.\n%s",
            len(report.task_ids),
            report.table(),
        )
        context["ti"].xcom_push(key=TASK_IDS_KEY, value=report.task_ids)
        measure(report, self.chosen_destination())
        self._reject_policy.check(report, kept_at, is_final=False)
        return report.summary(kept_at=kept_at, handed_over=True)

    def _account(self, context: Any, report: Report) -> dict[str, Any]:
        from airflow_provider_altcraft.runtime.progress import measure

        kept_at = self._rejects(context, self.chosen_destination()).location if report.rejected else None
        self.log.info("%s\n%s%s", report, report.table(), f"\nRejected rows are kept in {kept_at}" if kept_at else "")
        measure(report, self.chosen_destination())
        if report.as_batch:
            self.log.warning(
                "%d rows were accepted as a batch: Altcraft did not report on each of them.", report.as_batch
            )
        self._reject_policy.check(report, kept_at)
        return report.summary(kept_at=kept_at)

    def _rejects(self, context: Any, destination: Destination) -> Rejects:
        return self._reject_policy.rejects(context, destination, holds=self.wait_for_completion)
