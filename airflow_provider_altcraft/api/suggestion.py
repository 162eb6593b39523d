"""Suggest a known name for an unknown one."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence with the closest known name, with a leading space, to append to an error text.

    :param otherwise: the sentence if there is no close one.
    """
    # Imported here: only mistakes need it, and a DAG file should not pay for it.
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else otherwise
    return f" {hint}" if hint else ""
