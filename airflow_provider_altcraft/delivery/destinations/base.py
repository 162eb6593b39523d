"""What a destination is."""

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
    """Somewhere rows can go. Its id is templated."""

    __slots__ = ()
    template_fields: ClassVar[Sequence[str]] = ()
    makes_task: ClassVar[bool] = False
    """Whether Altcraft answers with the id of a task (CONTRACT 1.10), or at once."""

    id_param: ClassVar[str | None] = None
    """The parameter that names the place."""

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """The endpoint that takes the rows."""

    @property
    @abstractmethod
    def params(self) -> dict[str, Any]:
        """The parameters around the rows.

        :raises AltcraftConfigurationError: if the id is empty after rendering, or an argument is wrong.
        """

    @property
    @abstractmethod
    def key_fields(self) -> tuple[str, ...]:
        """The fields by which Altcraft finds what a row is about; a row without any of them is rejected."""

    @property
    def search_fields(self) -> tuple[tuple[str, ...], ...]:
        """The search values that columns must fill, each with the fields that may hold it."""
        return tuple((name,) for name in self.key_fields)

    @property
    def place(self) -> Any:
        """Where in Altcraft the rows go: the same rows to another place are other batches."""
        return self.place_of(self.params)

    def place_of(self, params: Mapping[str, Any]) -> Any:
        """The same, by the parameters around the rows."""
        return [self.endpoint.name, params.get(self.id_param)] if self.id_param else [self.endpoint.name]

    @property
    def takes_custom_data(self) -> bool:
        """Whether ``custom_data`` of a row is data for action hooks, and no field of a profile."""
        return False

    @property
    def has_files(self) -> bool:
        """Whether each request holds files, and may be larger for them (CONTRACT 1.5)."""
        return False

    @property
    def only_field(self) -> str | None:
        """The one field that a row may have, where Altcraft takes a list of bare values."""
        return None

    @property
    def takes(self) -> tuple[str, ...] | None:
        """The fields that a row may have, where there are no others; ``None`` for any."""
        return None if self.only_field is None else (self.only_field,)

    @property
    def database(self) -> int | None:
        """The database whose fields the rows fill, where the destination names one."""
        return None

    @property
    def wrap_bytes(self) -> int:
        """How many bytes longer a record is in the body."""
        return sum(len(part) for part in self._wrapping) if self.only_field is None else -self._bare.start - 1

    def items_of(self, lines: bytes, *, is_flat: bool = False) -> bytes:
        """Records, a line each, as they stand in the body, with commas between them.

        :param is_flat: whether no value of theirs holds others.
        """
        before, after = self._wrapping
        if before and not is_flat and self.takes_custom_data and custom_data.KEY in lines:
            return b",".join(map(custom_data.item_of, lines.split(b"\n")[:-1]))
        if self.only_field is not None:
            lead = b'{"%s":' % self.only_field.encode()
            before, after, lines = b"", b"", lines[len(lead) : -2].replace(b"}\n" + lead, b"\n") + b"\n"
        return before + lines[:-1].replace(b"\n", after + b"," + before) + after

    def record_of(self, item: bytes) -> bytes:
        """The record that stands in the body as this item."""
        if self.only_field is not None:
            return b'{"%s":%s}' % (self.only_field.encode(), item)
        before, after = self._wrapping
        if before and self.takes_custom_data and custom_data.KEY in item:
            return custom_data.record_of(item)
        return item[len(before) : len(item) - len(after)]

    def checked(self, records: JsonLines) -> JsonLines:
        """Records that the body has a place for, as ``items_of`` takes them.

        :raises AltcraftConfigurationError: if one has other fields than there may be.
        """
        takes = self.takes
        if takes is not None and any(not set(json.loads(record)) <= set(takes) for record in records):
            raise AltcraftConfigurationError(f"{self.alone}: name the columns in field_mapping.")
        return custom_data.checked(records) if self.takes_custom_data else records

    @property
    def alone(self) -> str:
        """What rows may have, for an error."""
        names = [repr(name) for name in self.takes or ()]
        return f"{type(self).__name__} takes the field{'s' if len(names) > 1 else ''} {' and '.join(names)} alone"

    @abstractmethod
    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """What an answer says of so many rows.

        :param answer: its payload.
        """

    def accounts_for_rows(self, answer: Any, verdict: BatchAnswer) -> bool:
        """Whether an answer says of all rows what became of them, and not only that the request was a success.

        :param answer: its payload.
        :param verdict: what ``read`` made of it.
        """
        return verdict.itemised and not verdict.unaccounted

    @property
    def _wrapping(self) -> tuple[bytes, bytes]:
        """What stands before and after each record in the body (CONTRACT 14.6)."""
        return (b'{"data":', b"}") if self.endpoint.wrapped else (b"", b"")

    @property
    def _bare(self) -> slice:
        """Where the value stands in a record of one field."""
        return slice(len(f'{{"{self.only_field}":'), -1)
