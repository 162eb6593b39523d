"""What can be told of arguments while a DAG is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


def is_open(value: Any) -> bool:
    """Whether a value, or one in it, is known on the worker only: a template, or the output of another task."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_open(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_open(item) for item in value)
    return not isinstance(value, bool | int | float | date | datetime | UUID | None)


def rendered(name: str, value: Any) -> str:
    """A text that must not be empty after rendering.

    :param name: of the argument, for the error.
    :raises AltcraftConfigurationError: if it is.
    """
    text = "" if value is None else str(value).strip()
    if text in {"", "None"}:
        raise AltcraftConfigurationError(f"{name} is empty: its template rendered to nothing, or it was not given.")
    return text


def check_one_of(given: Mapping[str, Any]) -> None:
    """Refuse anything but exactly one of several arguments.

    :raises AltcraftConfigurationError: naming them.
    """
    if sum(value is not None for value in given.values()) != 1:
        raise AltcraftConfigurationError(f"Give either {' or '.join(given)}.")
