"""The one trigger: it waits for tasks, a mailing or a campaign, and launches nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.tracebacks import without_locals

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
    from airflow_provider_altcraft.api.reply import Reply
    from airflow_provider_altcraft.waiting.policy import Verdict
    from airflow_provider_altcraft.waiting.polling import Poller
    from airflow_provider_altcraft.waiting.targets import Query

QUERIES_AT_ONCE = 8
LARGE_RESULT = 1 << 16
"""Size in bytes from which a task's result is read in a thread, so as not to block the event loop."""
CANCEL_SECONDS = 10.0
"""Timeout of the cancelling call; ``[triggerer] on_kill_timeout`` is 30."""


class AltcraftTrigger(BaseTrigger):
    """Waits for a target and ends with one event: a ``waiting.policy.Verdict``.

    While it waits, its arguments are in Airflow's database, even across upgrades: they are ids, words and times, and
    are never renamed.

    :param altcraft_conn_id: the connection; the token itself is not an argument.
    :param watch: what to wait for, as from ``Target.to_dict``.
    :param poll_interval: seconds between polls.
    :param timeout_at: when the wait ends, in seconds since the epoch.
    :param execution_timeout_at: the same for Airflow's ``execution_timeout``.
    :param carried: ids and counters that the task needs when it resumes; the event returns them, since ``dag.test()``
        loses the arguments of a deferral.
    :param cancel: the call to make if a user ends the task in the meantime: ``endpoint``, ``params``, ``request_id``.
        Needs Airflow 3.3; earlier versions do not tell triggers.
    :param next_poll_at: time of the first poll, in seconds since the epoch by the worker's clock: the worker has just
        polled, or was told to wait.
    :param first_pause: the same in seconds from the start of the wait, since the triggerer's clock may differ. Computed
        from ``next_poll_at`` on the worker.
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
        next_poll_at: float | None = None,
        first_pause: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.altcraft_conn_id = altcraft_conn_id
        self.watch = watch
        self.poll_interval = poll_interval
        self.timeout_at = timeout_at
        self.execution_timeout_at = execution_timeout_at
        self.carried = carried
        self.cancel = cancel
        self.next_poll_at = next_poll_at
        if first_pause is None and next_poll_at is not None:
            first_pause = max(0.0, next_poll_at - time.time())
        self.first_pause = first_pause

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path and the arguments."""
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
                "next_poll_at": self.next_poll_at,
                "first_pause": self.first_pause,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield how it ended. Never raises: an error that ends the wait becomes an event too."""
        from airflow_provider_altcraft.waiting.policy import Decision, Verdict

        try:
            verdict = await self._wait()
        except AltcraftConfigurationError as error:
            verdict = Verdict(Decision.FAILED, "job", str(error))
        except Exception as error:
            # The message is left out: it may quote anything, and the event is logged as it is.
            self.log.exception("The wait ended with an unexpected error.")
            verdict = Verdict(Decision.FAILED, "unreachable", f"The wait ended with {type(error).__name__}.")
        yield TriggerEvent({**verdict.to_event(), "carried": self.carried})

    async def on_kill(self) -> None:
        """Make the cancelling call once a user has marked the task as failed or successful, or cleared it."""
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
            self.log.warning("A user ended the task, so %s was called.", self.cancel["endpoint"])

    @without_locals
    async def _wait(self) -> Verdict:
        from airflow_provider_altcraft.waiting.policy import Deadlines
        from airflow_provider_altcraft.waiting.polling import Poller
        from airflow_provider_altcraft.waiting.targets import target_from

        async with await AltcraftHook(self.altcraft_conn_id).get_async_client() as client:
            poller = Poller(
                target_from(self.watch),
                client.settings,
                Deadlines(self.timeout_at, self.execution_timeout_at),
                poll_interval=self.poll_interval,
                log=self.log.info,
                next_poll_at=time.time() + (self.first_pause or 0.0),
            )
            while True:
                await asyncio.sleep(max(0.0, poller.next_poll_at - time.time()))
                await _poll(poller, client)
                verdict = poller.conclude()
                if verdict is not None:
                    return verdict


async def _poll(poller: Poller, client: AsyncAltcraftClient) -> None:
    """Make the queries that are due, a few at a time; after a 429, the rest wait."""
    queries = iter(poller.queries())

    async def ask() -> None:
        for query in queries:
            if poller.is_held or poller.is_over:
                return
            await _ask(poller, client, query)

    await asyncio.gather(*(ask() for _ in range(QUERIES_AT_ONCE)))


async def _ask(poller: Poller, client: AsyncAltcraftClient, query: Query) -> None:
    """Make one query and free its answer once it is read: only numbers remain of the rows it covers."""
    answer: Reply | AltcraftError
    try:
        answer = await client.call(query.endpoint, query.params, attempts=1, raw_result=query.raw_result)
    except AltcraftError as error:
        answer = error
    if _is_large(answer):
        await asyncio.to_thread(poller.receive, query, answer)
    else:
        poller.receive(query, answer)


def _is_large(answer: Reply | AltcraftError) -> bool:
    """Whether reading it would block the event loop."""
    data = getattr(answer, "data", None)
    result = data.get("result") if isinstance(data, dict) else None
    try:
        return memoryview(result).nbytes > LARGE_RESULT  # type: ignore[arg-type]
    except TypeError:
        return False
