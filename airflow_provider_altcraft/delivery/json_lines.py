"""Records as JSON lines: encoded and sent together, split only if a single record is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

import msgspec

from airflow_provider_altcraft.api.request import Frame


class JsonLines(Sequence[bytes]):
    """Records, one per line.

    Kept as a few large byte strings, because most batches are accepted whole: ten thousand bytes objects per batch
    would cost more than encoding them. Splitting at line feeds is safe, as JSON escapes them inside values.

    :param parts: byte strings of whole lines, each ending with a line feed.
    :param count: how many lines there are.
    :param is_flat: whether no record has a nested value (an object or a list), so that nobody need look for one.
    """

    __slots__ = ("_count", "_parts", "_split", "is_flat")

    def __init__(self, parts: Sequence[bytes] = (), count: int = 0, *, is_flat: bool = False) -> None:
        self._parts = parts
        self._count = count
        self.is_flat = is_flat or not count
        self._split: list[bytes] | None = None

    @classmethod
    def of(cls, records: Sequence[bytes], *, is_flat: bool = False) -> JsonLines:
        """Join separate records into lines."""
        return JsonLines([b"\n".join([*records, b""])], len(records), is_flat=is_flat) if records else JsonLines()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._records)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> JsonLines: ...

    def __getitem__(self, index: int | slice) -> bytes | JsonLines:
        if isinstance(index, slice):
            return JsonLines.of(self._records[index], is_flat=self.is_flat)
        return self._records[index]

    def __add__(self, other: JsonLines) -> JsonLines:
        is_flat = self.is_flat and other.is_flat
        return JsonLines([*self.parts, *other.parts], len(self) + len(other), is_flat=is_flat)

    @property
    def parts(self) -> Sequence[bytes]:
        """The byte strings of whole lines, in order."""
        return self._parts

    @property
    def size(self) -> int:
        """Bytes of the records, without line feeds."""
        return sum(map(len, self.parts)) - len(self)

    @property
    def _records(self) -> list[bytes]:
        if self._split is None:
            self._split = self._split_records()
        return self._split

    def _split_records(self) -> list[bytes]:
        return [record for part in self._parts for record in part.split(b"\n")[:-1]]


class Packed(JsonLines):
    """Records read back from the request body that holds them, so that a batch in flight is in memory only once.

    :param body: the request body.
    :param frame: the frame around its items.
    :param count: how many records there are.
    :param record_of: turns an item of the body back into a record.
    :param is_flat: see ``JsonLines``.
    """

    __slots__ = ("_body", "_frame", "_record_of")

    def __init__(
        self, body: bytes, frame: Frame, count: int, record_of: Callable[[bytes], bytes], *, is_flat: bool = False
    ) -> None:
        super().__init__((), count, is_flat=is_flat)
        self._body = body
        self._frame = frame
        self._record_of = record_of

    @property
    def parts(self) -> Sequence[bytes]:
        """The byte strings of whole lines, in order."""
        return self[:].parts

    def _split_records(self) -> list[bytes]:
        return [self._record_of(bytes(item)) for item in _ITEMS.decode(self._frame.array_of(self._body))]


_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
