"""What somebody may have meant by a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence for the end of an error's text, with a space before it: the known name that is nearest.

    :param otherwise: what to say if none is near.
    """
    # Only a mistake needs it, and a DAG file should not pay for it.
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else otherwise
    return f" {hint}" if hint else ""
