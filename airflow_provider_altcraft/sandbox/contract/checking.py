"""Checks a request against the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_altcraft.sandbox.contract.method import Method, Refused

COLLECTIONS: dict[str, tuple[type[list[Any] | dict[str, Any]], type]] = {
    "list": (list, object), "strings": (list, str), "ints": (list, int), "dicts": (list, dict), "dict": (dict, object),
}  # fmt: skip
SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": lambda value: int(str(value)),
    "float": lambda value: float(str(value)),
    "bool": lambda value: {"true": True, "false": False}[str(value).lower()],
    "str": lambda value: {str: str, int: str, bool: str}[type(value)](value),
}


def checked(method: Method, body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call, as their types.

    :raises Refused: for an unknown or missing parameter, a wrong type or word, or a format that is not emulated.
    """
    if body.get("format") not in (None, "", "json"):
        raise Refused(400, f"format {body['format']} is not emulated")
    given = {key: value for key, value in body.items() if key not in {"token", "format"}}
    _check_names(method, given)
    typed = {key: _typed(key, value, method.takes.get(key, "any")) for key, value in given.items()}
    for key, words in method.choices.items():
        if typed.get(key) not in (None, "", *words):
            raise Refused(400, f"wrong value of parameter: {key} must be one of {', '.join(words)}")
    return typed


def _check_names(method: Method, given: Mapping[str, Any]) -> None:
    for key in given:
        if key not in method.takes and not method.open:
            raise Refused(400, f"unknown parameter: {key}")
    for key in method.needs:
        if given.get(key) in (None, ""):
            raise Refused(400, f"missing parameter: {key}")


def _typed(key: str, value: Any, kind: str) -> Any:
    """A value as its type; numbers and booleans may come as strings (CONTRACT 1.7)."""
    if value is None or kind == "any" or (kind in COLLECTIONS and _is_collection(value, *COLLECTIONS[kind])):
        return value
    try:
        return SCALARS[kind](value)
    except (KeyError, ValueError):
        raise Refused(400, f"wrong type of parameter: {key} must be {kind}") from None


def _is_collection(value: Any, container: type[list[Any] | dict[str, Any]], item: type) -> bool:
    return isinstance(value, container) and all(isinstance(one, item) for one in value)
