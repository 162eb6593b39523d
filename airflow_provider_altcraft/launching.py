"""The launch protocol: at most one launch per logical launch, whatever dies and whenever.

The Request-ID is derived, not random: the same logical launch has the same id at any try on any worker, and
Altcraft answers a repeated id from its memory (CONTRACT 1.8). Where Airflow has a task state store (3.3 on), the
intent is kept before the call and the answer after it, so that a retry takes up what was started.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid5

from airflow_provider_altcraft.api.protocol import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import moment_of
from airflow_provider_altcraft.exceptions import AltcraftOutcomeUnknown, AltcraftRejected, AltcraftTransportError

_NAMESPACE = UUID("6f1f1d0e-7f0b-5d5e-9a43-0c1a9f3f6b52")
REFUSALS_PASSED = 5
"""Remembered refusals that one launch goes past, each to the next derived id."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a launch the same launch.

    :param parts: dag, run, task and map index.
    :param generation: moves when a user's clear is meant to launch again.
    :param given: a Request-ID of the user's own, instead.
    """

    parts: tuple[str, str, str, int]
    generation: int = 0
    given: str | None = None

    @classmethod
    def of(cls, context: Mapping[str, Any], *, relaunch_on_clear: bool = False, given: str | None = None) -> Identity:
        """The identity of a task instance.

        :param relaunch_on_clear: a clear changes ``max_tries``, a retry does not.
        """
        ti = context["ti"]
        parts = (ti.dag_id, ti.run_id, ti.task_id, getattr(ti, "map_index", -1))
        return cls(parts, generation=ti.max_tries if relaunch_on_clear else 0, given=given or None)

    def request_id(self, endpoint: str, *, content: str = "", attempt: int = 0) -> str:
        """The Request-ID of one call: a pure function of its arguments.

        :param endpoint: catalogue name; an id is never used for two methods (CONTRACT 1.8).
        :param content: digest of the rows, for a batch.
        :param attempt: refusals gone past.
        """
        if self.given and not content and not attempt:
            return self.given
        start = [self.given] if self.given else [*self.parts, self.generation]
        return str(uuid5(_NAMESPACE, json.dumps([*start, endpoint, content, attempt])))


class Store(Protocol):
    """Airflow's task state store, where there is one."""

    def get(self, key: str, /) -> Any:
        """What was kept, or ``None``."""

    def set(self, key: str, value: Any, /) -> None:
        """Keep a JSON value."""


class Client(Protocol):
    """The part of the client that launching uses."""

    @property
    def settings(self) -> Settings:
        """Settings of the connection."""

    def call(self, name: str, params: Mapping[str, Any] | None = None, *, request_id: str | None = None) -> Reply:
        """Call an endpoint."""

    def call_batch(self, name: str, body: bytes, *, request_id: str) -> Reply:
        """Send a batch."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What came of a launch.

    :param data: the payload of the answer.
    :param task_id: the task that Altcraft made of it.
    :param request_id: the Request-ID it happened under.
    :param replayed: it happened at an earlier try.
    :param since: no later than the launch, by the server's clock; ``None`` if it was at an earlier try and nothing
        kept the moment.
    """

    data: Any
    task_id: str | None
    request_id: str
    replayed: bool
    since: datetime | None


Look = Callable[[datetime | None], bool | None]
"""Looks whether it happened since a moment of the server's: yes, no, or nobody can tell."""


class Launcher:
    """Launches for one task instance.

    :param client: calls Altcraft.
    :param identity: of the task instance.
    :param store: Airflow's task state store, or ``None`` where there is none.
    :param log: told of replays and refusals gone past.
    """

    def __init__(
        self, client: Client, identity: Identity, *, store: Store | None = None, log: Callable[[str], None]
    ) -> None:
        self._client = client
        self._identity = identity
        self._store = store
        self._log = log

    def launch(
        self,
        endpoint: str,
        params: Mapping[str, Any],
        *,
        since: datetime | None = None,
        look: Look = lambda since: None,
    ) -> Launched:
        """Make a call that must happen once.

        :param since: the server's clock just before, to tell this launch from earlier ones.
        :param look: how to find out whether it happened, where Altcraft's memory does not help.
        :raises AltcraftOutcomeUnknown: if it may have happened and nothing can tell.
        :raises AltcraftError: if it did not happen.
        """
        memory = self._recall(endpoint)
        if memory.get("answer"):
            return self._taken_up(endpoint, memory)
        if memory and not self._remembered_by_altcraft(memory, since):
            return self._looked(endpoint, memory, look)
        attempt = int(memory.get("attempt", 0))
        began = moment_of(memory.get("since")) or since
        while True:
            request_id = self._identity.request_id(endpoint, attempt=attempt)
            intent = {"request_id": request_id, "attempt": attempt, "since": began.isoformat() if began else None}
            self._remember(endpoint, intent)
            try:
                reply = self._client.call(endpoint, params, request_id=request_id)
            except AltcraftRejected as error:
                if not _old_refusal(error, attempt):
                    self._check_outcome(error, endpoint, intent, look)
                    raise
                self._log(f"{endpoint}: Altcraft repeated an old refusal ({error}); asking anew.")
                attempt += 1
                continue
            except AltcraftTransportError as error:
                self._check_outcome(error, endpoint, intent, look)
                raise
            self._remember(endpoint, {**intent, "answer": {"data": reply.data, "task_id": reply.task_id}})
            if reply.replayed:
                self._log(f"{endpoint}: replayed. It happened at an earlier try (Request-ID {request_id}).")
            # Without a store, or under an id of the user's, a replay may be of any earlier try.
            unknown = reply.replayed and (self._store is None or bool(self._identity.given))
            return Launched(reply.data, reply.task_id, request_id, reply.replayed, None if unknown else began)

    def launch_batch(self, endpoint: str, body: bytes, content: str) -> Launched:
        """Send a batch of rows that must arrive once.

        :param content: digest of the rows: the same rows have the same Request-ID at any try.
        """
        attempt = 0
        while True:
            request_id = self._identity.request_id(endpoint, content=content, attempt=attempt)
            try:
                reply = self._client.call_batch(endpoint, body, request_id=request_id)
            except AltcraftRejected as error:
                if not _old_refusal(error, attempt):
                    raise
                attempt += 1
                continue
            except AltcraftTransportError as error:
                if error.sent and not self._client.settings.deduplicates:
                    raise self._unknown(endpoint, request_id, error) from error
                raise
            return Launched(reply.data, reply.task_id, request_id, reply.replayed, None)

    def _key(self, endpoint: str) -> str:
        # By the id itself: a request_id of the user's own, or a new generation, is another launch.
        return f"altcraft_launch:{self._identity.request_id(endpoint)}"

    def _recall(self, endpoint: str) -> dict[str, Any]:
        found = self._store.get(self._key(endpoint)) if self._store is not None else None
        return found if isinstance(found, dict) else {}

    def _remember(self, endpoint: str, memory: dict[str, Any]) -> None:
        if self._store is not None:
            self._store.set(self._key(endpoint), memory)

    def _taken_up(self, endpoint: str, memory: dict[str, Any]) -> Launched:
        self._log(f"{endpoint}: launched at an earlier try (Request-ID {memory['request_id']}); taking it up.")
        answer = memory["answer"]
        since = moment_of(memory.get("since"))
        return Launched(answer.get("data"), answer.get("task_id"), memory["request_id"], True, since)

    def _remembered_by_altcraft(self, memory: dict[str, Any], now: datetime | None) -> bool:
        """Whether the id of an intent without an answer may be sent again: Altcraft still knows it, if it came."""
        settings = self._client.settings
        intended = moment_of(memory.get("since"))
        if intended is None or now is None:
            return settings.deduplicates
        return now - intended < timedelta(seconds=settings.deduplication_window)

    def _looked(self, endpoint: str, memory: dict[str, Any], look: Look) -> Launched:
        since = moment_of(memory.get("since"))
        if look(since):
            self._log(f"{endpoint}: an earlier try launched it, as Altcraft shows.")
            self._remember(endpoint, {**memory, "answer": {"data": None, "task_id": None}})
            return Launched(None, None, memory["request_id"], True, since)
        raise self._unknown(endpoint, memory["request_id"], None)

    def _check_outcome(
        self,
        error: AltcraftRejected | AltcraftTransportError,
        endpoint: str,
        intent: dict[str, Any],
        look: Look,
    ) -> None:
        """Refuse to leave open what a later try could not close: nobody remembers the id, or an old fault stands."""
        fault = isinstance(error, AltcraftRejected) and error.is_transient
        lost = isinstance(error, AltcraftTransportError) and error.sent
        remembered = isinstance(error, AltcraftRejected) and error.replayed
        if (fault or lost) and (remembered or not self._client.settings.deduplicates):
            happened = look(moment_of(intent["since"]))
            raise self._unknown(endpoint, intent["request_id"], error, happened=happened) from error

    def _unknown(
        self, endpoint: str, request_id: str, error: Exception | None, *, happened: bool | None = None
    ) -> AltcraftOutcomeUnknown:
        why = f" {error}" if error else " An earlier try ended before the answer came."
        seen = " Altcraft's log shows a start since then." if happened else ""
        return AltcraftOutcomeUnknown(
            f"{endpoint}: it is not known whether Altcraft did it, and it was not sent again (Request-ID {request_id})."
            f"{why}{seen} Look in Altcraft whether it happened. If it did, mark this task as successful; if it did"
            " not, give the operator a request_id of your own and clear the task."
        )


def _old_refusal(error: AltcraftRejected, attempt: int) -> bool:
    """A refusal from memory is no answer of today's. A remembered *fault* may have launched: that is not one."""
    return error.replayed and not error.is_transient and attempt < REFUSALS_PASSED


def earliest(context: Mapping[str, Any], *, now: datetime, window: float) -> datetime:
    """The earliest moment at which a replayed launch of this run can have happened, by the server's clock.

    Used where no store kept the moment: not before the run could begin, and not before Altcraft's memory does.

    :param now: the server's clock.
    :param window: seconds for which Altcraft remembers.
    """
    run = context.get("dag_run")
    forgotten = now - timedelta(seconds=window)
    for name in ("run_after", "data_interval_end", "logical_date"):
        begin = getattr(run, name, None) or context.get(name)
        if isinstance(begin, datetime) and forgotten < begin.astimezone(UTC) <= now:
            return begin.astimezone(UTC)
    return forgotten
