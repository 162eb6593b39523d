"""Segments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Segment:
    """A part of a database. Rules are stored but not evaluated: a segment with rules holds its whole database.

    :param db_id: its database; a dynamic one has it in its rules, or nowhere (CONTRACT 9).
    :param is_static: whether it keeps its profiles.
    :param is_refresh_daily: whether its rules refill it, if it is static.
    :param members: its profiles, if it is filled by hand.
    """

    segment_id: int
    name: str
    db_id: int | None = None
    is_static: bool = False
    is_refresh_daily: bool = False
    rules: list[dict[str, Any]] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    ui_tags: list[str] = field(default_factory=list)

    @property
    def chosen(self) -> bool:
        """Whether it is filled by hand, not by rules."""
        return self.is_static and not self.is_refresh_daily
