"""How far a source was delivered without a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Watermark:
    """Follows a column while rows are read in its order.

    ``floor`` is the greatest value below that of the current row: where the watermark stays if that row is not
    accepted, since a next query asks for what lies above it.

    :param column: its name.
    :param columns: names of the query's columns.
    :raises AltcraftConfigurationError: if the query does not return it.
    """

    def __init__(self, column: str, columns: Sequence[str]) -> None:
        if column not in columns:
            raise AltcraftConfigurationError(
                f"watermark_column is {column!r}, which the query does not return. It returns {', '.join(columns)}."
            )
        self._column = column
        self._index = list(columns).index(column)
        self.value: Any = None
        self.floor: Any = None

    def follow(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Hand the rows on, keeping up with the column. A null does not move it.

        :raises AltcraftConfigurationError: for a value below the one before it. What came before was handed out.
        """
        index = self._index
        for number, row in enumerate(rows, start=1):
            value = row[index]
            if value is not None and value != self.value:
                if self.value is not None and value < self.value:
                    raise AltcraftConfigurationError(
                        f"Row {number} has a lower {self._column} than the row before it: a watermark needs the query"
                        f" to end with ORDER BY {self._column}."
                    )
                self.floor, self.value = self.value, value
            yield row


def plain(value: Any) -> Any:
    """A watermark as JSON: numbers as they are, anything else as text that SQL reads back."""
    if value is None or isinstance(value, int | float | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
