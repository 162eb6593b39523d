"""Segments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Segment:
    """A part of a database. Rules are kept, not evaluated: one with rules holds all of its database.

    :param db_id: its database; a dynamic one has it in its rules, or nowhere (CONTRACT 9).
    :param is_static: whether it holds chosen profiles.
    :param is_refresh_daily: whether a static one is filled by its rules.
    :param members: the profiles of a static one.
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
        """Whether it holds its members, and not what its rules find."""
        return self.is_static and not self.is_refresh_daily
