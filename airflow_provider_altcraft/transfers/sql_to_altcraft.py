"""The rows of a query into Altcraft."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.delivering import DeliveringOperator, Opened

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

RowProcessor = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class SqlToAltcraftOperator(DeliveringOperator):
    """Send the rows of a query to a database, a scenario or another destination of Altcraft's.

    The rows are streamed: memory does not depend on how many there are. They land in no template, log or XCom.
    Order the query if the task may be retried: the same rows in the same order make the same batches, and Altcraft
    answers a batch that it had from memory.

    :param sql: one statement, or the name of a ``.sql`` file. Templated.
    :param sql_conn_id: a connection of any ``DbApiHook``. Templated.
    :param destination: one of the classes in ``delivery.destinations``. Its id is templated.
    :param field_mapping: column -> Altcraft field, or a list of them; every column under its own name if it is not
        given. A field below the surface is written as a path, ``subscriptions[0].phone``.
    :param constants: field or path -> value, the same in every profile. Templated.
    :param row_processor: called on the worker with each profile, as fields and values; returns the profile to send,
        or ``None`` to skip the row.
    :param watermark_column: a column by which the query is ordered, ascending. ``watermark`` in the result is its
        greatest value up to which every row was accepted or skipped: where the next query may begin.
    :param watermark_start: the watermark of the run before; the result's own, if no row was passed. Templated.
    :param parameters: parameters of the statement. Templated, and not logged here.
    :param sql_hook_params: arguments for the hook.

    Returns counters, task ids and where rejects are kept. Sending rows, waiting and rejects: ``DeliveringOperator``.
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

    def __init__(
        self,
        *,
        sql: str,
        sql_conn_id: str,
        destination: Destination,
        field_mapping: Mapping[str, str | Sequence[str]] | None = None,
        constants: Mapping[str, Any] | None = None,
        row_processor: RowProcessor | None = None,
        watermark_column: str | None = None,
        watermark_start: Any = None,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        sql_hook_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.sql_conn_id = sql_conn_id
        # Its fields are rendered in place, and mapped tasks are given the same object.
        self.destination = copy(destination)
        self.depend_on_files(destination)
        self.field_mapping = field_mapping
        self.constants = constants
        self.row_processor = row_processor
        self.watermark_column = watermark_column
        self.watermark_start = watermark_start
        self.parameters = parameters
        self.sql_hook_params = sql_hook_params

    @contextmanager
    def opened(self, context: Any, destination: Destination, encoder: ProfileEncoder) -> Iterator[Opened]:
        """The query, running."""
        from airflow_provider_altcraft.delivery.mapping import FieldMapping
        from airflow_provider_altcraft.delivery.source import closing_generators, from_chunks, from_rows
        from airflow_provider_altcraft.delivery.watermark import Watermark
        from airflow_provider_altcraft.transfers.cursors import Query

        with Query(self._hook(), self.sql, self.parameters) as query:
            mapping = FieldMapping(query.columns, self.field_mapping, self.constants)
            missing = [names for names in destination.search_fields if not set(names) & set(mapping.fields)]
            # A processor may add them; a row that has none then is rejected by itself.
            if missing and self.row_processor is None:
                raise AltcraftConfigurationError(
                    f"Altcraft finds what a row is about by {_shown(destination.search_fields)}, and no column becomes"
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
        """As of any delivery; and a watermark only where a row that is sent again does no harm."""
        super().check_arguments(destination)
        if self.watermark_column and destination.makes_task:
            raise AltcraftConfigurationError(
                f"watermark_column does not go with {type(destination).__name__}: below a row that was rejected, all"
                " others would be sent again every time. Select what was not sent yet in the query."
            )

    def total(self) -> int | None:
        """The rows of the query, counted by the database; ``None`` if it cannot wrap the statement."""
        from airflow_provider_altcraft.transfers.cursors import Query

        counting = f"SELECT COUNT(*) FROM ({self.sql.strip().rstrip(';')}) AS altcraft_rows"  # noqa: S608
        try:
            with Query(self._hook(), counting, self.parameters) as query:
                ((total,),) = query
        except Exception as error:
            # The message may quote parameters.
            self.log.info("The rows could not be counted (%s).", type(error).__name__)
            return None
        return int(total)

    def _hook(self) -> Any:
        hook = BaseHook.get_connection(self.sql_conn_id).get_hook(hook_params=self.sql_hook_params)
        if not callable(getattr(hook, "get_conn", None)) or not hasattr(hook, "get_records"):
            raise AltcraftConfigurationError(f"The connection {self.sql_conn_id!r} is not one of a SQL database.")
        return hook


def _shown(search_fields: Sequence[Sequence[str]]) -> str:
    return ", ".join(" or ".join(names) for names in search_fields)


def _processed(
    chunks: Iterable[Sequence[dict[str, Any]]], process: RowProcessor
) -> Iterator[list[Mapping[str, Any] | None]]:
    """The profiles as the processor returns them. Its errors are not chained: they may quote the row."""
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
