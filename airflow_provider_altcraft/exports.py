"""What can be exported from Altcraft: files written by tasks, and lists, reports and logs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError
from airflow_provider_altcraft.runtime.templates import check_one_of, is_open

if TYPE_CHECKING:
    from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

HEAD = 1_000
"""Items that determine the columns of a CSV file."""


class FileExport(ABC):
    """An export that Altcraft writes to files, in a task."""

    template_fields: ClassVar[Sequence[str]] = ()
    endpoint: ClassVar[str]
    """The endpoint that starts the task."""

    @property
    @abstractmethod
    def params(self) -> dict[str, Any]:
        """Its parameters."""

    def check(self) -> None:
        """Check the arguments while the DAG is parsed.

        :raises AltcraftConfigurationError: naming the argument or parameter that is wrong.
        """
        _check(self.endpoint, self.params)

    def files(self, result: Mapping[str, Any]) -> list[str]:
        """The files named in the task's result (CONTRACT 2.1)."""
        urls = result.get("urls")
        return [url for url in urls if isinstance(url, str) and url] if isinstance(urls, list) else []


@dataclass
class ProfilesExport(FileExport):
    """The profiles of a database or a segment (CONTRACT 8.5).

    :param db_id: the database. Templated. Either this or ``segment_id``.
    :param segment_id: the segment. Templated.
    :param file_format: ``csv``; an old example has ``json``.
    :param custom_request: a query that selects profiles. Templated.
    """

    template_fields: ClassVar[Sequence[str]] = ("db_id", "segment_id", "custom_request")
    endpoint: ClassVar[str] = "profiles/get_all"

    db_id: int | str | None = None
    segment_id: int | str | None = None
    file_format: str = "csv"
    custom_request: dict[str, Any] | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The source and the query.

        :raises AltcraftConfigurationError: if neither or both sources are given.
        """
        check_one_of({"db_id": self.db_id, "segment_id": self.segment_id})
        return {
            "source_type": "segment" if self.db_id is None else "database",
            "source_id": self.segment_id if self.db_id is None else self.db_id,
            "file_format": self.file_format,
            "custom_request": self.custom_request,
        }


@dataclass
class SuppressionListExport(FileExport):
    """A suppression list: a zip of MD5 values (CONTRACT 10).

    :param suppress_id: the list. Templated.
    :param kind: ``emails``, ``phones``, ``domains`` or ``all``.
    """

    template_fields: ClassVar[Sequence[str]] = ("suppress_id",)
    endpoint: ClassVar[str] = "suppresses/export"

    suppress_id: int | str
    kind: str = "all"

    @property
    def params(self) -> dict[str, Any]:
        """The list and the kind."""
        return {"id": self.suppress_id, "type": self.kind}

    def files(self, result: Mapping[str, Any]) -> list[str]:
        """The hashed file, and the regular one if there is one: which of them exist is not documented."""
        named = (result.get(name) for name in ("hashed_file", "regular_file"))
        return [name for name in named if isinstance(name, str) and name]


@dataclass
class LoyaltyTransactionsExport(FileExport):
    """The points transactions of a loyalty programme (CONTRACT 11).

    :param loyalty_program_id: the programme. Templated.
    :param date_from: RFC 3339, inclusive. Templated.
    :param date_to: the same, for the end. Templated.
    :param points_currency_eid: external id of the currency. Templated. Either this or the internal id.
    :param points_currency_iid: its internal id. Templated.
    :param from_id: the transaction to start from. Templated.
    """

    template_fields: ClassVar[Sequence[str]] = (
        "loyalty_program_id",
        "date_from",
        "date_to",
        "points_currency_eid",
        "points_currency_iid",
        "from_id",
    )
    endpoint: ClassVar[str] = "loyalty/transactions_export"

    loyalty_program_id: int | str
    date_from: str | datetime
    date_to: str | datetime
    points_currency_eid: str | None = None
    points_currency_iid: int | str | None = None
    from_id: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The programme, the period and the currency.

        :raises AltcraftConfigurationError: if neither or both ids of the currency are given.
        """
        currency = {name: getattr(self, name) for name in ("points_currency_eid", "points_currency_iid")}
        check_one_of(currency)
        return {
            "loyalty_program_id": self.loyalty_program_id,
            "date_from": self.date_from,
            "date_to": self.date_to,
            "from_id": self.from_id,
            **currency,
        }


@dataclass
class ListExport:
    """All pages of a list, a report (``reports/bounces``) or the log of a mailing (``campaigns/log_v2``).

    :param endpoint: its name in the catalogue.
    :param params: its parameters; ``limit`` is the page size. Templated.
    :param file_format: ``jsonl``, one JSON object per line, or ``csv``, with nested values as JSON.
    :param columns: columns of the CSV, in order; other fields are left out. By default, the fields of the first
        thousand items; a later item with another field fails the task.
    :param file_name: by default, named after the endpoint: ``reports_bounces.csv``. Templated.
    """

    template_fields: ClassVar[Sequence[str]] = ("params", "file_name")

    endpoint: str
    params: dict[str, Any] | None = None
    file_format: Literal["jsonl", "csv"] = "jsonl"
    columns: Sequence[str] | None = None
    file_name: str | None = None

    def check(self) -> None:
        """Check the arguments while the DAG is parsed.

        :raises AltcraftConfigurationError: naming the argument that is wrong, or the endpoint if it is not a read.
        """
        from airflow_provider_altcraft.api.endpoints import Effect, ResponseKind, endpoint

        row = endpoint(self.endpoint)
        if row.effect is not Effect.READ or row.answer is not ResponseKind.ENVELOPE:
            raise AltcraftConfigurationError(f"{row.name} is not a list that can be read.")
        if self.file_format not in ("jsonl", "csv"):
            raise AltcraftConfigurationError(f"file_format must be 'jsonl' or 'csv', not {self.file_format!r}.")
        if self.params is None or isinstance(self.params, Mapping):
            _check(row.name, self.params or {})

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.file_name or f"{self.endpoint.strip('/').replace('/', '_')}.{self.file_format}"

    def items(self, hook: AltcraftHook) -> Iterator[Any]:
        """The items, page by page."""
        from airflow_provider_altcraft.api.mailing_log import LOG, entries

        if self.endpoint.strip("/") == LOG:
            return entries(hook.call, self.params or {})
        return hook.iterate(self.endpoint, self.params)

    def write(self, items: Iterator[Any], file: IO[bytes]) -> int:
        """Write the items one by one.

        :returns: the number of items.
        :raises AltcraftError: for a CSV, if an item has a field without a column.
        """
        lines = _csv_lines(items, self.columns) if self.file_format == "csv" else _json_lines(items)
        count = 0
        for count, line in enumerate(lines, start=1):  # noqa: B007
            file.write(line)
        return count - 1 if self.file_format == "csv" and count else count


def _check(name: str, params: Mapping[str, Any]) -> None:
    from airflow_provider_altcraft.api.endpoints import endpoint
    from airflow_provider_altcraft.api.parameters import check

    check(endpoint(name), params, is_open)


def _json_lines(items: Iterator[Any]) -> Iterator[bytes]:
    import msgspec

    encoder = msgspec.json.Encoder()
    return (encoder.encode(item) + b"\n" for item in items)


def _csv_lines(items: Iterator[Any], columns: Sequence[str] | None) -> Iterator[bytes]:
    """A line with the columns, and one per item. UTF-8 as in RFC 4180, except that lines end with LF."""
    import csv
    import io

    items = (item if isinstance(item, dict) else {"value": item} for item in items)
    head = list(islice(items, HEAD)) if columns is None else []
    names = columns if columns is not None else list(dict.fromkeys(name for item in head for name in item))
    if not names:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    known = set(names)

    def line(cells: Sequence[Any]) -> bytes:
        writer.writerow(cells)
        written = text.getvalue().encode()
        text.seek(0)
        text.truncate()
        return written

    yield line(names)
    for item in chain(head, items):
        if columns is None and not known.issuperset(item):
            raise AltcraftError(
                f"An item has the fields {', '.join(sorted(set(item) - known))}, which none of the first {HEAD:,} items"
                " had, so the CSV has no columns for them. Name the columns, or use file_format='jsonl'."
            )
        yield line([_cell(item.get(name)) for name in names])


def _cell(value: Any) -> Any:
    import json

    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else value
