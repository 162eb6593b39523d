"""Goals, as Altcraft takes them (CONTRACT 11)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

PIXEL_DATA_BYTES = 1024
"""Of ``pixel_data``, as JSON (CONTRACT 1.5)."""


def goals_of(goals: Any) -> list[dict[str, Any]]:
    """Goals as the API takes them: each with a name, and a value that is a number.

    :raises AltcraftConfigurationError: if they are something else.
    """
    if not goals or not all(isinstance(goal, Mapping) and _is_named(goal) for goal in goals):
        raise AltcraftConfigurationError("goals is a list of one or more {'goal': name, 'value': number}.")
    return [{**goal, **_value(goal.get("value"))} for goal in goals]


def pixel_data_of(data: Any) -> Mapping[str, Any] | None:
    """What else is to be known of them: flat, and small.

    :raises AltcraftConfigurationError: if it is something else.
    """
    if data is None:
        return None
    if not isinstance(data, Mapping):
        raise AltcraftConfigurationError(f"pixel_data is a dictionary, not {type(data).__name__}.")
    if any(isinstance(value, dict | list | tuple) for value in data.values()):
        raise AltcraftConfigurationError("pixel_data is flat: it holds no lists and no dictionaries.")
    try:
        size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except (TypeError, ValueError):
        raise AltcraftConfigurationError("pixel_data holds texts, numbers and booleans.") from None
    if size > PIXEL_DATA_BYTES:
        raise AltcraftConfigurationError(f"pixel_data is over {PIXEL_DATA_BYTES:,} bytes of JSON.")
    return data


def _is_named(goal: Mapping[str, Any]) -> bool:
    """Whether a goal has a name, where a template may have rendered to nothing."""
    return str(goal.get("goal") or "").strip() not in {"", "None"}


def _value(value: Any) -> dict[str, float]:
    """A number, which a template renders to a text."""
    if value is None:
        return {}
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        # JSON would have it as null.
        raise AltcraftConfigurationError("The value of a goal is a number.")
    return {"value": number}
