"""What the operators that deliver rows share: reading, sending, waiting, accounting for each row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseHook, TaskDeferred, XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftRowsError
from airflow_provider_altcraft.runtime.base import WaitingOperator, instance_folder
from airflow_provider_altcraft.runtime.compatibility import is_final

# What only a running task needs is imported by its methods: a DAG file is parsed far more often than it runs.
if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.answers import TaskAnswer, TaskOutcome
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.earlier_rejects import Same
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
"""The XCom with the ids of all tasks, where they are handed over: the one that grows, by an id per batch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that can be read.

    :param source: its rows.
    :param fields: the fields that its rows fill, where that is known beforehand.
    :param watermark: follows one of its columns.
    :param is_whole: whether the rows are all in memory and can be read twice.
    """

    source: Source[Any]
    fields: Sequence[str] = ()
    watermark: Watermark | None = None
    is_whole: bool = False


class DeliveringOperator(WaitingOperator):
    """Rows to a destination: sent, waited for, and accounted for.

    :param batch_size: rows per request at most; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_in_flight: requests at a time.
    :param nulls: what to do with a value that is not there: ``omit`` leaves what Altcraft has, ``send`` clears it; or a
        dictionary of field -> one of them.
    :param timezone: the zone of datetimes that name none.
    :param reject_path: where rejected rows are kept, with the reason: a folder, as a local path or the URL of an
        object store (``s3://conn@bucket/path``). They hold personal data. Templated.
    :param max_rejects: rejected rows that are put up with. Above 0 it needs ``reject_path``: a green task never
        hides rows that nobody can find.
    :param max_reject_ratio: the same as a share of the rows sent, 0 to 1; the larger of the two holds.
    :param rejects_from: a folder or file of rejected rows that were repaired: they are sent instead of the source.
        Nothing if it is empty, so that it can be a parameter of the DAG run. Templated.
    :param on_empty: what no rows at all mean: ``succeed``, ``skip`` the task, or ``fail`` it.
    :param changes_only: skip rows that are as they were when Altcraft last accepted them. It needs a place for the
        ledger, and a destination that answers at once.
    :param changes_key: the fields that identify a row in the ledger; the destination's own if not given.
    :param ledger_path: a folder for the ledger, local or in an object store. It holds hashes only. Templated.
    :param ledger_table: or a table for it. Templated.
    :param ledger_conn_id: the connection of that table. Templated.
    :param check_fields: ask Altcraft before the first row whether the database has the fields.
    :param dry_run: send nothing: read a sample, map and check it, and log what sending would take.
    :param sample_size: rows of that sample.
    """

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "destination",
        "reject_path",
        "rejects_from",
        "ledger_path",
        "ledger_table",
        "ledger_conn_id",
    )
    destination: Any
    watermark_start: Any = None

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
        rejects_from: str | None = None,
        on_empty: Literal["succeed", "skip", "fail"] = "succeed",
        changes_only: bool = False,
        changes_key: Sequence[str] | None = None,
        ledger_path: str | None = None,
        ledger_table: str | None = None,
        ledger_conn_id: str | None = None,
        check_fields: bool = True,
        dry_run: bool = False,
        sample_size: int = 1_000,
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
        self.rejects_from = rejects_from
        self.on_empty = on_empty
        self.changes_only = changes_only
        self.changes_key = changes_key
        self.ledger_path = ledger_path
        self.ledger_table = ledger_table
        self.ledger_conn_id = ledger_conn_id
        self.check_fields = check_fields
        # BaseOperator has a method of this name, for the command line.
        self.is_dry_run = dry_run
        self.sample_size = sample_size

    def on_kill(self) -> None:
        """Give up the requests in flight, too: a later try finds out what became of them."""
        super().on_kill()
        hook = self.__dict__.get("hook")
        if hook is not None:
            hook.abort()

    @abstractmethod
    def opened(self, context: Any, destination: Destination, encoder: ProfileEncoder) -> AbstractContextManager[Opened]:
        """The source, open for as long as rows are read."""

    def total(self) -> int | None:
        """How many rows the source has, if that can be told without reading them."""
        return None

    def work(self, context: Any) -> Any:
        """Read, send, wait, account for each row."""
        with self._pending_rows(context):
            return self._deliver(context)

    def _deliver(self, context: Any) -> Any:
        from airflow_provider_altcraft.delivery.destinations import Destination
        from airflow_provider_altcraft.delivery.watermark import plain
        from airflow_provider_altcraft.launching.identity import fingerprint

        destination = self.destination
        if not isinstance(destination, Destination):
            raise AltcraftConfigurationError(
                f"destination must be one of the classes in delivery.destinations, not {type(destination).__name__}."
            )
        destination = self._with_files(context, destination)
        self.check_arguments(destination)
        encoder = self._encoder()
        launcher = self._delivery_launcher(context, destination)
        params: Mapping[str, Any] = destination.params
        if not self.is_dry_run:
            if launcher.reaches_people:
                name = destination.endpoint.name
                self.announce_delivery(context, name, fingerprint(params), has_begun=launcher.has_begun)
            params = launcher.begin(params, is_private=destination.has_files)
            if launcher.completed is not None:
                return self._take_up(context, *launcher.completed)
        delivery = self._delivery(context, destination, launcher, params)
        opening = self._repaired(encoder) if self.rejects_from else self.opened(context, destination, encoder)
        with opening as source:
            self._check_target(destination, source.fields)
            self._check_key(source.fields)
            if self.is_dry_run:
                return self._preview(delivery, source)
            if source.is_whole:
                delivery.forecast(source.source)
            delivery.report.before = plain(self.watermark_start)
            with self._ledger(destination, encoder) as ledger:
                delivery.run(source.source, ledger=ledger, watermark=source.watermark)
        launcher.complete(delivery.batches, {**delivery.report.to_dict(), "task_ids": []})
        return self._conclude(context, delivery.report, delivery.tasks)

    def depend_on_files(self, destination: Any) -> None:
        """Put the task behind those that make the files of its destination.

        Airflow looks for upstream tasks in template fields only, and what is in a file must not be in one.
        """
        XComArg.apply_upstream_relationship(self, getattr(destination, "attach", None))

    def _with_files(self, context: Any, destination: Destination) -> Destination:
        """The destination with its files as Altcraft takes them."""
        from airflow_provider_altcraft.delivery.destinations import Scenario, TriggerMailing
        from airflow_provider_altcraft.runtime.attachments import attachments

        if isinstance(destination, Scenario | TriggerMailing) and destination.attach is not None:
            return replace(destination, attach=attachments(self, destination.attach, context))
        return destination

    def check_arguments(self, destination: Destination) -> None:
        """Refuse arguments that do not go together, before the first row.

        :raises AltcraftConfigurationError: naming them.
        """
        self.check_waiting()
        if (self.max_rejects or self.max_reject_ratio) and not self.reject_path:
            raise AltcraftConfigurationError("max_rejects above 0 needs reject_path: rejected rows must be kept.")
        if self.max_reject_ratio is not None and not 0 <= self.max_reject_ratio <= 1:
            raise AltcraftConfigurationError(f"max_reject_ratio is a share from 0 to 1, not {self.max_reject_ratio!r}.")
        if self.on_empty not in ("succeed", "skip", "fail"):
            raise AltcraftConfigurationError(f"on_empty must be 'succeed', 'skip' or 'fail', not {self.on_empty!r}.")
        if self.changes_only and bool(self.ledger_path) == bool(self.ledger_table):
            raise AltcraftConfigurationError(
                "changes_only needs either ledger_path or ledger_table to remember rows in."
            )
        if self.sample_size < 1:
            raise AltcraftConfigurationError(f"sample_size must be at least 1, not {self.sample_size}.")
        if isinstance(self.changes_key, str):
            raise AltcraftConfigurationError("changes_key is a list of fields, not a text.")
        if self.changes_only and not (self.changes_key or destination.key_fields):
            raise AltcraftConfigurationError("changes_only needs changes_key: the destination looks for no profile.")
        if self.changes_only and destination.makes_task:
            raise AltcraftConfigurationError(
                f"changes_only needs a destination that answers at once, which {type(destination).__name__} does not:"
                " select the rows that changed in the query."
            )

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Count what the tasks say of their rows; a task that failed is a reason to reject its rows, not to stop."""
        from airflow_provider_altcraft.delivery.answers import TaskOutcome
        from airflow_provider_altcraft.delivery.pipeline import TaskBatch, settle
        from airflow_provider_altcraft.delivery.report import Report

        rejects = self._rejects(context, self.destination)
        with self._pending_rows(context):
            if verdict.cause != "job":
                verdict.raise_for_failure()
            report = Report.from_dict(result["report"])
            forgotten = settle(
                report,
                [TaskBatch(**task) for task in result["tasks"]],
                rejects,
                destination=self.destination,
                outcomes={task_id: TaskOutcome.from_dict(found) for task_id, found in verdict.outcomes.items()},
                ask=self._ask,
            )
            if not forgotten:
                rejects.release_all()
                return self._account(context, report)
        shown = ", ".join(forgotten[:5]) + (", …" if len(forgotten) > 5 else "")
        raise AltcraftRowsError(
            f"{len(forgotten)} tasks refused rows, and do not tell any more which ({shown}). {report}. All rows of"
            f" these tasks are kept in 'pending' below {rejects.location}."
        )

    @contextmanager
    def _pending_rows(self, context: Any) -> Iterator[None]:
        """Forget the rows that were put aside once no try will ask any more what became of them."""
        try:
            yield
        except TaskDeferred:
            raise
        except BaseException as error:
            ti = context["ti"]
            if is_final(error) or ti.try_number > ti.max_tries:
                with suppress(Exception):
                    self._rejects(context, self.destination).release_all()
            raise

    def _ask(self, altcraft_task_id: str) -> tuple[TaskAnswer, TaskOutcome]:
        """What a finished task says of its rows."""
        from airflow_provider_altcraft.waiting.targets import ended

        params = {"task_id": altcraft_task_id}
        return ended(self.hook.client.call("tasks/status", params, raw_result=True), self.hook.settings)

    def _encoder(self) -> ProfileEncoder:
        import pendulum

        from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

        try:
            timezone = pendulum.timezone(self.timezone)
        except ValueError as error:
            raise AltcraftConfigurationError(f"There is no timezone {self.timezone!r}.") from error
        return ProfileEncoder(nulls=self.nulls, timezone=timezone)

    def _delivery_launcher(self, context: Any, destination: Destination) -> DeliveryLauncher:
        """Sends the batches, each once."""
        from airflow_provider_altcraft.launching.deliveries import DeliveryLauncher

        endpoint = destination.endpoint
        folder = instance_folder(_path(self.reject_path), context) / "records" if self.reject_path else None
        store = self.store(context, folder=folder)
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
        """Refuse fields that the destination does not have.

        :raises AltcraftConfigurationError: naming them.
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
            self.log.info("Altcraft did not tell the fields of database %s: %s", destination.database, error)
            return
        if not check_fields(fields, answer, destination.key_fields):
            self.log.info("Altcraft's answer does not name the fields of database %s.", destination.database)

    def _check_key(self, fields: Sequence[str]) -> None:
        """Refuse a key of the ledger that the rows do not have: nothing would ever be unchanged.

        :raises AltcraftConfigurationError: naming it.
        """
        missing = [name for name in self.changes_key or () if fields and name not in fields]
        if missing:
            raise AltcraftConfigurationError(
                f"changes_key names {', '.join(missing)}, which no column becomes: it takes Altcraft's fields, not"
                " columns."
            )

    def _preview(self, delivery: Delivery, opened: Opened) -> dict[str, Any]:
        from airflow_provider_altcraft.delivery.preview import Preview

        preview = Preview.of(delivery, opened.source, size=self.sample_size)
        total = len(preview) if preview.is_all else None if self.rejects_from else self.total()
        self.log.info("Dry run: nothing is sent.\n%s", preview.text(total, self.batch_size))
        # The next run looks for it in the result of the last.
        return {"dry_run": True, "watermark": self.watermark_start, **preview.summary(total, self.batch_size)}

    def _ledger(self, destination: Destination, encoder: ProfileEncoder) -> AbstractContextManager[Ledger | None]:
        if not self.changes_only:
            return nullcontext()
        from airflow_provider_altcraft.api.request import encode
        from airflow_provider_altcraft.delivery.ledger.files import FileLedger
        from airflow_provider_altcraft.delivery.ledger.ledger import Ledger, LedgerStore
        from airflow_provider_altcraft.delivery.ledger.table import TableLedger

        store: LedgerStore
        if self.ledger_path:
            store = FileLedger(_path(self.ledger_path))
        else:
            source = getattr(self, "sql_conn_id", None)
            conn_id = self.ledger_conn_id or source
            if not conn_id:
                raise AltcraftConfigurationError("ledger_table needs ledger_conn_id, the connection of its database.")
            connection = BaseHook.get_connection(conn_id)
            if conn_id == source and connection.conn_type == "sqlite":
                raise AltcraftConfigurationError(
                    "A SQLite database that is being read cannot be written: name another in ledger_conn_id."
                )
            store = TableLedger(connection.get_hook(), str(self.ledger_table))
        scope = encode([self.hook.settings.base_url, destination.endpoint.name, destination.params])
        return Ledger(store, scope=scope, key=self.changes_key or destination.key_fields, encoder=encoder)

    @contextmanager
    def _repaired(self, encoder: ProfileEncoder) -> Iterator[Opened]:
        """Rejected rows, repaired, in the place of the source."""
        from airflow_provider_altcraft.delivery.rejects import records
        from airflow_provider_altcraft.delivery.source import closing_generators, from_profiles

        self.log.info("The rows are read from %s, not from the source.", self.rejects_from)
        repaired = records(_path(str(self.rejects_from)))
        with closing_generators(repaired, warn=self.log.warning):
            yield Opened(from_profiles(repaired, encoder))

    def _take_up(self, context: Any, counters: Mapping[str, Any], tasks: Sequence[TaskBatch]) -> Any:
        """Wait for what an earlier try delivered."""
        from airflow_provider_altcraft.delivery.report import Report

        report = Report.from_dict({**counters, "task_ids": [task.task_id for task in tasks]})
        report.replayed = report.requests
        return self._conclude(context, report, tasks)

    def _conclude(self, context: Any, report: Report, tasks: Sequence[TaskBatch]) -> Any:
        """Wait for the tasks that the rows became, and account for each row."""
        from airflow_provider_altcraft.delivery.pipeline import keep_refusals
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        if not report.read:
            self._empty()
        if not tasks:
            return self._account(context, report)
        if not self.wait_for_completion:
            return self._hand_over(context, report)
        result = {"report": report.to_dict(), "tasks": [asdict(task) for task in tasks]}
        batches = {task.task_id: task for task in tasks}
        rejects = self._rejects(context, self.destination)

        def keep(task_id: str, answer: TaskAnswer) -> bool:
            return keep_refusals(batches[task_id], answer, rejects, self.destination)

        return self.await_end(context, TaskTarget(list(batches), on_refusals=keep), result)

    def _empty(self) -> None:
        """There were no rows."""
        if self.on_empty == "skip":
            raise AirflowSkipException("The source has no rows (on_empty='skip').")
        if self.on_empty == "fail":
            raise AltcraftRowsError("The source has no rows, and on_empty='fail' says there must be some.")

    def _hand_over(self, context: Any, report: Report) -> dict[str, Any]:
        """Leave the tasks to somebody else."""
        from airflow_provider_altcraft.runtime.progress import measure

        kept_at = self._rejects(context, self.destination).location
        self.log.info(
            "%d tasks were started and are not waited for: their rows are open.\n%s",
            len(report.task_ids),
            report.table(),
        )
        context["ti"].xcom_push(key=TASK_IDS_KEY, value=report.task_ids)
        measure(report, self.destination)
        report.check_rejects(max_rejects=self.max_rejects, max_reject_ratio=self.max_reject_ratio, kept_at=kept_at)
        return report.summary(kept_at=kept_at, handed_over=True)

    def _account(self, context: Any, report: Report) -> dict[str, Any]:
        from airflow_provider_altcraft.runtime.progress import measure

        kept_at = self._rejects(context, self.destination).location if report.rejected else None
        self.log.info("%s\n%s%s", report, report.table(), f"\nRejected rows are kept in {kept_at}" if kept_at else "")
        measure(report, self.destination)
        if report.as_batch:
            self.log.warning("%d rows were accepted as a batch: Altcraft said nothing of each.", report.as_batch)
        report.check(max_rejects=self.max_rejects, max_reject_ratio=self.max_reject_ratio, kept_at=kept_at)
        return report.summary(kept_at=kept_at)

    def _rejects(self, context: Any, destination: Destination) -> Rejects:
        from airflow_provider_altcraft.delivery.rejects import Rejects

        if not self.reject_path:
            return Rejects(None)
        folder = instance_folder(_path(self.reject_path), context)
        # Repaired rows are numbered as they are read.
        same: Same = "content" if self.rejects_from else "key and row" if destination.makes_task else "key"
        return Rejects(folder, destination.key_fields, holds=self.wait_for_completion, same=same)


def _path(location: str) -> Any:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    return ObjectStoragePath(location)
