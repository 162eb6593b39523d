"""The sandbox itself: a world, a clock, and a server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from datetime import date, datetime
from types import TracebackType
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
    "CRM_ID": "string",
    "loyalty_id": "string",
    "loyalty_level": "string",
    "balance": "string",
    "last_purchase": "date",
    "tags": "tags",
}
"""Custom fields of database 1, those of the examples among them."""


class Sandbox:
    """A loopback Altcraft. Use it as a context manager, or ``start`` and ``stop`` it.

    A new one holds database 1 "Customers", resource 1 and sender 1, segment 1 over the database, scenario 12,
    broadcast 7, regular mailing 8, trigger mailing 9 (all active), campaign 18 with broadcast 7 in it, campaign 42
    "Seasonal sale" (both inactive), suppression list 3 and loyalty programme 5. Its attributes ``clock``, ``journal``,
    ``deliveries``, ``faults`` (``add`` takes a ``Fault``) and ``behaviour`` are what a test looks at and changes.

    :param behaviour: switches for what the documents leave open.
    :param token: the API token it takes.
    :param speed: seconds of its clock per real second; 0 = only ``clock.advance`` moves it.
    :param seed: of faults with a probability.
    :param port: 0 = any that is free.
    :param start: the first moment of its clock.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        token: str = "sandbox-token-0123456789",  # noqa: S107
        speed: float = 1.0,
        seed: int = 7,
        port: int = 0,
        start: datetime | None = None,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.token = token
        self.port = port
        self._start, self._speed, self._seed = start, speed, seed
        self.reset()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def reset(self) -> None:
        """Be as new: nothing has arrived, no faults, the clock at its start. Behaviour stays as it is."""
        self.clock = Clock(self._start, self._speed)
        self.faults = Faults(self._seed)
        self.journal = Journal()
        self.deduplication = Deduplication(self.behaviour)
        self._deliveries = Deliveries()
        self._world = World()
        self._seed_world()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Sandbox:
        """Serve, in a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="altcraft-sandbox", daemon=True)
        self._thread.start()
        if not ready.wait(timeout=10) or self._loop is None:
            raise RuntimeError(f"The sandbox could not be started on {self.host}:{self.port}.")
        return self

    def stop(self) -> None:
        """Stop serving."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._loop = self._thread = None

    def _serve(self, ready: threading.Event) -> None:
        from aiohttp import web

        from airflow_provider_altcraft.sandbox.server import Server

        loop = asyncio.new_event_loop()
        runner = web.AppRunner(Server(self).application(), access_log=None, shutdown_timeout=1)
        try:
            loop.run_until_complete(runner.setup())
            site = web.TCPSite(runner, self.host, self.port)
            loop.run_until_complete(site.start())
            self.port = runner.addresses[0][1]
            self._loop = loop
            ready.set()
            loop.run_forever()
        finally:
            ready.set()
            loop.run_until_complete(runner.cleanup())
            loop.run_until_complete(_cancelled(asyncio.all_tasks(loop)))
            loop.close()

    @property
    def world(self) -> World:
        """What there is now."""
        self._world.settle(self.clock.now(), self._deliveries)
        return self._world

    @property
    def deliveries(self) -> Deliveries:
        """Who was sent what up to now, how often."""
        self._world.settle(self.clock.now(), self._deliveries)
        return self._deliveries

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.host}:{self.port}"

    @property
    def connection(self) -> dict[str, Any]:
        """An Airflow connection to it."""
        return {
            "conn_type": "altcraft",
            "host": self.host,
            "schema": "http",
            "port": self.port,
            "password": self.token,
            "extra": {},
        }

    @property
    def connection_json(self) -> str:
        """The same, as the value of ``AIRFLOW_CONN_ALTCRAFT_DEFAULT``."""
        return json.dumps(self.connection)

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
        """Add a segment; it holds all of its database, or its ``members`` if it is static."""
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
        """Add a mailing; a run of it takes ``duration`` seconds, or what ``durations`` says for its audience."""
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
        """Add a task that nothing made."""
        task = self.world.tasks[task_id] = Task(task_id, self.clock.now(), seconds, result, not succeeds)
        return task

    def add_suppression_list(self, list_id: int, *, name: str = "Suppressed") -> SuppressionList:
        """Add a suppression list."""
        suppression_list = self.world.suppression_lists[list_id] = SuppressionList(list_id, name)
        return suppression_list

    def add_programme(self, loyalty_id: int, *, name: str = "Programme", limit: int | None = None) -> Programme:
        """Add a loyalty programme; it holds ``limit`` promo codes at most."""
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
        """Add a movement of points; the currency is its external and its internal id."""
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

    def profiles(self, db_id: int = 1) -> dict[str, dict[str, Any]]:
        """The profiles of a database, by id."""
        return self.world.database(db_id).profiles

    def suppressed(self, list_id: int = 3) -> set[str]:
        """The e-mail addresses on a suppression list."""
        return self.world.suppression_list(list_id).emails

    def promocodes(self, loyalty_id: int = 5) -> set[str]:
        """The promo codes of a programme."""
        return set(self.world.programme(loyalty_id).codes)

    @property
    def orders(self) -> dict[str, dict[str, Any]]:
        """The orders, by ``external_id``."""
        return {external_id: order.data for external_id, order in self.world.orders.items()}

    @property
    def goals(self) -> list[dict[str, Any]]:
        """The goals that were registered."""
        return list(self.world.goals)

    def mailing(self, mailing_id: int) -> Mailing:
        """A mailing."""
        return self.world.mailing(mailing_id)

    def campaign(self, campaign_id: int) -> Campaign:
        """A campaign."""
        return self.world.campaign(campaign_id)

    def campaign_state(self, campaign_id: int) -> str:
        """The state a campaign is in now."""
        return self.campaign(campaign_id).state(self.clock.now())

    @property
    def tasks(self) -> list[Task]:
        """All tasks."""
        return list(self.world.tasks.values())

    def state(self) -> dict[str, Any]:
        """What there is and what has happened, as JSON."""
        now, world, deliveries = self.clock.now(), self.world, self.deliveries
        return {
            "now": now.isoformat(),
            "requests": len(self.journal),
            "launches": deliveries.total_launches,
            "databases": [
                {"id": db.db_id, "name": db.name, "profiles": len(db.profiles)} for db in world.databases.values()
            ],
            "mailings": [
                {
                    "id": mailing.mailing_id,
                    "name": mailing.name,
                    "kind": mailing.kind,
                    "is_active": mailing.is_active,
                    "launches": len(deliveries.launches(mailing.mailing_id)),
                    "messages": deliveries.count(mailing.mailing_id),
                    "runs": [{"start": run.start.isoformat(), "end": run.end.isoformat()} for run in mailing.runs],
                }
                for mailing in world.mailings.values()
            ],
            "campaigns": [
                {"id": campaign.campaign_id, "name": campaign.name, "state": campaign.state(now)}
                for campaign in world.campaigns.values()
            ],
            "scenarios": [
                {
                    "id": scenario.workflow_id,
                    "name": scenario.name,
                    "entries": deliveries.scenario_entries(scenario.workflow_id),
                }
                for scenario in world.scenarios.values()
            ],
            "suppression_lists": [
                {"id": one.list_id, "name": one.name, "emails": len(one.emails)}
                for one in world.suppression_lists.values()
            ],
            "programmes": [
                {"id": programme.loyalty_id, "name": programme.name, "codes": len(programme.codes)}
                for programme in world.programmes.values()
            ],
            "orders": len(world.orders),
            "tasks": [{"id": task.task_id, "progress": task.progress(now)} for task in self.tasks],
        }

    def _seed_world(self) -> None:
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


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    """End what is still worked on."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
