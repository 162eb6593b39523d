"""Check arguments that a template may have rendered to nothing, or to the string ``None``."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


def rendered(name: str, value: Any) -> str:
    """A string that must not be empty after rendering.

    :param name: of the argument, for the error text.
    :raises AltcraftConfigurationError: if it is empty.
    """
    text = "" if value is None else str(value).strip()
    if text in {"", "None"}:
        raise empty(name)
    return text


def empty(name: str) -> AltcraftConfigurationError:
    """The error for an argument that is empty after rendering."""
    return AltcraftConfigurationError(f"{name} is empty: its template rendered to nothing, or it was not given.")
