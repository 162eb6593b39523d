"""What there is at this Altcraft: databases, mailings, campaigns, orders and so on. Ages by a moment it is given."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.world.campaigns import Campaign, Move
from airflow_provider_altcraft.sandbox.world.databases import MATCHING, SYSTEM_FIELDS, Database, is_email
from airflow_provider_altcraft.sandbox.world.loyalty import Programme
from airflow_provider_altcraft.sandbox.world.mailings import Mailing, Run
from airflow_provider_altcraft.sandbox.world.suppression import SuppressionList

__all__ = [
    "MATCHING", "SYSTEM_FIELDS", "Campaign", "Database", "Mailing", "Move", "Order", "Programme", "Run", "Scenario",
    "SuppressionList", "Task", "World", "is_email",
]  # fmt: skip

Thing = TypeVar("Thing")


@dataclass(slots=True)
class Scenario:
    """A scenario."""

    workflow_id: int
    name: str
    db_id: int
    is_active: bool


@dataclass(slots=True)
class Task:
    """Work in the background (CONTRACT 2.1)."""

    task_id: str
    made: datetime
    seconds: float
    result: Any
    fails: bool = False

    def progress(self, now: datetime) -> int:
        """Per cent."""
        passed = (now - self.made) / timedelta(seconds=1)
        return 100 if passed >= self.seconds else int(100 * passed / self.seconds)


@dataclass(slots=True)
class Order:
    """An order of the market."""

    order_id: int
    data: dict[str, Any] = field(default_factory=dict)


class World:
    """All of it."""

    def __init__(self) -> None:
        self.databases: dict[int, Database] = {}
        self.segments: dict[int, dict[str, Any]] = {}
        self.mailings: dict[int, Mailing] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.scenarios: dict[int, Scenario] = {}
        self.tasks: dict[str, Task] = {}
        self.suppression_lists: dict[int, SuppressionList] = {}
        self.programmes: dict[int, Programme] = {}
        self.orders: dict[str, Order] = {}
        self._settling = threading.Lock()

    def settle(self, now: datetime, deliveries: Deliveries) -> None:
        """Let happen what was planned for a moment that has come: a campaign that ends or pauses stops its mailings.

        CONTRACT 4.5 to 4.7. A test and the server may come here at the same time.
        """
        with self._settling:
            for campaign in self.campaigns.values():
                for move in campaign.unsettled(now):
                    self._follow(campaign, move, deliveries)

    def _follow(self, campaign: Campaign, move: Move, deliveries: Deliveries) -> None:
        if move.to == "active":
            return
        for mailing_id in campaign.mailings:
            mailing = self.mailing(mailing_id)
            mailing.stop(move.at, deliveries)
            if move.to == "completed":
                mailing.is_active = False

    def database(self, db_id: int) -> Database:
        """A database."""
        return _found(self.databases, db_id, "database")

    def mailing(self, mailing_id: int, *kinds: str) -> Mailing:
        """A mailing, of these kinds if any are named."""
        mailing = _found(self.mailings, mailing_id, "mailing")
        if kinds and mailing.kind not in kinds:
            raise Refused(404, f"mailing {mailing_id} is a {mailing.kind}", "Not found")
        return mailing

    def campaign(self, campaign_id: int) -> Campaign:
        """A campaign."""
        return _found(self.campaigns, campaign_id, "campaign")

    def scenario(self, workflow_id: int) -> Scenario:
        """A scenario."""
        return _found(self.scenarios, workflow_id, "scenario")

    def suppression_list(self, list_id: int) -> SuppressionList:
        """A suppression list."""
        return _found(self.suppression_lists, list_id, "suppression list")

    def programme(self, loyalty_id: int) -> Programme:
        """A loyalty programme."""
        return _found(self.programmes, loyalty_id, "loyalty programme")

    def save_order(self, external_id: str, data: dict[str, Any]) -> int:
        """Add or update an order; its id."""
        order = self.orders.setdefault(external_id, Order(len(self.orders) + 1))
        order.data.update(data)
        return order.order_id

    def audience(self, data_type: str, data_id: int) -> list[str]:
        """The profiles that a mailing goes to; a segment holds all of its database."""
        if data_type == "segment":
            segment = _found(self.segments, data_id, "segment")
            data_id = segment["list_id"]
        return list(self.database(data_id).profiles)


def _found(things: dict[Any, Thing], key: Any, what: str) -> Thing:
    if key not in things:
        raise Refused(404, f"{what} {key} not found", "Not found")
    return things[key]
