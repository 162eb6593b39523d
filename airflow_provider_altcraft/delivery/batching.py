"""Written rows become batches: closed by count and by exact bytes, in order, none lost, none split."""

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
    """Rows, ready to send. Parallel lists, since an object for each row would cost more than writing it.

    :param numbers: of the rows in the source, from 1.
    :param records: their profiles as JSON.
    :param safe_watermarks: the watermark if the row is not accepted; empty if none is followed.
    :param fingerprints: of key and content, for the ledger; empty without one.
    """

    numbers: list[int] = field(default_factory=list)
    records: JsonLines = field(default_factory=JsonLines, repr=False)
    safe_watermarks: list[Any] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records)

    def extend(self, other: Rows) -> None:
        """Put the other rows behind these."""
        self.numbers += other.numbers
        self.records += other.records
        self.safe_watermarks += other.safe_watermarks
        self.fingerprints += other.fingerprints

    def slice(self, start: int, end: int | None = None) -> Rows:
        """Some of the rows."""
        part = slice(start, end)
        return Rows(self.numbers[part], self.records[part], self.safe_watermarks[part], self.fingerprints[part])

    def pick(self, places: Sequence[int]) -> Rows:
        """The rows at these places."""
        if len(places) == len(self):
            return self
        return Rows(
            [self.numbers[place] for place in places],
            JsonLines.of([self.records[place] for place in places], is_flat=self.records.is_flat),
            [self.safe_watermarks[place] for place in places] if self.safe_watermarks else [],
            [self.fingerprints[place] for place in places] if self.fingerprints else [],
        )

    def safe_watermark(self, place: int) -> Any:
        """The watermark if the row at this place is not accepted."""
        return self.safe_watermarks[place] if self.safe_watermarks else None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch is called. Two of the same name hold the same rows for the same place in Altcraft.

    :param name: digest of where its rows go and what they say, the same at any try.
    :param place: where it stands in the delivery: ``3``, or ``3.1`` for its second half.
    :param rows: how many.
    :param converges: whether its rows say the same when they arrive twice: none has a function such as ``increase``.
    """

    name: str
    place: str = field(default="0", compare=False)
    rows: int = field(default=0, compare=False)
    converges: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold.

    :param items: rows.
    :param body_bytes: bytes of the whole body.
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


def batches(chunks: Iterable[Rows], limits: Limits, refuse: Callable[[Rows, int], None]) -> Iterator[Rows]:
    """Cut a stream of rows into batches, each as full as the limits allow.

    :param refuse: is given each row that does not fit into a request of its own, and the bytes of that request.
    """
    # Each item is counted with a comma; the first has none.
    empty, around = limits.frame_bytes - 1, limits.wrap_bytes + 1
    batch, size = Rows(), empty
    for chunk in chunks:
        weight = chunk.records.size + around * len(chunk)
        if len(batch) + len(chunk) <= limits.items and size + weight <= limits.body_bytes:
            batch.extend(chunk)
            size += weight
        else:
            fitting = _fitting(chunk, limits, refuse)
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
            # Now, since the next chunk would have to be taken apart to see that none of it fits.
            yield batch
            batch, size = Rows(), empty
    if batch.records:
        yield batch


def _fitting(chunk: Rows, limits: Limits, refuse: Callable[[Rows, int], None]) -> Rows:
    """The rows that fit into a request of their own."""
    alone = [limits.frame_bytes + limits.wrap_bytes + len(record) for record in chunk.records]
    places = [place for place, size in enumerate(alone) if size <= limits.body_bytes]
    if len(places) < len(chunk):
        for place in sorted(set(range(len(chunk))) - set(places)):
            refuse(chunk.pick([place]), alone[place])
    return chunk.pick(places)
