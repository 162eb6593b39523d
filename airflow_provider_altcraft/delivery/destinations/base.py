"""The base class of destinations."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_altcraft.api.endpoints import Endpoint
from airflow_provider_altcraft.delivery.answers import BatchAnswer
from airflow_provider_altcraft.delivery.destinations import custom_data
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Destination(ABC):
    """A place in Altcraft to which rows can be sent. Its id is templated."""

    __slots__ = ()
    template_fields: ClassVar[Sequence[str]] = ()
    makes_task: ClassVar[bool] = False
    """Whether Altcraft processes a batch as a task (CONTRACT 1.10) instead of answering for its rows at once."""

    id_param: ClassVar[str | None] = None
    """The parameter with the destination's id."""

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """The endpoint that rows are sent to."""

    @property
    @abstractmethod
    def params(self) -> dict[str, Any]:
        """The parameters around the rows.

        :raises AltcraftConfigurationError: if the id is empty after rendering, or an argument is wrong.
        """

    @property
    @abstractmethod
    def key_fields(self) -> tuple[str, ...]:
        """The fields by which Altcraft matches rows; a row without any of them is rejected."""

    @property
    def search_fields(self) -> tuple[tuple[str, ...], ...]:
        """The search values that columns must provide, each with the fields that may hold it."""
        return tuple((name,) for name in self.key_fields)

    @property
    def place(self) -> Any:
        """The place in Altcraft where the rows go. It is part of a batch's name: elsewhere, the same rows differ."""
        return self.place_of(self.params)

    def place_of(self, params: Mapping[str, Any]) -> Any:
        """The same, given the parameters around the rows."""
        return [self.endpoint.name, params.get(self.id_param)] if self.id_param else [self.endpoint.name]

    @property
    def takes_custom_data(self) -> bool:
        """Whether ``custom_data`` of a row is data for action hooks instead of a field of the profile."""
        return False

    @property
    def has_files(self) -> bool:
        """Whether each request carries files, and may be larger for that (CONTRACT 1.5)."""
        return False

    @property
    def only_field(self) -> str | None:
        """The single field that a row may have, if Altcraft takes a list of bare values."""
        return None

    @property
    def takes(self) -> tuple[str, ...] | None:
        """The only fields that a row may have; ``None`` for any."""
        return None if self.only_field is None else (self.only_field,)

    @property
    def database(self) -> int | None:
        """The database whose fields the rows fill, if the destination names one."""
        return None

    @property
    def wrap_bytes(self) -> int:
        """How many bytes longer an item of the body is than its record; negative for bare values."""
        return sum(len(part) for part in self._wrapping) if self.only_field is None else -self._bare.start - 1

    def items_of(self, lines: bytes, *, is_flat: bool = False) -> bytes:
        """Records, one per line, as comma-separated items of the body.

        Works on the bytes of all records at once: a line feed only occurs between records, so replacing it with what
        belongs between items wraps ten thousand of them in one call, without decoding any.

        :param is_flat: whether no record has a nested value.
        """
        before, after = self._wrapping
        if before and not is_flat and self.takes_custom_data and custom_data.KEY in lines:
            return b",".join(map(custom_data.item_of, lines.split(b"\n")[:-1]))
        if self.only_field is not None:
            # {"code":"a"}\n{"code":"b"}\n becomes "a"\n"b"\n: only the values are items.
            lead = b'{"%s":' % self.only_field.encode()
            before, after, lines = b"", b"", lines[len(lead) : -2].replace(b"}\n" + lead, b"\n") + b"\n"
        return before + lines[:-1].replace(b"\n", after + b"," + before) + after

    def record_of(self, item: bytes) -> bytes:
        """The record of an item of the body: the reverse of ``items_of``."""
        if self.only_field is not None:
            return b'{"%s":%s}' % (self.only_field.encode(), item)
        before, after = self._wrapping
        if before and self.takes_custom_data and custom_data.KEY in item:
            return custom_data.record_of(item)
        return item[len(before) : len(item) - len(after)]

    def checked(self, records: JsonLines) -> JsonLines:
        """The records, checked and prepared for ``items_of``.

        :raises AltcraftConfigurationError: if one has fields that the destination does not take.
        """
        takes = self.takes
        if takes is not None and any(not set(json.loads(record)) <= set(takes) for record in records):
            raise AltcraftConfigurationError(f"{self.alone}: name the columns in field_mapping.")
        return custom_data.checked(records) if self.takes_custom_data else records

    @property
    def alone(self) -> str:
        """The fields that rows may have, for error texts."""
        names = [repr(name) for name in self.takes or ()]
        return f"{type(self).__name__} takes only the field{'s' if len(names) > 1 else ''} {' and '.join(names)}"

    @abstractmethod
    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """Read an answer to a batch.

        :param answer: its payload.
        :param sent: rows in the batch.
        """

    def accounts_for_rows(self, answer: Any, verdict: BatchAnswer) -> bool:
        """Whether an answer says what became of every row, and not only that the request succeeded.

        :param answer: its payload.
        :param verdict: what ``read`` made of it.
        """
        return verdict.itemised and not verdict.unaccounted

    @property
    def _wrapping(self) -> tuple[bytes, bytes]:
        """The bytes before and after each record in the body (CONTRACT 14.6)."""
        return (b'{"data":', b"}") if self.endpoint.wrapped else (b"", b"")

    @property
    def _bare(self) -> slice:
        """The position of the value in a record of one field."""
        return slice(len(f'{{"{self.only_field}":'), -1)
