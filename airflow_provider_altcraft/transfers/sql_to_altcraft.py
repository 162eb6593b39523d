"""Send the rows of a SQL query to Altcraft."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import BaseHook, XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.delivering import DeliveringOperator, Opened

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.encoding import NullPolicy, ProfileEncoder

RowProcessor = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class SqlToAltcraftOperator(DeliveringOperator):
    """Send the rows of a query to a database, a scenario or another destination in Altcraft.

    Rows are streamed, so memory use does not depend on their number. They appear in no template, log or XCom. Order
    the query if the task may be retried: the same rows in the same order make the same batches, and Altcraft answers
    a batch it has seen from memory.

    :param sql: one statement, or the name of a ``.sql`` file. Templated.
    :param sql_conn_id: the connection of any ``DbApiHook``. Templated.
    :param destination: one of the classes in ``delivery.destinations``. Its id is templated.
    :param field_mapping: column -> Altcraft field, or a list of fields; by default, every column under its own name. A
        nested field is written as a path: ``subscriptions[0].phone``.
    :param constants: field or path -> value, the same in every profile. Templated.
    :param row_processor: called on the worker with each profile as a dictionary; returns the profile to send, or
        ``None`` to skip the row.
    :param watermark_column: a column that the query is ordered by, ascending. ``watermark`` in the result is its
        greatest value such that every row up to it was accepted or skipped: the next query may start there.
    :param watermark_start: the watermark of the previous run, returned again if this run does not get past it.
        Templated.
    :param parameters: parameters of the statement. Templated, and not logged by this provider.
    :param sql_hook_params: arguments for the hook.
    :param batch_size: maximum rows per request; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_in_flight: maximum concurrent requests.
    :param nulls: what to do with missing values: ``omit`` keeps what Altcraft has, ``send`` clears it; or a
        dictionary of field -> either of these.
    :param timezone: time zone of datetimes that have none.
    :param reject_path: folder for rejected rows and their reasons: a local path or an object store URL
        (``s3://conn@bucket/path``). It holds personal data. Templated.
    :param max_rejects: how many rejected rows to tolerate. Above 0 it needs ``reject_path``, so that a successful task
        never loses rows.
    :param max_reject_ratio: the same as a fraction of the rows sent, 0 to 1; the larger limit applies.
    :param rejects_from: a folder or file of repaired rejects to send instead of the source. Ignored if empty, so it
        can be set from a DAG run parameter. Templated.
    :param on_empty: what to do if there are no rows: ``succeed``, ``skip`` the task, or ``fail`` it.
    :param changes_only: skip rows that have not changed since Altcraft last accepted them. Needs a ledger, and a
        destination that answers at once.
    :param changes_key: the fields that identify a row in the ledger; by default, the destination's key fields.
    :param ledger_path: folder for the ledger, local or in an object store. It holds only hashes. Templated.
    :param ledger_table: table for the ledger, instead of a folder. Templated.
    :param ledger_conn_id: the connection for that table. Templated.
    :param check_fields: check with Altcraft before the first row that the database has the fields.
    :param dry_run: send nothing: read, map and check a sample, and log what a full run would send.
    :param sample_size: rows in that sample.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends all rows again; by default, only if that reaches nobody.
    :param altcraft_conn_id: the connection. Templated.
    :returns: counters, task ids and where rejects are kept.
    """

    template_fields: Sequence[str] = (
        *DeliveringOperator.template_fields,
        "sql",
        "sql_conn_id",
        "parameters",
        "constants",
        "watermark_start",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    sql_conn_id: Any

    def __init__(
        self,
        *,
        sql: str | XComArg,
        sql_conn_id: str | XComArg,
        destination: Destination,
        field_mapping: Mapping[str, str | Sequence[str]] | None = None,
        constants: Mapping[str, Any] | XComArg | None = None,
        row_processor: RowProcessor | None = None,
        watermark_column: str | None = None,
        watermark_start: Any = None,
        parameters: Sequence[Any] | Mapping[str, Any] | XComArg | None = None,
        sql_hook_params: dict[str, Any] | None = None,
        batch_size: int = 10_000,
        max_in_flight: int = 4,
        nulls: NullPolicy | Mapping[str, NullPolicy] = "omit",
        timezone: str = "UTC",
        reject_path: str | XComArg | None = None,
        max_rejects: int = 0,
        max_reject_ratio: float | None = None,
        rejects_from: str | XComArg | None = None,
        on_empty: Literal["succeed", "skip", "fail"] = "succeed",
        changes_only: bool = False,
        changes_key: Sequence[str] | None = None,
        ledger_path: str | XComArg | None = None,
        ledger_table: str | XComArg | None = None,
        ledger_conn_id: str | XComArg | None = None,
        check_fields: bool = True,
        dry_run: bool = False,
        sample_size: int = 1_000,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql: Any = sql
        self.sql_conn_id = sql_conn_id
        # Copied: its fields are rendered in place, and mapped tasks share the object.
        self.destination = copy(destination)
        self.depend_on_destination()
        self.field_mapping = field_mapping
        self.constants: Any = constants
        self.row_processor = row_processor
        self.watermark_column = watermark_column
        self.watermark_start = watermark_start
        self.parameters: Any = parameters
        self.sql_hook_params = sql_hook_params
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
        # Not named dry_run: BaseOperator has a method of that name, for the command line.
        self.is_dry_run = dry_run
        self.sample_size = sample_size
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    @contextmanager
    def opened(self, context: Any, destination: Destination, encoder: ProfileEncoder) -> Iterator[Opened]:
        """Run the query."""
        from airflow_provider_altcraft.delivery.mapping import FieldMapping
        from airflow_provider_altcraft.delivery.source import closing_generators, from_chunks, from_rows
        from airflow_provider_altcraft.delivery.watermark import Watermark
        from airflow_provider_altcraft.transfers.cursors import SqlQuery

        with SqlQuery(self._hook(), self.sql, self.parameters) as query:
            mapping = FieldMapping(query.columns, self.field_mapping, self.constants)
            missing = [names for names in destination.search_fields if not set(names) & set(mapping.fields)]
            # A row processor may add them; rows still without them are rejected one by one.
            if missing and self.row_processor is None:
                raise AltcraftConfigurationError(
                    f"Altcraft matches rows by {_shown(destination.search_fields)}, but no column is mapped to"
                    f" {_shown(missing)}. The query returns {', '.join(query.columns)}."
                )
            watermark = Watermark(self.watermark_column, query.columns) if self.watermark_column else None
            fetched = query.chunks()
            chunks = fetched if watermark is None else watermark.follow(fetched)
            if self.row_processor is None:
                with closing_generators(chunks, fetched, warn=self.log.warning):
                    yield Opened(from_rows(chunks, mapping, encoder), mapping.fields, watermark)
            else:
                profiles = ([mapping.profile(row) for row in chunk] for chunk in chunks)
                processed = _processed(profiles, self.row_processor)
                with closing_generators(processed, profiles, chunks, fetched, warn=self.log.warning):
                    yield Opened(from_chunks(processed, encoder), (), watermark)

    def check_arguments(self, destination: Destination) -> None:
        """Also check that the destination can be sent the same row again, if there is a watermark."""
        super().check_arguments(destination)
        if self.watermark_column and destination.makes_task:
            raise AltcraftConfigurationError(
                f"watermark_column cannot be used with {type(destination).__name__}: all rows after a rejected one"
                " would be sent again in every run. Select only rows not yet sent in the query."
            )

    def total(self) -> int | None:
        """The number of rows, counted by the database; ``None`` if it cannot wrap the statement."""
        from airflow_provider_altcraft.transfers.cursors import SqlQuery

        counting = f"SELECT COUNT(*) FROM ({self.sql.strip().rstrip(';')}) AS altcraft_rows"  # noqa: S608
        try:
            with SqlQuery(self._hook(), counting, self.parameters) as query:
                ((total,),) = query
        except Exception as error:
            # The message is not logged: it may quote parameters.
            self.log.info("The rows could not be counted (%s).", type(error).__name__)
            return None
        return int(total)

    def _hook(self) -> Any:
        hook = BaseHook.get_connection(self.sql_conn_id).get_hook(hook_params=self.sql_hook_params)
        if not callable(getattr(hook, "get_conn", None)) or not hasattr(hook, "get_records"):
            raise AltcraftConfigurationError(f"The connection {self.sql_conn_id!r} is not a SQL database.")
        return hook


def _shown(search_fields: Sequence[Sequence[str]]) -> str:
    return ", ".join(" or ".join(names) for names in search_fields)


def _processed(
    chunks: Iterable[Sequence[dict[str, Any]]], process: RowProcessor
) -> Iterator[list[Mapping[str, Any] | None]]:
    """The profiles that the row processor returns. Its errors are not chained: they may quote the row."""
    row = 0
    for chunk in chunks:
        processed = []
        for profile in chunk:
            row += 1
            try:
                processed.append(process(profile))
            except Exception as error:
                raise AltcraftConfigurationError(
                    f"row_processor failed at row {row} with {type(error).__name__}. Its message is withheld, since it"
                    " may quote personal data."
                ) from None
        yield processed
