"""The sandbox: a state, served on loopback by a thread."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import datetime
from typing import Any

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.state import State
from airflow_provider_altcraft.sandbox.summary import summary
from airflow_provider_altcraft.sandbox.world import Campaign, Mailing, Task


class Sandbox(State):
    """A loopback Altcraft. Use it as a context manager, or ``start`` and ``stop`` it.

    A new one holds database 1 "Customers", resource 1 and sender 1, segment 1 over the database, scenario 12,
    broadcast 7, regular mailing 8, trigger mailing 9 (all active), campaign 18 with broadcast 7 in it, campaign 42
    "Seasonal sale" (both inactive), suppression list 3 and loyalty programme 5. Its attributes ``clock``, ``journal``,
    ``deliveries``, ``faults`` (``add`` takes a ``Fault``) and ``behaviour`` are for tests to read and change.

    :param behaviour: switches for what the documents leave open.
    :param token: the API token to accept.
    :param speed: seconds of its clock per real second; at 0, only ``clock.advance`` moves it.
    :param seed: for faults with a probability.
    :param port: 0 takes any free one.
    :param start: the time its clock starts at; now by default.
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
        super().__init__(behaviour or Behaviour(), token=token, speed=speed, seed=seed, start=start)
        self.port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *error: object) -> None:
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
        runner = web.AppRunner(Server(self, lambda: self.port).application(), access_log=None, shutdown_timeout=1)
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
    def url(self) -> str:
        """Its address."""
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
        """The registered goals."""
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
        return summary(self)


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel what is still in progress."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
