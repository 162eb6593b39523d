"""What a delivery reads: rows of a query or profiles from Python, and how each is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder, RowEncoder
from airflow_provider_altcraft.delivery.mapping import FieldMapping

T = TypeVar("T")
Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """Rows, in the form they come in.

    :param rows: one after the other; ``None`` for a row that needs no sending.
    :param encode: writes a row as the JSON of its profile.
    :param values: the values of some fields of a row.
    """

    rows: Iterable[T | None]
    encode: Callable[[T], bytes]
    values: Callable[[Sequence[str]], Callable[[T], Values]]


def from_profiles(profiles: Iterable[Mapping[str, Any] | None], encoder: ProfileEncoder) -> Source[Mapping[str, Any]]:
    """Profiles as dictionaries."""

    def values(fields: Sequence[str]) -> Callable[[Mapping[str, Any]], Values]:
        return lambda profile: tuple([profile.get(name) for name in fields])

    return Source(profiles, encoder.encode, values)


def from_rows(rows: Iterable[Sequence[Any]], mapping: FieldMapping, encoder: ProfileEncoder) -> Source[Any]:
    """Rows of a query, as tuples."""
    flat = mapping.flat
    if flat is None:
        return from_profiles(map(mapping.profile, rows), encoder)
    columns, constants = flat

    def values(fields: Sequence[str]) -> Callable[[Sequence[Any]], Values]:
        places = [mapping.fields.index(name) if name in mapping.fields else -1 for name in fields]
        getters = [_getter(place, columns, constants) for place in places]
        if len(getters) == 1:
            (getter,) = getters
            return lambda row: (getter(row),)
        return lambda row: tuple([getter(row) for getter in getters])

    return Source(rows, RowEncoder(mapping.fields, columns, constants, encoder).encode, values)


def _getter(place: int, columns: Sequence[int], constants: Sequence[Any]) -> Callable[[Sequence[Any]], Any]:
    if place < 0:
        return lambda row: None
    if place >= len(columns):
        constant = constants[place - len(columns)]
        return lambda row: constant
    column = columns[place]
    return lambda row: row[column]
