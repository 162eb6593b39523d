"""Loyalty programmes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from airflow_provider_altcraft.sandbox.contract import Refused


@dataclass(slots=True)
class Code:
    """A promo code.

    :param attached: the profile it was given to last.
    """

    attached: str | None = None
    activated: bool = False


@dataclass(slots=True)
class Transaction:
    """A transaction of points.

    :param transaction_id: a UUID.
    :param currency: the ``points_currency_eid`` and ``points_currency_iid`` it is in.
    """

    transaction_id: str
    at: datetime
    profile_id: str
    points: float
    currency: tuple[str, int]

    def row(self) -> dict[str, Any]:
        """As a row of an export. The columns are the sandbox's own: the file is not documented."""
        return {
            "id": self.transaction_id,
            "date": self.at.isoformat(),
            "profile_id": self.profile_id,
            "points": self.points,
            "points_currency_eid": self.currency[0],
            "points_currency_iid": self.currency[1],
        }


@dataclass(slots=True)
class Programme:
    """A loyalty programme, its promo codes and its points.

    :param limit: how many codes it can hold.
    :param single_use: whether a code can be attached only once.
    """

    loyalty_id: int
    name: str
    limit: int | None = None
    single_use: bool = True
    codes: dict[str, Code] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)

    def add(self, code: str) -> Literal["inserted", "duplicated", "discarded_by_limit"]:
        """Add a code, and return what became of it.

        :raises Refused: for an empty code.
        """
        if not code:
            raise Refused(400, text="Empty code")
        if code in self.codes:
            return "duplicated"
        if self.limit is not None and len(self.codes) >= self.limit:
            return "discarded_by_limit"
        self.codes[code] = Code()
        return "inserted"

    def attach(self, code: str | None, profile_id: str) -> str:
        """Give a profile a code, by default the next free one; an unknown code is imported (CONTRACT 11).

        :raises Refused: if the code is taken, or none is free.
        """
        if code is None:
            code = next((name for name, one in self.codes.items() if one.attached is None), None)
            if code is None:
                raise Refused(400, text="No free code")
        elif self.add(code) == "discarded_by_limit":
            raise Refused(400, text="The limit of codes is reached")
        if self.single_use and self.codes[code].attached is not None:
            raise Refused(400, text="The code is taken")
        self.codes[code].attached = profile_id
        return code
