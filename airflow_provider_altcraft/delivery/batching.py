"""Cut encoded rows into batches, by count and by exact bytes, keeping their order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.ledger.fingerprints import Fingerprint
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


@dataclass(slots=True)
class Rows:
    """Rows ready to send, as parallel lists: an object per row would cost more than encoding it.

    :param numbers: row numbers in the source, from 1.
    :param records: their profiles as JSON.
    :param safe_watermarks: for each row, the watermark if it is not accepted; empty without a watermark.
    :param fingerprints: of key and content, for the ledger; empty without one.
    """

    numbers: list[int] = field(default_factory=list)
    records: JsonLines = field(default_factory=JsonLines, repr=False)
    safe_watermarks: list[Any] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records)

    def extend(self, other: Rows) -> None:
        """Append other rows."""
        self.numbers += other.numbers
        self.records += other.records
        self.safe_watermarks += other.safe_watermarks
        self.fingerprints += other.fingerprints

    def slice(self, start: int, end: int | None = None) -> Rows:
        """Some of the rows."""
        part = slice(start, end)
        return Rows(self.numbers[part], self.records[part], self.safe_watermarks[part], self.fingerprints[part])

    def pick(self, indexes: Sequence[int]) -> Rows:
        """The rows at these indexes."""
        if len(indexes) == len(self):
            return self
        return Rows(
            [self.numbers[index] for index in indexes],
            JsonLines.of([self.records[index] for index in indexes], is_flat=self.records.is_flat),
            [self.safe_watermarks[index] for index in indexes] if self.safe_watermarks else [],
            [self.fingerprints[index] for index in indexes] if self.fingerprints else [],
        )

    def safe_watermark(self, index: int) -> Any:
        """The watermark if the row at this index is not accepted."""
        return self.safe_watermarks[index] if self.safe_watermarks else None


@dataclass(frozen=True, slots=True)
class Batch:
    """The identity of a batch. Two with the same name hold the same rows for the same place in Altcraft.

    :param name: digest of where its rows go and their content, the same in every try.
    :param place: its position in the delivery: ``3``, or ``3.1`` for its second half.
    :param rows: how many.
    :param converges: whether sending its rows twice has no further effect: none has a function such as ``increase``.
    """

    name: str
    place: str = field(default="0", compare=False)
    rows: int = field(default=0, compare=False)
    converges: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The limits of one request.

    :param items: maximum rows.
    :param body_bytes: maximum bytes of the whole body.
    :param frame_bytes: bytes of the body around the items.
    :param wrap_bytes: bytes around each item.
    """

    items: int
    body_bytes: int
    frame_bytes: int
    wrap_bytes: int

    def __post_init__(self) -> None:
        if self.items < 1:
            raise AltcraftConfigurationError(f"batch_size must be at least 1, not {self.items}.")


def batches(chunks: Iterable[Rows], limits: BatchLimits, reject: Callable[[Rows, int], None]) -> Iterator[Rows]:
    """Cut a stream of rows into batches, each as full as the limits allow.

    :param reject: called with each row that does not fit into a request by itself, and the bytes of that request.
    """
    # Each item is counted with a comma, which the first does not have: hence one byte less.
    empty, around = limits.frame_bytes - 1, limits.wrap_bytes + 1
    batch, size = Rows(), empty
    for chunk in chunks:
        weight = chunk.records.size + around * len(chunk)
        if len(batch) + len(chunk) <= limits.items and size + weight <= limits.body_bytes:
            batch.extend(chunk)
            size += weight
        else:
            # Prefix sums of the sizes: a binary search finds how many rows still fit.
            fitting = _fitting(chunk, limits, reject)
            ends = list(accumulate((len(record) + around for record in fitting.records), initial=0))
            start = 0
            while start < len(fitting):
                last = bisect_right(ends, ends[start] + limits.body_bytes - size) - 1
                end = min(last, start + limits.items - len(batch))
                batch.extend(fitting.slice(start, end))
                size += ends[end] - ends[start]
                if end < len(fitting):
                    yield batch
                    batch, size = Rows(), empty
                start = end
        if len(batch) == limits.items:
            # Yield a full batch now: otherwise the next chunk would be split only to find that none of it fits.
            yield batch
            batch, size = Rows(), empty
    if batch.records:
        yield batch


def _fitting(chunk: Rows, limits: BatchLimits, reject: Callable[[Rows, int], None]) -> Rows:
    """The rows that fit into a request by themselves."""
    alone = [limits.frame_bytes + limits.wrap_bytes + len(record) for record in chunk.records]
    fitting = [index for index, size in enumerate(alone) if size <= limits.body_bytes]
    if len(fitting) < len(chunk):
        for index in sorted(set(range(len(chunk))) - set(fitting)):
            reject(chunk.pick([index]), alone[index])
    return chunk.pick(fitting)
