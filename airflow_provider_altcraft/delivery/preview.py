"""What a delivery would send, without sending it and without showing personal data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from math import ceil
from typing import Any

import msgspec

from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.pipeline import Delivery, Forecast
from airflow_provider_altcraft.delivery.source import Source

WIDTH = 32


@dataclass(slots=True)
class _Column:
    filled: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    example: str = ""


@dataclass(slots=True)
class Preview:
    """A sample of rows, mapped and checked.

    :param forecast: what sending it would take.
    :param columns: field -> what its values look like.
    :param is_all: whether the sample is the whole source.
    :param max_body_bytes: maximum bytes per request.
    """

    forecast: Forecast
    columns: dict[str, _Column]
    is_all: bool
    max_body_bytes: int

    @classmethod
    def of(cls, delivery: Delivery, source: Source[Any], *, size: int) -> Preview:
        """Read and map a sample.

        :param size: maximum rows in it.
        :raises AltcraftConfigurationError: for a value that cannot be written as JSON.
        """
        columns: dict[str, _Column] = {}
        rows = chain.from_iterable(source.chunks)

        def write(chunk: Sequence[Any]) -> JsonLines:
            records = source.write(chunk)
            for record in records:
                for name, value in msgspec.json.decode(record).items():
                    column = columns.setdefault(name, _Column())
                    column.filled += value is not None
                    column.kinds[_kind(value)] += 1
                    column.example = column.example or masked(value)
            return records

        forecast = delivery.forecast(Source([list(islice(rows, size))], write, source.columns, source.skips))
        nothing = object()
        return cls(forecast, columns, next(rows, nothing) is nothing, delivery.max_body_bytes)

    def __len__(self) -> int:
        """Rows in the sample."""
        return self.forecast.skipped + self._written

    @property
    def _written(self) -> int:
        return self.forecast.rows + self.forecast.keyless + self.forecast.oversized

    def summary(self, total: int | None, batch_size: int) -> dict[str, Any]:
        """The numbers, for XCom.

        :param total: rows in the source, if known.
        :param batch_size: maximum rows per request.
        """
        requests, size = self._whole(total, batch_size)
        return {
            "sample": len(self),
            "rows": total,
            "requests": requests,
            "bytes": size,
            "skipped": self.forecast.skipped,
            "without_key": self.forecast.keyless,
            "too_large": self.forecast.oversized,
        }

    def text(self, total: int | None, batch_size: int) -> str:
        """The numbers and a table of the fields, for the log; letters become ``x``, digits ``9``."""
        requests, size = self._whole(total, batch_size)
        whole = f"All {total:,} rows" if total is not None else "Each 100,000 rows"
        lines = [
            f"{len(self):,} rows read{'' if self.is_all else ' as a sample'}: {self.forecast.rows:,} would be sent,"
            f" {self.forecast.skipped:,} skipped, {self.forecast.keyless:,} rejected for lack of a key,"
            f" {self.forecast.oversized:,} as too large for a request.",
            f"{whole} make {requests:,} requests with {size:,} bytes.",
            f"{'field':<{WIDTH}} {'filled':>7}  {'type':<16} looks like",
        ]
        for name, column in self.columns.items():
            filled = f"{column.filled / max(1, self._written):.0%}"
            lines.append(f"{name:<{WIDTH}} {filled:>7}  {'/'.join(sorted(column.kinds)):<16} {column.example}")
        return "\n".join(lines)

    def _whole(self, total: int | None, batch_size: int) -> tuple[int, int]:
        """Requests and bytes for the whole source, or for 100,000 rows if its size is unknown."""
        sample = self.forecast
        if self.is_all or not sample.rows:
            return sample.requests, sample.body_bytes
        rows = ceil((100_000 if total is None else total) * sample.rows / len(self))
        bytes_of_row = sample.body_bytes / sample.rows
        rows_per_request = max(1, min(batch_size, int(self.max_body_bytes / bytes_of_row)))
        return ceil(rows / rows_per_request), round(rows * bytes_of_row)


def masked(value: Any) -> str:
    """The shape of a value, without its content."""
    if value is None or isinstance(value, bool):
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    shape = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", text))
    return shape if len(shape) <= WIDTH else shape[: WIDTH - 1] + "…"


def _kind(value: Any) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value), "number"
    )
