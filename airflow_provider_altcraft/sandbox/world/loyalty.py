"""Loyalty programmes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from airflow_provider_altcraft.sandbox.contract import Refused


@dataclass(slots=True)
class Programme:
    """A loyalty programme and its promo codes.

    :param limit: how many codes it holds at most.
    """

    loyalty_id: int
    name: str
    limit: int | None = None
    codes: set[str] = field(default_factory=set)

    def add(self, code: str) -> Literal["inserted", "duplicated", "discarded_by_limit"]:
        """Put a code into the programme; what became of it.

        :raises Refused: for an empty code.
        """
        if not code:
            raise Refused(400, text="Empty code")
        if code in self.codes:
            return "duplicated"
        if self.limit is not None and len(self.codes) >= self.limit:
            return "discarded_by_limit"
        self.codes.add(code)
        return "inserted"
