"""Campaigns and the moves between their states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

ENDS = ("completed", "deleted")
"""States that a campaign never leaves (CONTRACT 4.1)."""


@dataclass(slots=True)
class Move:
    """A change of state, made or planned.

    :param settled: whether the mailings of the campaign have followed.
    """

    at: datetime
    to: str
    settled: bool = False


@dataclass(slots=True)
class Campaign:
    """A campaign, and the moves it has made or will make (CONTRACT 4.1)."""

    campaign_id: int
    name: str
    initial: str = "inactive"
    moves: list[Move] = field(default_factory=list)
    mailings: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def planned(self, now: datetime, *states: str) -> datetime | None:
        """When it will next enter one of these states."""
        return next((move.at for move in self.moves if move.at > now and move.to in states), None)

    def latest(self, now: datetime, *states: str) -> datetime | None:
        """When it last entered one of these states."""
        return next((move.at for move in reversed(list(self._made(now))) if move.to in states), None)

    def state(self, now: datetime) -> str:
        """The state it is in."""
        state = self.initial
        for move in self._made(now):
            state = move.to
        awaited = any(move.at > now and move.to == "active" for move in self.moves)
        return "waiting" if state == "inactive" and awaited else state

    def move(self, at: datetime, to: str) -> None:
        """Enter another state at a moment."""
        self.moves.append(Move(at, to))
        self.moves.sort(key=lambda move: move.at)

    def unsettled(self, now: datetime) -> Iterator[Move]:
        """The moves made that the mailings have not followed yet."""
        for move in self._made(now):
            if not move.settled:
                yield move
                move.settled = True

    def drop_plans(self, now: datetime) -> None:
        """Forget the moves that are still to come."""
        self.moves = [move for move in self.moves if move.at <= now]

    def _made(self, now: datetime) -> Iterator[Move]:
        if self.initial in ENDS:
            return
        for move in self.moves:
            if move.at > now:
                return
            yield move
            if move.to in ENDS:
                return
