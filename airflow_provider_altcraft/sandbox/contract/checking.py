"""Checks a request against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.sandbox.contract.method import Method, Refused

ITEMS = {"strings": str, "ints": int, "dicts": dict}


def checked(method: Method, body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call, as their types.

    :raises Refused: for an unknown parameter, a wrong type or word, a missing one, or a format that is not emulated.
    """
    if body.get("format") not in (None, "", "json"):
        raise Refused(400, f"format {body['format']} is not emulated")
    given = {key: value for key, value in body.items() if key not in {"token", "format"}}
    for key in given:
        if key not in method.takes and not method.open:
            raise Refused(400, f"unknown parameter: {key}")
    for key in method.needs:
        if given.get(key) in (None, ""):
            raise Refused(400, f"missing parameter: {key}")
    typed = {key: _typed(key, value, method.takes.get(key, "any")) for key, value in given.items()}
    for key, words in method.choices.items():
        if typed.get(key) not in (None, "", *words):
            raise Refused(400, f"wrong value of parameter: {key} must be one of {', '.join(words)}")
    return typed


def _typed(key: str, value: Any, kind: str) -> Any:
    """A value as its type; numbers and booleans may come as strings (CONTRACT 1.7)."""
    if value is None or kind == "any":
        return value
    try:
        if kind in {"int", "float"} and not isinstance(value, bool | list | dict):
            return int(str(value)) if kind == "int" else float(value)
        if kind == "bool" and str(value).lower() in {"true", "false"}:
            return str(value).lower() == "true"
        if kind == "str" and isinstance(value, str | int):
            return str(value)
    except ValueError:
        pass
    if (kind, type(value)) in {("list", list), ("dict", dict)}:
        return value
    if kind in ITEMS and isinstance(value, list) and all(isinstance(item, ITEMS[kind]) for item in value):
        return value
    raise Refused(400, f"wrong type of parameter: {key} must be {kind}")
