"""What is known about arguments while a DAG is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


def is_open(value: Any) -> bool:
    """Whether a value, or one inside it, is only known on the worker: a template, or the output of another task."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_open(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_open(item) for item in value)
    return not isinstance(value, bool | int | float | date | datetime | UUID | None)


def check_one_of(given: Mapping[str, Any]) -> None:
    """Check that exactly one of several arguments is given.

    :raises AltcraftConfigurationError: naming them.
    """
    if sum(value is not None for value in given.values()) != 1:
        raise AltcraftConfigurationError(f"Give either {' or '.join(given)}.")
