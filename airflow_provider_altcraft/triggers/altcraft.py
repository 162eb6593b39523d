"""The one trigger: it waits for tasks, a mailing or a campaign, and launches nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftRateLimited
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.tracebacks import without_locals

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
    from airflow_provider_altcraft.waiting import Answer, Verdict
    from airflow_provider_altcraft.watches import Ask

QUESTIONS_AT_ONCE = 8
CANCEL_SECONDS = 10.0
"""For the call that stops a thing; ``[triggerer] on_kill_timeout`` is 30."""


class AltcraftTrigger(BaseTrigger):
    """Waits for one thing or a thousand, and ends with one event: a ``waiting.Verdict``.

    Its arguments live in Airflow's database while it waits, across upgrades: they are ids, words and times, and
    never renamed.

    :param altcraft_conn_id: the connection; the token itself is not an argument.
    :param watch: what to wait for, as ``Watch.to_dict`` gives it.
    :param poll_interval: seconds between rounds.
    :param timeout_at: seconds since the epoch at which the wait ends.
    :param execution_timeout_at: the same for Airflow's ``execution_timeout``.
    :param carried: ids and counters that the task needs when it goes on; the event brings them back, since
        ``dag.test()`` forgets the arguments of a deferral.
    :param cancel: the call to make when a user ends the task meanwhile: ``endpoint``, ``params``, ``request_id``.
        Airflow 3.3 on says so; before, nobody does.
    """

    def __init__(
        self,
        altcraft_conn_id: str,
        watch: dict[str, Any],
        poll_interval: float,
        timeout_at: float | None = None,
        execution_timeout_at: float | None = None,
        carried: dict[str, Any] | None = None,
        cancel: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.altcraft_conn_id = altcraft_conn_id
        self.watch = watch
        self.poll_interval = poll_interval
        self.timeout_at = timeout_at
        self.execution_timeout_at = execution_timeout_at
        self.carried = carried
        self.cancel = cancel

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class and its arguments."""
        return (
            f"{__name__}.{type(self).__name__}",
            {
                "altcraft_conn_id": self.altcraft_conn_id,
                "watch": self.watch,
                "poll_interval": self.poll_interval,
                "timeout_at": self.timeout_at,
                "execution_timeout_at": self.execution_timeout_at,
                "carried": self.carried,
                "cancel": self.cancel,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and say how it ended. Never raises: an error that ends the wait is an end like any other."""
        from airflow_provider_altcraft.waiting import Decision, Verdict

        try:
            verdict = await self._wait()
        except AltcraftConfigurationError as error:
            verdict = Verdict(Decision.FAILED, "job", str(error))
        except Exception as error:
            # The message may quote anything; the event is logged as it is.
            self.log.exception("The wait ended with an error of its own.")
            verdict = Verdict(Decision.FAILED, "unreachable", f"The wait ended with {type(error).__name__}.")
        yield TriggerEvent({**verdict.to_event(), "carried": self.carried})

    async def on_kill(self) -> None:
        """A user marked the task as failed or successful, or cleared it. Never raises."""
        if self.cancel is None:
            return
        try:
            async with await AltcraftHook(self.altcraft_conn_id).get_async_client() as client:
                call = client.call(
                    self.cancel["endpoint"], self.cancel["params"], request_id=self.cancel["request_id"], attempts=2
                )
                await asyncio.wait_for(call, CANCEL_SECONDS)
        except (AltcraftError, TimeoutError) as error:
            self.log.error("%s failed: %s", self.cancel["endpoint"], error or type(error).__name__)
        else:
            self.log.warning("The task was ended by a user; %s was called.", self.cancel["endpoint"])

    @without_locals
    async def _wait(self) -> Verdict:
        from airflow_provider_altcraft.waiting import Deadlines, Pause, vigil
        from airflow_provider_altcraft.watches import watch_from

        async with await AltcraftHook(self.altcraft_conn_id).get_async_client() as client:
            steps = vigil(
                watch_from(self.watch),
                client.settings,
                Deadlines(self.timeout_at, self.execution_timeout_at),
                poll_interval=self.poll_interval,
                log=self.log.info,
            )
            try:
                step = next(steps)
                while True:
                    if isinstance(step, Pause):
                        await asyncio.sleep(step.seconds)
                        step = steps.send(None)
                    else:
                        step = steps.send(await _ask_all(client, step))
            except StopIteration as end:
                verdict: Verdict = end.value
                return verdict


async def _ask_all(client: AsyncAltcraftClient, asks: list[Ask]) -> list[Answer]:
    """Ask the questions of a round, a few at a time; after a 429, the rest waits for the next round."""
    places = asyncio.Semaphore(QUESTIONS_AT_ONCE)
    limited = False

    async def ask_one(ask: Ask) -> Answer:
        nonlocal limited
        async with places:
            if limited:
                return None
            try:
                return await client.call(ask.endpoint, ask.params, attempts=1)
            except AltcraftError as error:
                limited = limited or isinstance(error, AltcraftRateLimited)
                return error

    return list(await asyncio.gather(*(ask_one(ask) for ask in asks)))
