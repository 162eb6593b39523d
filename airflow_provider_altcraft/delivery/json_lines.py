"""Records as JSON lines: written together, sent together, and taken apart only when somebody asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

import msgspec

from airflow_provider_altcraft.api.request import Frame


class JsonLines(Sequence[bytes]):
    """Records, a line each. Ten thousand objects would cost more than writing what they say.

    :param parts: texts of whole lines, each ended by a line feed: within a value of JSON, it is escaped.
    :param count: lines in them.
    :param is_flat: whether no value of any record holds others, an object or a list, so that nobody need look.
    """

    __slots__ = ("_apart", "_count", "_parts", "is_flat")

    def __init__(self, parts: Sequence[bytes] = (), count: int = 0, *, is_flat: bool = False) -> None:
        self._parts = parts
        self._count = count
        self.is_flat = is_flat or not count
        self._apart: list[bytes] | None = None

    @classmethod
    def of(cls, records: Sequence[bytes], *, is_flat: bool = False) -> JsonLines:
        """Records that stand apart, as lines."""
        return JsonLines([b"\n".join([*records, b""])], len(records), is_flat=is_flat) if records else JsonLines()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._records)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> JsonLines: ...

    def __getitem__(self, place: int | slice) -> bytes | JsonLines:
        if isinstance(place, slice):
            return JsonLines.of(self._records[place], is_flat=self.is_flat)
        return self._records[place]

    def __add__(self, other: JsonLines) -> JsonLines:
        is_flat = self.is_flat and other.is_flat
        return JsonLines([*self.parts, *other.parts], len(self) + len(other), is_flat=is_flat)

    @property
    def parts(self) -> Sequence[bytes]:
        """The lines, as texts that follow one another."""
        return self._parts

    @property
    def size(self) -> int:
        """Bytes of the records."""
        return sum(map(len, self.parts)) - len(self)

    @property
    def _records(self) -> list[bytes]:
        if self._apart is None:
            self._apart = self._taken_apart()
        return self._apart

    def _taken_apart(self) -> list[bytes]:
        return [record for part in self._parts for record in part.split(b"\n")[:-1]]


class Packed(JsonLines):
    """Records that stand in a body, and nowhere else: held twice, they would take twice the memory.

    :param body: the body.
    :param frame: what it was joined by.
    :param count: how many there are.
    :param record_of: makes a record of an item of the body.
    :param is_flat: of the records.
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
        """The lines, as texts that follow one another."""
        return self[:].parts

    def _taken_apart(self) -> list[bytes]:
        return [self._record_of(bytes(item)) for item in _ITEMS.decode(self._frame.array_of(self._body))]


_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
