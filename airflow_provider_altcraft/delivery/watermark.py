"""How far a source was delivered without a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Watermark:
    """Follows a column while rows are read in its order.

    The floor of a row is the greatest value below its own: where the watermark stays if that row is not accepted, since
    the next query asks for what lies above it. ``safe_watermarks`` are those of the rows handed out last.

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
        self.safe_watermarks: list[Any] = []
        self._floor: Any = None

    def follow(self, chunks: Iterable[Sequence[Sequence[Any]]]) -> Iterator[Sequence[Sequence[Any]]]:
        """Hand the rows on, some at a time, keeping up with the column. A null does not move it.

        :raises AltcraftConfigurationError: for a value below the one before it. What came before was handed out.
        """
        for chunk in chunks:
            self.safe_watermarks = [self._passed(row[self._index]) for row in chunk]
            yield chunk

    def _passed(self, value: Any) -> Any:
        if value is not None and value != self.value:
            if self.value is not None and value < self.value:
                raise AltcraftConfigurationError(
                    f"The rows are not in the order of {self._column}: a watermark needs the query to end with"
                    f" ORDER BY {self._column}."
                )
            self._floor, self.value = self.value, value
        return self._floor


def plain(value: Any) -> Any:
    """A watermark as JSON: numbers as they are, anything else as text that SQL reads back."""
    if value is None or isinstance(value, int | float | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
