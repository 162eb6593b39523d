"""Written rows become batches: closed by count and by exact bytes, in order, none lost, none split."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from airflow_provider_altcraft.delivery.ledger.prints import Print
from airflow_provider_altcraft.delivery.lines import Lines
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


@dataclass(slots=True)
class Rows:
    """Rows, ready to send. Parallel lists, since an object for each row would cost more than writing it.

    :param numbers: of the rows in the source, from 1.
    :param records: their profiles as JSON.
    :param floors: the watermark if the row is not accepted; empty if none is followed.
    :param prints: of key and content, for the ledger; empty without one.
    """

    numbers: list[int] = field(default_factory=list)
    records: Lines = field(default_factory=Lines, repr=False)
    floors: list[Any] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records)

    def extend(self, other: Rows) -> None:
        """Put the other rows behind these."""
        self.numbers += other.numbers
        self.records += other.records
        self.floors += other.floors
        self.prints += other.prints

    def slice(self, start: int, end: int | None = None) -> Rows:
        """Some of the rows."""
        part = slice(start, end)
        return Rows(self.numbers[part], self.records[part], self.floors[part], self.prints[part])

    def pick(self, places: Sequence[int]) -> Rows:
        """The rows at these places."""
        if len(places) == len(self):
            return self
        return Rows(
            [self.numbers[place] for place in places],
            Lines.of([self.records[place] for place in places]),
            [self.floors[place] for place in places] if self.floors else [],
            [self.prints[place] for place in places] if self.prints else [],
        )

    def floor(self, place: int) -> Any:
        """The watermark if the row at this place is not accepted."""
        return self.floors[place] if self.floors else None


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


def batches(chunks: Iterable[Rows], limits: Limits) -> Iterator[Rows]:
    """Cut a stream of rows into batches, each as full as the limits allow.

    :raises AltcraftConfigurationError: for a row that does not fit into a request of its own. The batches
        before it have been handed out by then.
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
            ends = list(accumulate((len(record) + around for record in chunk.records), initial=0))
            start = 0
            while start < len(chunk):
                fitting = bisect_right(ends, ends[start] + limits.body_bytes - size) - 1
                end = min(fitting, start + limits.items - len(batch))
                batch.extend(chunk.slice(start, end))
                size += ends[end] - ends[start]
                if not batch.records:
                    raise AltcraftConfigurationError(
                        f"Row {chunk.numbers[start]} alone makes a request of {empty + ends[start + 1] - ends[start]:,}"
                        f" bytes, over the limit of {limits.body_bytes:,} (max_body_bytes in the connection's extra),"
                        " and a row cannot be split."
                    )
                if end < len(chunk):
                    yield batch
                    batch, size = Rows(), empty
                start = end
        if len(batch) == limits.items:
            # Now, since the next chunk would have to be taken apart to see that none of it fits.
            yield batch
            batch, size = Rows(), empty
    if batch.records:
        yield batch
