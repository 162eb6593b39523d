"""What goes back over the wire."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, as it is sent and remembered.

    :param status: its HTTP status.
    :param error: its ``error``; ``None`` for a file.
    """

    status: int
    body: bytes
    error: int | None = None
    content_type: str = "application/json"
