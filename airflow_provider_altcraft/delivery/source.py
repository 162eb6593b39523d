"""What a delivery reads: rows of a query or profiles from Python, in chunks, and how to encode them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import Any, Generic, TypeVar

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder, RowEncoder
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.mapping import FieldMapping
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

T = TypeVar("T")
AT_A_TIME = 1_000
"""Maximum profiles encoded in one go."""


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """Rows, in the form they come in.

    :param chunks: lists of rows; ``None`` stands for a row to be skipped.
    :param write: encodes rows as records: the JSON of their profiles, one per line.
    :param columns: reads some fields of rows, one list per field.
    :param skips: whether rows may be skipped.
    """

    chunks: Iterable[Sequence[T | None]]
    write: Callable[[Sequence[T]], JsonLines]
    columns: Callable[[Sequence[str]], Callable[[Sequence[T]], list[list[Any]]]]
    skips: bool = False


def from_profiles(
    profiles: Iterable[Mapping[str, Any] | None], encoder: ProfileEncoder, at_a_time: int = AT_A_TIME
) -> Source[Mapping[str, Any]]:
    """Profiles as dictionaries.

    :param at_a_time: how many are read before they are encoded.
    """

    def columns(fields: Sequence[str]) -> Callable[[Sequence[Mapping[str, Any]]], list[list[Any]]]:
        return lambda chunk: [[profile.get(name) for profile in chunk] for name in fields]

    def write(chunk: Sequence[Mapping[str, Any]]) -> JsonLines:
        for profile in chunk:
            if not isinstance(profile, Mapping):
                # The value is not quoted: it may be personal data.
                raise AltcraftConfigurationError(
                    f"A profile must be a dictionary of fields and values, not a {type(profile).__name__}."
                )
        return JsonLines.of([encoder.encode(profile) for profile in chunk])

    return Source(_Chunks(profiles, min(at_a_time, AT_A_TIME)), write, columns, skips=True)


def from_chunks(
    chunks: Iterable[Sequence[Mapping[str, Any] | None]], encoder: ProfileEncoder
) -> Source[Mapping[str, Any]]:
    """Profiles as dictionaries, in chunks."""
    return replace(from_profiles((), encoder), chunks=chunks)


def from_rows(chunks: Iterable[Sequence[Sequence[Any]]], mapping: FieldMapping, encoder: ProfileEncoder) -> Source[Any]:
    """Rows of a query, as tuples.

    :param chunks: the rows as they were fetched.
    """
    if mapping.flat is None:
        return from_chunks(([mapping.profile(row) for row in chunk] for chunk in chunks), encoder)
    indexes, constants = mapping.flat
    columns_of = dict(zip(mapping.fields, indexes, strict=False))
    fixed = dict(zip(mapping.fields[len(indexes) :], constants, strict=True))

    def read(name: str, rows: Sequence[Sequence[Any]]) -> list[Any]:
        if name in columns_of:
            return list(map(itemgetter(columns_of[name]), rows))
        return [fixed.get(name)] * len(rows)

    def columns(fields: Sequence[str]) -> Callable[[Sequence[Sequence[Any]]], list[list[Any]]]:
        return lambda rows: [read(name, rows) for name in fields]

    return Source(chunks, RowEncoder(mapping.fields, indexes, constants, encoder).encode, columns)


@contextmanager
def closing_generators(*iterables: Iterable[Any], warn: Callable[[str], None]) -> Iterator[None]:
    """Close generators when the block ends, even if something still refers to them, such as an error's traceback.

    :param iterables: those that are generators are closed, in this order.
    :param warn: called if one cannot be closed, which must not hide the error that ended the block.
    """
    try:
        yield
    finally:
        for iterable in iterables:
            if isinstance(iterable, Generator):
                try:
                    iterable.close()
                except Exception as error:
                    # The message is not logged: it may quote rows.
                    warn(f"The generator of the rows could not be closed ({type(error).__name__}).")


class _Chunks:
    """An iterable in chunks; it can be read again if the iterable can."""

    def __init__(self, whole: Iterable[Any], size: int) -> None:
        self._whole = whole
        self._size = size

    def __iter__(self) -> Iterator[list[Any]]:
        rest = iter(self._whole)
        while chunk := list(islice(rest, self._size)):
            yield chunk
