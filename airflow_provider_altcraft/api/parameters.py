"""Check users' parameters against the catalogue and convert them to Altcraft's format. Pure.

Values may arrive as strings, since Airflow renders templates to strings: numbers and booleans are converted to the
documented types (CONTRACT 1.7). Errors name the parameter but never its value, which may be personal data.
"""

from __future__ import annotations

import logging
import math
import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.api.arguments import empty
from airflow_provider_altcraft.api.endpoints import Documented, Endpoint, Parameter
from airflow_provider_altcraft.api.suggestion import suggestion
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

_log = logging.getLogger(__name__)

BY_THE_CLIENT = {
    "token": "The token belongs in the connection, not in the parameters.",
    "format": "Answers are read as JSON, so format can be nothing else.",
}
"""Parameters that the connection and the client set, for every method."""


def written(
    endpoint: Endpoint, params: Any, *, undocumented: Any = None, without_items: bool = False
) -> dict[str, Any]:
    """The parameters under the names and in the types to send. ``None`` values are left out.

    :param endpoint: the row of the catalogue.
    :param params: a mapping, under the API's names or their aliases.
    :param undocumented: parameters this installation takes that are not documented; sent unchecked.
    :param without_items: whether the items of the batch are added later.
    :raises AltcraftConfigurationError: for a missing required parameter, a value of another type, one parameter under
        two names with different values; and for an unknown name, if the endpoint is fully documented. If it is not, an
        unknown name is sent unchecked, with a warning.
    """
    given = _given(endpoint, params)
    sent: dict[str, Any] = {}
    for parameter in endpoint.parameters:
        _write(endpoint, parameter, given, sent, may_lack=without_items and parameter.name == endpoint.items)
    doubtful = _doubtful(endpoint, given)
    if doubtful:
        _judge(endpoint, doubtful)
    unchecked = {name: given[name] for name in _unknown(endpoint, given)}
    return {**sent, **unchecked, **_undocumented(endpoint, undocumented)}


def check(endpoint: Endpoint, params: Any, is_open: Callable[[Any], bool], *, undocumented: Any = None) -> None:
    """Check parameters before all of their values are known.

    :param undocumented: see ``written``.
    :param is_open: whether a value is not yet known, such as a template.
    :raises AltcraftConfigurationError: see ``written``.
    """
    given = _given(endpoint, params)
    for parameter in endpoint.parameters:
        if not any(is_open(given[name]) for name in parameter.names if name in given):
            _write(endpoint, parameter, given, {}, may_lack=False)
    doubtful = _doubtful(endpoint, given)
    if doubtful and endpoint.documented is Documented.FULL:
        _judge(endpoint, doubtful)
    _undocumented(endpoint, undocumented)


def _undocumented(endpoint: Endpoint, given: Any) -> dict[str, Any]:
    """The undocumented parameters.

    :raises AltcraftConfigurationError: for documented ones, so that none escapes its check.
    """
    if given is None:
        return {}
    named = _given(endpoint, given)
    known = sorted(set(named).difference(_doubtful(endpoint, named)))
    if known:
        raise AltcraftConfigurationError(
            f"{endpoint.name} has a documented parameter {', '.join(repr(name) for name in known)}: pass it with the"
            " other parameters, not as undocumented."
        )
    if named and endpoint.method == "GET":
        raise AltcraftConfigurationError(f"{endpoint.name} has no body for undocumented parameters.")
    return named


def _doubtful(endpoint: Endpoint, given: Mapping[str, Any]) -> list[str]:
    """The names that are unknown for the endpoint; none if it takes any."""
    if any(parameter.name == "*" for parameter in endpoint.parameters):
        return []
    # Paging is documented once, for all lists (CONTRACT 1.6).
    paging = {"from_id", "limit"} if endpoint.paging else ()
    return [name for name in _unknown(endpoint, given) if name not in paging]


def _unknown(endpoint: Endpoint, given: Mapping[str, Any]) -> list[str]:
    return sorted(set(given).difference(*(parameter.names for parameter in endpoint.parameters)))


def _given(endpoint: Endpoint, params: Any) -> dict[str, Any]:
    if not isinstance(params, Mapping) or not all(isinstance(name, str) for name in params):
        raise AltcraftConfigurationError(f"{endpoint.name}: parameters must be a mapping of names to values.")
    given = {name: value for name, value in params.items() if value is not None}
    if given.get("format") == "json":
        del given["format"]
    for name, why in BY_THE_CLIENT.items():
        if name in given:
            raise AltcraftConfigurationError(why)
    return given


def _write(
    endpoint: Endpoint, parameter: Parameter, given: Mapping[str, Any], sent: dict[str, Any], *, may_lack: bool
) -> None:
    """Add a parameter to those to be sent."""
    named = {name: given[name] for name in parameter.names if name in given}
    if parameter.required:
        _check_given(endpoint, parameter, named, may_lack=may_lack)
    values = [_typed(endpoint, parameter, name, value) for name, value in named.items()]
    if any(value != values[0] for value in values):
        raise AltcraftConfigurationError(
            f"{endpoint.name}: {' and '.join(named)} are the same parameter, but were given different values."
        )
    if values:
        sent.update(dict.fromkeys(parameter.wire, values[0]))


def _check_given(endpoint: Endpoint, parameter: Parameter, named: Mapping[str, Any], *, may_lack: bool) -> None:
    if not named and not may_lack:
        raise AltcraftConfigurationError(f"{endpoint.name}: {_called(parameter)} is required.")
    if any(isinstance(value, str) and not value.strip() for value in named.values()):
        raise empty(f"{endpoint.name}: {_called(parameter)}, which is required,")


def _called(parameter: Parameter) -> str:
    """Its names, the clearest first."""
    first, *others = (*parameter.aliases, *parameter.wire)
    return f"{first} (or {', '.join(others)})" if others else first


def _judge(endpoint: Endpoint, unknown: list[str]) -> None:
    if endpoint.documented is not Documented.FULL:
        _warn(endpoint.name, tuple(unknown))
        return
    names = [name for parameter in endpoint.parameters for name in parameter.names]
    hint = suggestion(unknown[0], names, f"It takes: {', '.join(names) or 'nothing'}.")
    raise AltcraftConfigurationError(
        f"{endpoint.name} has no parameter {', '.join(repr(name) for name in unknown)}.{hint}"
        " If your installation takes it although it is not documented, pass it as undocumented."
    )


@cache
def _warn(endpoint: str, unknown: tuple[str, ...]) -> None:
    """Warn once per process: a sensor makes the same call every minute."""
    _log.warning(
        "%s: %s not among its known parameters; sent unchecked.",
        endpoint,
        f"{unknown[0]} is" if len(unknown) == 1 else f"{', '.join(unknown)} are",
    )


def _typed(endpoint: Endpoint, parameter: Parameter, name: str, value: Any) -> Any:
    """The value as one of the parameter's types, the closest to its own.

    :raises AltcraftConfigurationError: if it fits none of them.
    """
    if isinstance(value, str) and value.strip() in parameter.values:
        return value.strip()
    # A string stays a string if that is allowed: as a field's value, "007" is not 7.
    text_first = isinstance(value, str) and "str" in parameter.types
    for kind in ("str",) if text_first else parameter.types:
        try:
            return _TYPES[kind][0](value)
        except (AttributeError, TypeError, ValueError, OverflowError):
            continue
    words = [_TYPES[kind][1] for kind in parameter.types]
    if parameter.values:
        words.insert(0, f"one of {', '.join(parameter.values)}")
    raise AltcraftConfigurationError(
        f"{endpoint.name}: {name} must be {' or '.join(words)}, not {type(value).__name__}"
        f"{' in another form' if isinstance(value, str) else ''}."
    )


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or not text.removeprefix("-").isdigit():
            raise ValueError
        return int(text)
    return operator.index(value)


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise TypeError
    try:
        return _whole(value)
    except (TypeError, ValueError):
        number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value.strip().lower() not in {"true", "false"}:
        raise ValueError
    return bool(value.strip().lower() == "true")


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | UUID) else str(_whole(value))


def _moment(value: Any) -> str:
    text = value.isoformat() if isinstance(value, datetime) else value.strip()
    if datetime.fromisoformat(text).tzinfo is None or text[10:11] not in {"T", "t", " "}:
        raise ValueError
    return str(text)


def _day(value: Any) -> str:
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d")
    text = value.strip()
    if len(text) != len("YYYY-MM-DD"):
        raise ValueError
    return date.fromisoformat(text).isoformat()


def _uuid(value: Any) -> str:
    if not isinstance(value, str | UUID):
        raise TypeError
    return str(value)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value if isinstance(value, dict) else dict(value)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return list(value)


def _array_of(read: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    return lambda value: [read(item) for item in _array(value)]


_TYPES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "int": (_whole, "a whole number"),
    "float": (_number, "a number"),
    "bool": (_truth, "true or false"),
    "str": (_text, "a string"),
    "datetime": (_moment, "a date-time with its time zone, as in 2026-01-31T09:00:00+03:00"),
    "date": (_day, "a day, as in 2026-01-31"),
    "uuid": (_uuid, "a UUID"),
    "object": (_object, "a dictionary"),
    "array": (_array, "a list"),
    "int[]": (_array_of(_whole), "a list of whole numbers"),
    "str[]": (_array_of(_text), "a list of strings"),
    "object[]": (_array_of(_object), "a list of dictionaries"),
    "any": (lambda value: value, "anything"),
}
"""How to read a value of each type, and what to call the type in errors."""
