"""Profiles become JSON.

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
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

import msgspec

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

NullPolicy = Literal["omit", "send"]
Plan = list[tuple[int, Callable[[Any], Any]]] | None

_ENCODER = msgspec.json.Encoder(decimal_format="string", uuid_format="canonical")


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

    def sends_null(self, name: str) -> bool:
        """Whether a field without a value is sent as ``null``."""
        return self._send_all or name in self._send

    def in_zone(self, value: datetime) -> datetime:
        """A datetime with a zone."""
        return value if value.tzinfo else value.replace(tzinfo=self._timezone)

    def encode(self, profile: Mapping[str, Any]) -> bytes:
        """One profile as UTF-8 JSON, compact, fields in their own order.

        :raises AltcraftConfigurationError: for a value of a type without a treatment.
        """
        fields = {}
        for name, value in profile.items():
            sent = self._value(name, value)
            if sent is not None or self.sends_null(name):
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
            return self.in_zone(value)
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


class RowEncoder:
    """Writes rows as the same JSON that ``ProfileEncoder`` writes of their profiles, an order of magnitude faster.

    The plan is made once: a struct with a slot for each field, and for each combination of types that occurs, the
    few values that need a treatment. What the plan cannot do, the profile encoder does.

    :param fields: names, in order.
    :param columns: the column of each field; the rest of the fields are constants.
    :param constants: their values.
    :param encoder: of profiles.
    """

    MOST_PLANS = 4_096

    def __init__(
        self, fields: Sequence[str], columns: Sequence[int], constants: Sequence[Any], encoder: ProfileEncoder
    ) -> None:
        self._fields = fields
        self._constants = tuple(constants)
        # Of one column, an itemgetter returns no tuple.
        picked = len(columns) > 1
        self._pick = itemgetter(*columns) if picked else lambda row: tuple(row[index] for index in columns)
        self._encoder = encoder
        slots = [f"f{number}" for number in range(len(fields))]
        self._struct = msgspec.defstruct(
            "Profile",
            # A default is what is left out: a null, unless the field is to be cleared by it.
            [
                (slot, Any, msgspec.UNSET if encoder.sends_null(name) else None)
                for slot, name in zip(slots, fields, strict=True)
            ],
            rename=dict(zip(slots, fields, strict=True)),
            omit_defaults=True,
            gc=False,
        )
        self._plans: dict[tuple[type, ...], Plan] = {}

    def encode(self, row: Sequence[Any]) -> bytes:
        """One row as UTF-8 JSON.

        :raises AltcraftConfigurationError: for a value of a type without a treatment.
        """
        values = self._pick(row) + self._constants
        types = tuple(map(type, values))
        try:
            plan = self._plans[types]
        except KeyError:
            plan = self._planned(types)
        if plan is not None:
            treated: Any = values
            if plan:
                treated = list(values)
                for index, treatment in plan:
                    treated[index] = treatment(treated[index])
            try:
                return _ENCODER.encode(self._struct(*treated))
            except UnicodeEncodeError:
                pass  # A lone surrogate, which the profile encoder replaces.
        return self._encoder.encode(dict(zip(self._fields, values, strict=True)))

    def _planned(self, types: tuple[type, ...]) -> Plan:
        """What to do with values of these types; ``None`` leaves the row to the profile encoder."""
        plan: Plan = None
        if _FAST.issuperset(types):
            treatments: dict[type, Callable[[Any], Any]] = {**_FAST_TREATED, datetime: self._encoder.in_zone}
            plan = [(index, treatments[kind]) for index, kind in enumerate(types) if kind in treatments]
        if len(self._plans) >= self.MOST_PLANS:
            self._plans.clear()
        self._plans[types] = plan
        return plan


def is_null(value: Any) -> bool:
    """Whether a value is one of those that are written as ``null``."""
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

_FAST_TREATED: dict[type, Callable[[Any], Any]] = {kind: _TREATMENTS[kind] for kind in (float, Decimal, time)}
"""Types whose values the JSON library would write otherwise than the table says."""
_FAST = {*_FAST_TREATED, datetime, type(None), str, bool, int, date, UUID, bytes, bytearray, memoryview}
"""Types that a plan can hold; the others it writes as the table says."""
