"""Goals in Altcraft's format (CONTRACT 11)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

PIXEL_DATA_BYTES = 1024
"""Limit for ``pixel_data`` as JSON (CONTRACT 1.5)."""


def goals_of(goals: Any) -> list[dict[str, Any]]:
    """Goals in the API's format, each with a name and optionally a number as its value.

    :raises AltcraftConfigurationError: for anything else.
    """
    if not goals or not all(isinstance(goal, Mapping) and _is_named(goal) for goal in goals):
        raise AltcraftConfigurationError("goals must be a list of one or more {'goal': name, 'value': number}.")
    return [{**goal, **_value(goal.get("value"))} for goal in goals]


def pixel_data_of(data: Any) -> Mapping[str, Any] | None:
    """Further data about goals: a small, flat dictionary.

    :raises AltcraftConfigurationError: for anything else.
    """
    if data is None:
        return None
    if not isinstance(data, Mapping):
        raise AltcraftConfigurationError(f"pixel_data must be a dictionary, not {type(data).__name__}.")
    if any(isinstance(value, dict | list | tuple) for value in data.values()):
        raise AltcraftConfigurationError("pixel_data must be flat: no lists and no dictionaries inside.")
    try:
        size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except (TypeError, ValueError):
        raise AltcraftConfigurationError("pixel_data may only contain strings, numbers and booleans.") from None
    if size > PIXEL_DATA_BYTES:
        raise AltcraftConfigurationError(f"pixel_data is over {PIXEL_DATA_BYTES:,} bytes of JSON.")
    return data


def _is_named(goal: Mapping[str, Any]) -> bool:
    """Whether a goal has a name; a template may have rendered to nothing."""
    return str(goal.get("goal") or "").strip() not in {"", "None"}


def _value(value: Any) -> dict[str, float]:
    """A number, which a template may have rendered to a string."""
    if value is None:
        return {}
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        # NaN and infinity would be null in JSON.
        raise AltcraftConfigurationError("The value of a goal must be a number.")
    return {"value": number}
