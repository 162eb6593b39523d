"""Rows of a query become Altcraft profiles.

One treatment per type:

=======================  ==============================================================================
``None``, NaN, infinity  null: left out (``omit``, the default) or sent as ``null`` (``send``, it clears)
``bool int float str``   as they are; a lone surrogate in a text becomes ``?``
``Decimal``              text, exact: ``"1.10"``
``date``                 ``YYYY-MM-DD``
``datetime``             RFC 3339; one without a zone is taken to be in ``timezone``
``time``                 ISO 8601
``UUID``                 text
``bytes``                Base64
``list dict``            JSON, with the same treatment inside; nulls inside are kept
anything else            refused, naming the field and the type
=======================  ==============================================================================
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

NullPolicy = Literal["omit", "send"]

_ENCODER = msgspec.json.Encoder(decimal_format="string", uuid_format="canonical")


class FieldMapping:
    """Which column of a query becomes which field of a profile. Built once, before the first row.

    :param columns: names of the query's columns, in order.
    :param field_mapping: column -> Altcraft field; ``None`` takes every column under its own name.
    :param constants: fields that are the same in every profile.
    :raises AltcraftConfigurationError: for a column that occurs twice or does not exist, or a field that two
        columns would fill.
    """

    def __init__(
        self,
        columns: Sequence[str],
        field_mapping: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        wanted = {name: name for name in columns} if field_mapping is None else dict(field_mapping)
        _refuse_twice("The query returns the column", (name for name in columns if name in wanted))
        self._constants = dict(constants or {})
        _refuse_twice("field_mapping and constants fill the field", [*wanted.values(), *self._constants])
        missing = sorted(set(wanted) - set(columns))
        if missing:
            raise AltcraftConfigurationError(
                f"field_mapping names columns that the query does not return: {', '.join(missing)}."
                f" It returns {', '.join(columns)}."
            )
        self.fields = (*wanted.values(), *self._constants)
        self._sources = tuple((columns.index(column), field) for column, field in wanted.items())

    def profiles(self, rows: Iterable[Sequence[Any]]) -> Iterator[dict[str, Any]]:
        """The profiles of the rows, values untouched."""
        sources, constants = self._sources, self._constants
        for row in rows:
            yield {field: row[index] for index, field in sources} | constants


class ProfileEncoder:
    """Writes profiles as JSON, each value by the table above.

    :param nulls: what to do with a value that is not there; or field -> what to do, ``omit`` where it names none.
    :param timezone: the zone of datetimes that name none.
    """

    def __init__(self, *, nulls: NullPolicy | Mapping[str, NullPolicy] = "omit", timezone: tzinfo) -> None:
        by_field = nulls if isinstance(nulls, Mapping) else {}
        for policy in by_field.values() if isinstance(nulls, Mapping) else [nulls]:
            if policy not in {"omit", "send"}:
                raise AltcraftConfigurationError(f"nulls must be 'omit' or 'send', not {policy!r}.")
        self._send_all = nulls == "send"
        self._send = frozenset(name for name, policy in by_field.items() if policy == "send")
        self._timezone = timezone

    def encode(self, profile: Mapping[str, Any]) -> bytes:
        """One profile as UTF-8 JSON, compact, fields in their own order.

        :raises AltcraftConfigurationError: for a value of a type without a treatment.
        """
        fields = {}
        for name, value in profile.items():
            sent = self._value(name, value)
            if sent is not None or self._send_all or name in self._send:
                fields[name] = sent
        return _ENCODER.encode(fields)

    def _value(self, name: str, value: Any) -> Any:
        treatment = _TREATMENTS.get(type(value))
        if treatment is None:
            return self._unusual(name, value)
        return treatment(value)

    def _unusual(self, name: str, value: Any) -> Any:
        """Types that need the settings, and subclasses of the usual ones (``StrEnum``, pendulum's datetime)."""
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=self._timezone)
        if isinstance(value, Mapping):
            return {str(key): self._value(name, inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(name, inner) for inner in value]
        for kind, treatment in _TREATMENTS.items():
            if isinstance(value, kind):
                return treatment(value)
        raise AltcraftConfigurationError(
            f"The field {name!r} holds a {type(value).__name__}, which has no form in JSON: convert it in the query."
        )


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise AltcraftConfigurationError(f"{what} {', '.join(twice)} more than once.")


def _text(value: str) -> str:
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _exact(value: Decimal) -> str | None:
    return str(value) if value.is_finite() else None


# bool before int, of which it is a subclass: the order is that in which subclasses are tried.
_TREATMENTS: dict[type, Callable[[Any], Any]] = {
    type(None): lambda value: None,
    str: _text,
    bool: bool,
    int: int,
    float: _finite,
    Decimal: _exact,
    date: date.isoformat,
    time: time.isoformat,
    UUID: str,
    bytes: bytes,
    bytearray: bytes,
    memoryview: bytes,
}
