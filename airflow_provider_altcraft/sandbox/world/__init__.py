"""What this Altcraft holds: databases, mailings, campaigns, orders and so on. Callers tell it the time."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, TypeVar

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.world.account import Bounce, Order, Resource, Scenario, Sender
from airflow_provider_altcraft.sandbox.world.campaigns import Campaign, Move
from airflow_provider_altcraft.sandbox.world.databases import SYSTEM_FIELDS, Database, is_email
from airflow_provider_altcraft.sandbox.world.loyalty import Programme, Transaction
from airflow_provider_altcraft.sandbox.world.mailings import Mailing, Run
from airflow_provider_altcraft.sandbox.world.segments import Segment
from airflow_provider_altcraft.sandbox.world.suppression import SuppressionList
from airflow_provider_altcraft.sandbox.world.tasks import File, Task

__all__ = [
    "SYSTEM_FIELDS", "Bounce", "Campaign", "Database", "File", "Mailing", "Move", "Order", "Programme", "Resource",
    "Run", "Scenario", "Segment", "Sender", "SuppressionList", "Task", "Transaction", "World", "is_email",
]  # fmt: skip

Thing = TypeVar("Thing")


class World:
    """Everything that this Altcraft holds."""

    def __init__(self) -> None:
        self.databases: dict[int, Database] = {}
        self.resources: dict[int, Resource] = {}
        self.segments: dict[int, Segment] = {}
        self.mailings: dict[int, Mailing] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.scenarios: dict[int, Scenario] = {}
        self.tasks: dict[str, Task] = {}
        self.files: dict[str, File] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.suppression_lists: dict[int, SuppressionList] = {}
        self.programmes: dict[int, Programme] = {}
        self.senders: dict[int, Sender] = {}
        self.orders: dict[str, Order] = {}
        self.goals: list[dict[str, Any]] = []
        self.bounces: list[Bounce] = []
        self.counted: dict[tuple[int, int, int], list[Task]] = {}
        self._settling = threading.Lock()

    def settle(self, now: datetime, deliveries: Deliveries) -> None:
        """Carry out the moves that are due: a campaign that ends or pauses stops its mailings (CONTRACT 4.5 to 4.7).

        A test and the server may call this at the same time.
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

    def resource(self, resource_id: int) -> Resource:
        """A resource."""
        return _found(self.resources, resource_id, "resource")

    def segment(self, segment_id: int) -> Segment:
        """A segment."""
        return _found(self.segments, segment_id, "segment")

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
        """Add or update an order, and return its id."""
        order = self.orders.setdefault(external_id, Order(len(self.orders) + 1))
        order.data.update(data)
        return order.order_id

    def of_segment(self, segment: Segment, db_id: int | None = None) -> dict[str, dict[str, Any]]:
        """The profiles of a segment, by id.

        :param db_id: the database, for a dynamic one.
        :raises Refused: for a segment without a database, if none is given.
        """
        chosen = segment.db_id if segment.db_id is not None else db_id
        if chosen is None:
            raise Refused(400, f"segment {segment.segment_id} is dynamic: its database is needed")
        profiles = self.database(chosen).profiles
        if not segment.chosen:
            return profiles
        return {profile_id: profiles[profile_id] for profile_id in sorted(segment.members & profiles.keys())}

    def audience(self, data_type: str, data_id: int) -> list[str]:
        """The profiles that a mailing goes to."""
        if data_type == "segment":
            return list(self.of_segment(self.segment(data_id)))
        return list(self.database(data_id).profiles)


def _found(things: dict[Any, Thing], key: Any, what: str) -> Thing:
    if key not in things:
        raise Refused(404, f"{what} {key} not found", "Not found")
    return things[key]
