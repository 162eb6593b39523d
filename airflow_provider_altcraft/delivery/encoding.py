"""Encode profiles as JSON.

By type:

=======================  ==============================================================================
``None``, NaN, infinity  null: left out (``omit``, the default) or sent as ``null`` (``send``, it clears)
``bool int float str``   unchanged; a lone surrogate in a string becomes ``?``
``Decimal``              string, exact and without exponent: ``"1.10"``, ``"0.00000001"``
``date``                 ``YYYY-MM-DD``
``datetime``             RFC 3339; one without a time zone is taken to be in ``timezone``
``time``                 ISO 8601
``UUID``                 string
``bytes``                Base64
``list dict``            JSON, with the same rules inside; nulls inside are kept
anything else            an error naming the field and the type
=======================  ==============================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from itertools import islice, repeat
from typing import Any, Literal
from uuid import UUID

import msgspec

from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

NullPolicy = Literal["omit", "send"]

MOST_DIGITS = 150_000
"""The limit of PostgreSQL's ``numeric``. Without one, writing out ``1E+999999999`` would fill the memory."""

_ENCODER = msgspec.json.Encoder(decimal_format="string", uuid_format="canonical")


class ProfileEncoder:
    """Encodes profiles as JSON, each value by the table above.

    :param nulls: what to do with missing values; or field -> what to do, ``omit`` for fields it does not name.
    :param timezone: time zone of datetimes that have none.
    """

    def __init__(self, *, nulls: NullPolicy | Mapping[str, NullPolicy] = "omit", timezone: tzinfo) -> None:
        by_field = nulls if isinstance(nulls, Mapping) else {}
        for policy in by_field.values() if isinstance(nulls, Mapping) else [nulls]:
            if policy not in {"omit", "send"}:
                raise AltcraftConfigurationError(f"nulls must be 'omit' or 'send', not {policy!r}.")
        self._send_all = nulls == "send"
        self._send = frozenset(name for name, policy in by_field.items() if policy == "send")
        self._timezone = timezone
        self._is_utc = timezone is UTC or getattr(timezone, "key", None) == "UTC"

    def sends_null(self, name: str) -> bool:
        """Whether a field without a value is sent as ``null``."""
        return self._send_all or name in self._send

    def in_zone(self, value: datetime) -> datetime:
        """A datetime with a time zone."""
        return value if value.tzinfo else value.replace(tzinfo=self._timezone)

    def stamps(self, values: Sequence[datetime]) -> list[datetime | str]:
        """Datetimes ready to encode, as by ``in_zone``; for UTC, without creating intermediate objects."""
        if self._is_utc and {value.tzinfo for value in values} == {None}:
            return [text + "Z" for text in msgspec.to_builtins(values)]
        return [self.in_zone(value) for value in values]

    def encode(self, profile: Mapping[str, Any]) -> bytes:
        """One profile as compact UTF-8 JSON, fields in their own order.

        :raises AltcraftConfigurationError: for a value of an unsupported type.
        """
        fields = {}
        for name, value in profile.items():
            sent = self.value(name, value)
            if sent is not None or self.sends_null(name):
                fields[name] = sent
        return _ENCODER.encode(fields)

    def value(self, name: str, value: Any) -> Any:
        """A value converted so that the JSON library writes it as the table says.

        :param name: of its field, for error texts.
        :raises AltcraftConfigurationError: for an unsupported type.
        """
        convert = _CONVERTERS.get(type(value))
        if convert is None:
            return self._unusual(name, value)
        return convert(value)

    def _unusual(self, name: str, value: Any) -> Any:
        """Types that depend on the settings, and subclasses of the usual ones (``StrEnum``, pendulum's datetime)."""
        if isinstance(value, datetime):
            return self.in_zone(value)
        if isinstance(value, Mapping):
            return {str(key): self.value(name, inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(name, inner) for inner in value]
        for kind, convert in _CONVERTERS.items():
            if isinstance(value, kind):
                return convert(value)
        raise AltcraftConfigurationError(
            f"The field {name!r} holds a {type(value).__name__}, which cannot be written as JSON: convert it in the"
            " query."
        )


class RowEncoder:
    """Encodes rows as the same JSON that ``ProfileEncoder`` makes of their profiles, several times faster.

    A chunk of rows is converted column by column: the set of types in a column tells whether its values need
    converting. Each row then becomes an instance of a struct built once from the fields, which is cheaper than a
    dictionary. Anything this cannot handle falls back to the profile encoder.

    :param fields: names, in order.
    :param columns: the column index of each field; the remaining fields are constants.
    :param constants: their values.
    :param encoder: the profile encoder.
    """

    def __init__(
        self, fields: Sequence[str], columns: Sequence[int], constants: Sequence[Any], encoder: ProfileEncoder
    ) -> None:
        self._fields = fields
        self._columns = columns
        self._constants = [
            encoder.value(name, constant) for name, constant in zip(fields[len(columns) :], constants, strict=True)
        ]
        self._encoder = encoder
        self._struct = self._struct_of(fields, encoder)
        self._is_flat = not any(isinstance(constant, dict | list) for constant in self._constants)

    def encode(self, rows: Sequence[Sequence[Any]]) -> JsonLines:
        """Each row as UTF-8 JSON, on a line of its own.

        :raises AltcraftConfigurationError: for a value of an unsupported type.
        """
        if not rows or self._struct is None:
            return self._one_by_one(rows)
        by_column = list(zip(*rows, strict=True))
        values: list[Iterable[Any]] = []
        for index in self._columns:
            converted = self._converted(by_column[index])
            if converted is None:
                return self._one_by_one(rows)
            values.append(converted)
        profiles = map(self._struct, *values, *map(repeat, self._constants))
        try:
            # Lines are safe separators: JSON escapes line breaks inside strings.
            text = _ENCODER.encode_lines(list(islice(profiles, len(rows))))
        except UnicodeEncodeError:
            # There is a lone surrogate somewhere.
            return self._one_by_one(rows)
        return JsonLines([text], len(rows), is_flat=self._is_flat)

    @staticmethod
    def _struct_of(fields: Sequence[str], encoder: ProfileEncoder) -> Callable[..., Any] | None:
        """A struct with these fields; ``None`` for names that the JSON library would have to escape."""
        if any(char in '\\"' or char < " " for field in fields for char in field):
            return None
        slots = {f"f{number}": field for number, field in enumerate(fields)}
        return msgspec.defstruct(
            "Profile",
            # Defaults are omitted, so None is the default unless nulls of this field are to be sent.
            [(slot, Any, msgspec.UNSET if encoder.sends_null(field) else None) for slot, field in slots.items()],
            rename=slots,
            omit_defaults=True,
            gc=False,
        )

    def _converted(self, column: Sequence[Any]) -> Sequence[Any] | None:
        """The values of a column, converted as ``ProfileEncoder.value`` does; ``None`` for types this cannot handle."""
        kinds = set(map(type, column))
        if kinds <= _AS_IS:
            return column
        if kinds == {float} and all(map(math.isfinite, column)):
            return column
        if kinds == {Decimal}:
            return _all_exact(column)
        if kinds == {datetime}:
            return self._encoder.stamps(column)
        if kinds <= _PLAIN:
            converters = {**_CONVERTERS, datetime: self._encoder.in_zone}
            return [converters[type(value)](value) for value in column]
        return None

    def _one_by_one(self, rows: Sequence[Sequence[Any]]) -> JsonLines:
        return JsonLines.of(
            [
                self._encoder.encode(
                    dict(zip(self._fields, (*[row[index] for index in self._columns], *self._constants), strict=True))
                )
                for row in rows
            ]
        )


def is_null(value: Any) -> bool:
    """Whether a value is encoded as ``null``."""
    if value is None:
        return True
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, Decimal) and not value.is_finite()


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
    if not value.is_finite():
        return None
    text = str(value)
    if "E" not in text or abs(value.adjusted()) > MOST_DIGITS:
        return text
    return f"{value:f}"


def _all_exact(column: Sequence[Decimal]) -> Sequence[str | None]:
    """``_exact`` for a column: one scan of the joined text finds any exponent, NaN or infinity (``E, N, I``)."""
    texts = list(map(str, column))
    joined = "".join(texts)
    if any(letter in joined for letter in "ENI"):
        return list(map(_exact, column))
    return texts


# Subclasses are tried in this order, so bool comes before int.
_CONVERTERS: dict[type, Callable[[Any], Any]] = {
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

_AS_IS = {type(None), str, bool, int, date, UUID, bytes, bytearray, memoryview}
"""Types that the JSON library writes as the table says."""
_PLAIN = {*_AS_IS, float, Decimal, time, datetime}
