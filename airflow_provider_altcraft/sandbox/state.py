"""What a sandbox holds, and how it is filled: no thread, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.clock import Clock
from airflow_provider_altcraft.sandbox.deduplication import Deduplication
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.faults import Faults
from airflow_provider_altcraft.sandbox.journal import Journal
from airflow_provider_altcraft.sandbox.world import (
    Bounce,
    Campaign,
    Database,
    Mailing,
    Programme,
    Resource,
    Scenario,
    Segment,
    Sender,
    SuppressionList,
    Task,
    Transaction,
    World,
)

CUSTOMER_FIELDS = {
    "CRM_ID": "string", "loyalty_id": "string", "loyalty_level": "string", "balance": "string", "last_purchase": "date",
    "tags": "tags",
}  # fmt: skip
"""Custom fields of database 1, those of the examples among them."""


class State:
    """What there is at this Altcraft, what has happened there, and how it behaves.

    :param behaviour: switches for what the documents leave open.
    :param token: the API token to accept.
    :param speed: seconds of the clock per real second.
    :param seed: for faults with a probability.
    :param start: the time the clock starts at; now if it is ``None``.
    """

    def __init__(self, behaviour: Behaviour, *, token: str, speed: float, seed: int, start: datetime | None) -> None:
        self.behaviour = behaviour
        self.token = token
        self.underway = 0
        self._start, self._speed, self._seed = start, speed, seed
        self.reset()

    def reset(self) -> None:
        """Start over: nothing has arrived, there are no faults, and the clock is at its start. Behaviour is kept."""
        self.clock = Clock(self._start, self._speed)
        self.faults = Faults(self._seed)
        self.journal = Journal()
        self.deduplication = Deduplication(self.behaviour, self.clock)
        self._deliveries = Deliveries()
        self._world = World()
        self._furnish()

    @property
    def world(self) -> World:
        """What there is now."""
        self._world.settle(self.clock.now(), self._deliveries)
        return self._world

    @property
    def deliveries(self) -> Deliveries:
        """Who was sent what so far, and how often."""
        self._world.settle(self.clock.now(), self._deliveries)
        return self._deliveries

    def add_database(self, db_id: int, *, name: str = "Customers", fields: Mapping[str, str] | None = None) -> Database:
        """Add a database.

        :param fields: type by custom field, as ``databases/fields_get`` shows them after those of the system.
        """
        database = self.world.databases[db_id] = Database(db_id, name, dict(fields or {}))
        return database

    def add_resource(self, resource_id: int, *, name: str = "Newsletter", token: str = "resource-token") -> Resource:  # noqa: S107
        """Add a resource, which profiles subscribe to."""
        resource = self.world.resources[resource_id] = Resource(resource_id, name, token)
        return resource

    def add_segment(
        self, segment_id: int, *, db_id: int = 1, name: str = "Everybody", is_static: bool = False
    ) -> Segment:
        """Add a segment; it holds its whole database, or its ``members`` if it is static."""
        segment = self.world.segments[segment_id] = Segment(segment_id, name, db_id, is_static)
        return segment

    def add_mailing(
        self,
        mailing_id: int,
        *,
        kind: str = "broadcast",
        is_active: bool = True,
        data_type: str = "list",
        data_id: int = 1,
        name: str = "Mailing",
        duration: float = 5.0,
        delay: float = 0.0,
        durations: Mapping[str, float] | None = None,
    ) -> Mailing:
        """Add a mailing; a run takes ``duration`` seconds, or what ``durations`` says for its audience."""
        mailing = Mailing(mailing_id, kind, name, is_active, data_type, data_id, duration)
        mailing.delay, mailing.durations = delay, dict(durations or {})
        self.world.mailings[mailing_id] = mailing
        return mailing

    def add_campaign(self, campaign_id: int, *, state: str = "inactive", name: str = "Campaign") -> Campaign:
        """Add a campaign."""
        campaign = self.world.campaigns[campaign_id] = Campaign(campaign_id, name, state)
        return campaign

    def add_scenario(
        self, workflow_id: int, *, db_id: int = 1, is_active: bool = True, name: str = "Scenario"
    ) -> Scenario:
        """Add a scenario."""
        scenario = self.world.scenarios[workflow_id] = Scenario(workflow_id, name, db_id, is_active)
        return scenario

    def add_task(self, task_id: str, *, result: Any = None, succeeds: bool = True, seconds: float = 0.0) -> Task:
        """Add a task that no call started."""
        task = self.world.tasks[task_id] = Task(task_id, self.clock.now(), seconds, result, not succeeds)
        return task

    def add_suppression_list(self, list_id: int, *, name: str = "Suppressed") -> SuppressionList:
        """Add a suppression list."""
        suppression_list = self.world.suppression_lists[list_id] = SuppressionList(list_id, name)
        return suppression_list

    def add_programme(self, loyalty_id: int, *, name: str = "Programme", limit: int | None = None) -> Programme:
        """Add a loyalty programme, which holds at most ``limit`` promo codes."""
        programme = self.world.programmes[loyalty_id] = Programme(loyalty_id, name, limit)
        return programme

    def add_transaction(
        self,
        loyalty_id: int,
        profile_id: str,
        points: float,
        *,
        at: datetime | None = None,
        currency: tuple[str, int] = ("bonus", 1),
    ) -> Transaction:
        """Add a transaction of points; ``currency`` is its external and its internal id."""
        programme = self.world.programme(loyalty_id)
        transaction_id = str(UUID(int=len(programme.transactions) + 1))
        transaction = Transaction(transaction_id, at or self.clock.now(), profile_id, points, currency)
        programme.transactions.append(transaction)
        return transaction

    def add_sender(
        self,
        sender_id: int,
        *,
        name: str = "Sender",
        channel: str = "email",
        kind: str = "akmta",
        is_virtual: bool = False,
    ) -> Sender:
        """Add a sender."""
        sender = self.world.senders[sender_id] = Sender(sender_id, name, channel, kind, is_virtual)
        return sender

    def add_bounce(
        self,
        mailing_id: int,
        *,
        on: date | None = None,
        text: str = "mailbox full",
        to_domain: str = "example.com",
        from_domain: str = "altcraft.com",
        ip: str = "192.0.2.1",
    ) -> Bounce:
        """Add a soft bounce."""
        bounce = Bounce(mailing_id, on or self.clock.now().date(), text, to_domain, from_domain, ip)
        self.world.bounces.append(bounce)
        return bounce

    def _furnish(self) -> None:
        self.add_database(1, fields=CUSTOMER_FIELDS)
        self.add_resource(1)
        self.add_sender(1)
        self.add_segment(1)
        self.add_scenario(12, name="Welcome")
        self.add_mailing(7, kind="broadcast", name="Morning broadcast")
        self.add_mailing(8, kind="regular", name="Weekly digest")
        self.add_mailing(9, kind="trigger", name="Order confirmation")
        self.add_campaign(18, name="Autumn").mailings.append(7)
        self.add_campaign(42, name="Seasonal sale")
        self.add_suppression_list(3, name="Complaints")
        self.add_programme(5, name="Bonus")
