"""The watermark: how far a source has been delivered without gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Watermark:
    """Tracks a column while rows are read in its order.

    The safe watermark of a row is the greatest value below its own. If the row is not accepted, the watermark must
    stay there, since the next query reads only what lies above it. ``safe_watermarks`` are those of the last chunk.

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
        """Pass the rows on, tracking the column. Nulls are ignored.

        :raises AltcraftConfigurationError: for a value below the previous one; earlier chunks have been passed on.
        """
        for chunk in chunks:
            self.safe_watermarks = [self._safe_watermark(row[self._index]) for row in chunk]
            yield chunk

    def _safe_watermark(self, value: Any) -> Any:
        if value is not None and value != self.value:
            if self.value is not None and value < self.value:
                raise AltcraftConfigurationError(
                    f"The rows are not ordered by {self._column}: for a watermark, the query must end with"
                    f" ORDER BY {self._column}."
                )
            self._floor, self.value = self.value, value
        return self._floor


def plain(value: Any) -> Any:
    """A watermark as JSON: numbers unchanged, anything else as text that SQL can read back."""
    if value is None or isinstance(value, int | float | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
