"""Written rows become batches: closed by count and by exact bytes, in order, none lost, none split."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, overload

from airflow_provider_altcraft.delivery.ledger.prints import Print
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Packed(Sequence[bytes]):
    """Records that stand in a body, cut out of it when somebody asks: a rejected row, not each of ten thousand.

    :param body: the body.
    :param sizes: bytes of each item in it.
    :param start: where the first one stands; there is a comma between two.
    :param record_of: makes a record of an item.
    """

    def __init__(self, body: bytes, sizes: Iterable[int], start: int, record_of: Callable[[bytes], bytes]) -> None:
        self._body = body
        self._ends = array("L", accumulate(sizes, lambda end, size: end + size + 1, initial=start - 1))
        self._record_of = record_of

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return self._record_of(self._body[self._ends[place] + 1 : self._ends[place + 1]])


@dataclass(slots=True)
class Rows:
    """Rows, ready to send. Parallel lists, since an object for each row would cost more than writing it.

    :param numbers: of the rows in the source, from 1.
    :param records: their profiles as JSON.
    :param floors: the watermark if the row is not accepted; empty if none is followed.
    :param prints: of key and content, for the ledger; empty without one.
    """

    numbers: list[int]
    records: list[bytes] | Packed = field(repr=False)
    floors: list[Any] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records)

    def extend(self, other: Rows) -> None:
        """Put the other rows behind these."""
        self.numbers += other.numbers
        if isinstance(self.records, list):
            self.records += other.records
        self.floors += other.floors
        self.prints += other.prints

    def pack(self, body: bytes, start: int, around: int, record_of: Callable[[bytes], bytes]) -> None:
        """Let go of the records, which stand in a body now.

        :param start: where the first one stands.
        :param around: how many bytes longer each is there.
        :param record_of: makes a record of what stands there.
        """
        self.records = Packed(body, [len(record) + around for record in self.records], start, record_of)

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
            [self.records[place] for place in places],
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
    batch, size = Rows([], []), empty
    for chunk in chunks:
        weight = sum(map(len, chunk.records)) + around * len(chunk)
        if len(batch) + len(chunk) <= limits.items and size + weight <= limits.body_bytes:
            batch.extend(chunk)
            size += weight
            continue
        start = 0
        for place, record in enumerate(chunk.records):
            weight = len(record) + around
            if empty + weight > limits.body_bytes:
                raise AltcraftConfigurationError(
                    f"Row {chunk.numbers[place]} alone makes a request of {empty + weight:,} bytes, over the limit of"
                    f" {limits.body_bytes:,} (max_body_bytes in the connection's extra), and a row cannot be split."
                )
            if len(batch) + place - start >= limits.items or size + weight > limits.body_bytes:
                batch.extend(chunk.slice(start, place))
                yield batch
                batch, size, start = Rows([], []), empty, place
            size += weight
        batch.extend(chunk.slice(start))
    if batch.records:
        yield batch
