"""Functions in place of the values of a profile: ``{"action": "increase", "value": 5}`` (CONTRACT 8.1).

What they do is documented; the words for it are the sandbox's guess.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused

ACTIONS = ("set", "delete", "add", "remove", "increase", "decrease")


def is_function(value: Any) -> bool:
    """Whether a value is a function."""
    return isinstance(value, dict) and "action" in value and value.keys() <= {"action", "value"}


def applied(name: str, stored: Any, function: dict[str, Any]) -> Any:
    """The value of a field after a function; ``None`` once it is deleted.

    :raises Refused: for an unknown action, or one that does not suit the field.
    """
    action, value = function["action"], function.get("value")
    if action not in ACTIONS:
        raise Refused(400, text=f"Unknown action: {action}")
    if action in {"set", "delete"}:
        return value if action == "set" else None
    if action in {"add", "remove"}:
        return _with_tags(stored, action, value)
    try:
        number, change = float(stored or 0), float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Refused(400, text=f"{name} and the value of {action} must be numbers") from None
    result = number + (change if action == "increase" else -change)
    return int(result) if result.is_integer() else result


def _with_tags(stored: Any, action: str, value: Any) -> list[Any]:
    changed = value if isinstance(value, list) else [value]
    kept = [tag for tag in (stored if isinstance(stored, list) else []) if tag not in changed]
    return [*kept, *changed] if action == "add" else kept
