"""The launch protocol: at most one launch per logical launch, whatever dies and whenever.

The Request-ID is derived, not random: the same logical launch has the same id at any try on any worker, and
Altcraft answers a repeated id from its memory (CONTRACT 1.8). Where Airflow has a task state store (3.3 on), the
intent is kept before the call and the answer after it, so that a retry takes up what was started. Where Altcraft
may have forgotten, and nothing was kept, the launch stops instead of guessing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Protocol
from uuid import UUID, uuid5

from airflow_provider_altcraft.api.endpoints import endpoint as catalogued
from airflow_provider_altcraft.api.objects import identifier
from airflow_provider_altcraft.api.protocol import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import moment_of
from airflow_provider_altcraft.delivery.answers import BatchAnswer, Refusal
from airflow_provider_altcraft.exceptions import AltcraftOutcomeUnknown, AltcraftRejected, AltcraftTransportError

_NAMESPACE = UUID("6f1f1d0e-7f0b-5d5e-9a43-0c1a9f3f6b52")
REFUSALS = frozenset({400, 401, 402, 403, 404})
"""Codes that say no (CONTRACT 1.4). What the repeat of a request gets that is still worked on is not documented."""
REFUSALS_PASSED = 5
"""Remembered refusals that one launch goes past, each to the next derived id."""
STILL_UNDERWAY = timedelta(minutes=30)
"""How long after a request was sent a start in a mailing's log can be its doing."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What Airflow says of the tries of a task instance before this one.

    :param since: no later than the first of them; ``None`` if this is the first.
    :param cleared: whether a user has cleared the task in between.
    :param max_tries: changes at a clear, and not at a retry.
    """

    since: datetime | None = None
    cleared: bool = False
    max_tries: int = 0

    @classmethod
    def before(cls, context: Mapping[str, Any], *, retries: int, relaunch_on_clear: bool = False) -> Tries:
        """Read them from the context of a task.

        :param retries: of the task: a task instance that was never cleared has as many ``max_tries``.
        :param relaunch_on_clear: whether the tries before a clear are another launch's.
        """
        ti = context["ti"]
        cleared = ti.max_tries != retries
        since_clear = ti.try_number - (ti.max_tries - retries) if relaunch_on_clear else ti.try_number
        if ti.try_number <= 1 or since_clear == 1:
            return cls(None, cleared, ti.max_tries)
        run = context.get("dag_run")
        # A clear moves the start of a run, never the moment it was due.
        names = ("run_after", "logical_date", "data_interval_end", "queued_at", "start_date")
        known = [getattr(run, name, None) for name in (("start_date",) if not cleared else names)]
        moments = [moment.astimezone(UTC) for moment in known if isinstance(moment, datetime)]
        return cls(min(moments, default=datetime.min.replace(tzinfo=UTC)), cleared, ti.max_tries)


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a launch the same launch.

    :param parts: dag, run, task and map index.
    :param generation: moves when a user's clear is meant to launch again.
    :param given: a Request-ID of the user's own, instead; with a generation, the id is derived from both.
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
        if self.given and not content and not attempt and not self.generation:
            return self.given
        start: list[str | int] = [self.given] if self.given else [*self.parts]
        start.append(self.generation)
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

    def call(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        undocumented: Mapping[str, Any] | None = None,
        request_id: str | None = None,
    ) -> Reply:
        """Call an endpoint."""

    def call_batch(self, name: str, body: bytes, *, request_id: str) -> Reply:
        """Send a batch."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What came of a launch.

    :param data: the payload of the answer.
    :param task_id: the task that Altcraft made of it.
    :param request_id: the Request-ID it happened under.
    :param replayed: it happened at an earlier try, or its answer was lost once.
    :param since: no later than the launch, by the server's clock; ``None`` if it was at an earlier try and nothing
        kept the moment.
    """

    data: Any
    task_id: str | None
    request_id: str
    replayed: bool
    since: datetime | None

    @property
    def saved_id(self) -> int:
        """The id of the object that was created.

        :raises AltcraftConfigurationError: if the answer names none.
        """
        saved = self.data.get("saved_id") if isinstance(self.data, dict) else None
        return identifier("the saved_id of Altcraft's answer", saved)


Look = Callable[[datetime, datetime | None], bool | None]
"""Looks whether it happened between two moments of the server's: yes, no, or nobody can tell."""
Params = Mapping[str, Any] | Callable[[datetime], Mapping[str, Any]]


def nobody_can_tell(since: datetime, until: datetime | None) -> None:
    """The look where Altcraft shows nothing."""


class Launcher:
    """Launches for one task instance.

    :param client: calls Altcraft.
    :param identity: of the task instance.
    :param tries: of the task instance before this one.
    :param store: Airflow's task state store, or ``None`` where there is none.
    :param log: told of replays and refusals gone past.
    """

    def __init__(
        self,
        client: Client,
        identity: Identity,
        *,
        tries: Tries,
        store: Store | None = None,
        log: Callable[[str], None],
    ) -> None:
        self._client = client
        self._identity = identity
        self._tries = tries
        self._store = store
        self._log = log
        # Batches are sent by several threads; the store's way to Airflow is one (under ``dag.test()``, not even that).
        self._turn = Lock()
        # Nobody else writes while this try runs, and each question is a call to Airflow.
        self._recalled: dict[str, dict[str, Any]] = {}

    def launch(
        self,
        endpoint: str,
        params: Params,
        *,
        now: datetime,
        look: Look = nobody_can_tell,
        undocumented: Mapping[str, Any] | None = None,
    ) -> Launched:
        """Make a call that must happen once.

        :param params: of the call; where they depend on the moment of the launch, a function of it.
        :param undocumented: parameters that the documentation does not have and this installation does.
        :param now: the server's clock, to tell this launch from earlier ones.
        :param look: how to find out whether it happened, where Altcraft's memory does not help.
        :raises AltcraftOutcomeUnknown: if it may have happened and nothing can tell.
        :raises AltcraftError: if it did not happen, or the same call again will tell.
        """

        def send(request_id: str, began: datetime) -> Reply:
            given = params(began) if callable(params) else params
            return self._client.call(endpoint, given, undocumented=undocumented, request_id=request_id)

        launched = self._once(endpoint, "", send, now, look)
        if launched.replayed:
            self._log(f"{endpoint}: it happened before (Request-ID {launched.request_id}); taking it up.")
        return launched

    def launch_batch(self, endpoint: str, body: bytes, content: str) -> Launched:
        """Send a batch of rows that must arrive once.

        :param content: digest of the rows: the same rows have the same Request-ID at any try.
        """

        def send(request_id: str, began: datetime) -> Reply:
            return self._client.call_batch(endpoint, body, request_id=request_id)

        return self._once(endpoint, content, send, datetime.now(UTC), nobody_can_tell)

    def batches(self, endpoint: str, *, before: Callable[[], None]) -> Batches:
        """Sends the batches of a delivery.

        :param before: called before each; raises to stop.
        """
        return Batches(self, endpoint, before)

    def batch_outcome(self, endpoint: str, content: str) -> dict[str, Any] | None:
        """What was kept of a batch at an earlier try, if that was its end."""
        found = self._recall(self._key(endpoint, content)).get("outcome")
        return found if isinstance(found, dict) else None

    def keep_batch_outcome(self, endpoint: str, content: str, outcome: dict[str, Any]) -> None:
        """Keep what became of a batch: at a later try, it needs no sending."""
        self._remember(self._key(endpoint, content), {"outcome": outcome, "max_tries": self._tries.max_tries})

    def _once(
        self, endpoint: str, content: str, send: Callable[[str, datetime], Reply], now: datetime, look: Look
    ) -> Launched:
        key = self._key(endpoint, content)
        memory = self._recall(key)
        if "answer" in memory:
            return self._taken_up(memory)
        if memory.get("refused"):
            memory = {"attempt": memory["attempt"]}
        earlier = self._earlier(memory)
        if earlier is not None and not catalogued(endpoint).converges:
            found = self._settled(endpoint, key, memory, earlier, now, look)
            if found is not None:
                return found
        attempt = int(memory.get("attempt", 0))
        began = moment_of(memory.get("since")) or now
        while True:
            request_id = self._identity.request_id(endpoint, content=content, attempt=attempt)
            intent = {
                "request_id": request_id,
                "attempt": attempt,
                "since": began.isoformat(),
                "last": now.isoformat(),
                "max_tries": self._tries.max_tries,
            }
            self._remember(key, intent)
            try:
                reply = send(request_id, began)
            except AltcraftRejected as error:
                if attempt < REFUSALS_PASSED and _old_refusal(error, now, moment_of(memory.get("last"))):
                    self._log(f"{endpoint}: Altcraft repeated an old refusal ({error}); asking anew.")
                    attempt += 1
                    continue
                if earlier is not None and type(error) is AltcraftRejected:
                    # An earlier try's request may still be worked on, and this be the answer to a repeat.
                    error.in_doubt = True
                return self._doubted(error, endpoint, key, intent, look, settled=earlier is None)
            except AltcraftTransportError as error:
                return self._doubted(error, endpoint, key, intent, look, settled=earlier is None)
            self._remember_answer(key, intent, reply, is_batch=bool(content))
            since = began if "since" in memory or not reply.replayed else None
            return Launched(reply.data, reply.task_id, request_id, reply.replayed, since)

    def _key(self, endpoint: str, content: str) -> str:
        # By the id itself: a request_id of the user's own, or a new generation, is another launch.
        return f"altcraft_launch:{self._identity.request_id(endpoint, content=content)}"

    def _recall(self, key: str) -> dict[str, Any]:
        if self._store is None:
            return {}
        with self._turn:
            if key not in self._recalled:
                found = self._store.get(key)
                self._recalled[key] = found if isinstance(found, dict) else {}
            return self._recalled[key]

    def _remember(self, key: str, memory: dict[str, Any]) -> None:
        if self._store is not None:
            with self._turn:
                self._store.set(key, memory)
                self._recalled[key] = memory

    def _remember_answer(self, key: str, intent: dict[str, Any], reply: Reply, *, is_batch: bool) -> None:
        # Of a batch that was answered row by row, only the outcome is kept, once nothing is left to do (``Batches``).
        if reply.task_id or not is_batch:
            answer = {"data": None if reply.task_id else reply.data, "task_id": reply.task_id}
            self._remember(key, {**intent, "answer": answer})

    def _taken_up(self, memory: dict[str, Any]) -> Launched:
        if memory.get("max_tries") not in (None, self._tries.max_tries):
            self._log(
                "The task was cleared since it launched. It does not launch again by that, unless it has"
                " relaunch_on_clear=True."
            )
        answer = memory["answer"]
        since = moment_of(memory.get("since"))
        return Launched(answer.get("data"), answer.get("task_id"), memory["request_id"], True, since)

    def _earlier(self, memory: dict[str, Any]) -> datetime | None:
        """No later than the first request of an earlier try; ``None`` if there certainly was none."""
        if "since" in memory:
            return moment_of(memory["since"]) or datetime.min.replace(tzinfo=UTC)
        if memory or (self._store is not None and not self._tries.cleared):
            return None
        return self._tries.since

    def _settled(
        self, endpoint: str, key: str, memory: dict[str, Any], earlier: datetime, now: datetime, look: Look
    ) -> Launched | None:
        """Look before an earlier try's request is sent again, where Altcraft may not know it again."""
        # The moment of an earlier try is by Airflow's clock, that of an intent by Altcraft's.
        forgotten = self._forgotten(earlier, now if memory else max(now, datetime.now(UTC)))
        if not forgotten and not memory.get("fault"):
            return None
        # Without a stored intent, a start in the log may be anybody's.
        if memory and look(earlier, (moment_of(memory.get("last")) or earlier) + STILL_UNDERWAY):
            return self._found(key, memory)
        if forgotten:
            raise self._unknown(endpoint, memory.get("request_id"), None)
        return None

    def _forgotten(self, earlier: datetime, now: datetime) -> bool:
        """Whether Altcraft's memory of a request may be over; early, for clocks that differ and tell whole seconds."""
        window = self._client.settings.deduplication_window
        return window <= 0 or now - earlier >= timedelta(seconds=window - min(600.0, window / 10) - 1)

    def _found(self, key: str, memory: dict[str, Any]) -> Launched:
        self._remember(key, {**memory, "answer": {"data": None, "task_id": None}})
        return Launched(None, None, memory["request_id"], True, moment_of(memory["since"]))

    def _doubted(
        self,
        error: AltcraftRejected | AltcraftTransportError,
        endpoint: str,
        key: str,
        intent: dict[str, Any],
        look: Look,
        *,
        settled: bool,
    ) -> Launched:
        """The launch after all, if a look shows it; else the error, or its doubt where no later try could settle it.

        :param settled: whether no earlier try left anything open.
        """
        fault = isinstance(error, AltcraftRejected) and error.is_fault
        remembered = fault and isinstance(error, AltcraftRejected) and error.replayed
        lasting = remembered or not self._client.settings.deduplicates
        if error.in_doubt and (lasting or fault):
            # Kept before the look: if this process ends at it, a later try looks before it sends.
            self._remember(key, {**intent, "fault": True})
            if look(datetime.fromisoformat(intent["since"]), None):
                return self._found(key, intent)
            if lasting and not catalogued(endpoint).converges:
                raise self._unknown(endpoint, intent["request_id"], error) from error
        elif settled and not error.in_doubt:
            self._remember(key, {**intent, "refused": True})
        raise error

    def _unknown(self, endpoint: str, request_id: str | None, error: Exception | None) -> AltcraftOutcomeUnknown:
        why = f" {error}" if error else " An earlier try ended before its answer was kept, and Altcraft forgets."
        under = f" (Request-ID {request_id})" if request_id else ""
        return AltcraftOutcomeUnknown(
            f"{endpoint}: it is not known whether Altcraft did it, and it was not sent again{under}.{why}"
            " Look in Altcraft whether it happened. If it did, mark this task as successful. If it did not, start a"
            " new DAG run, or set relaunch_on_clear=True on the task and clear it."
        )


@dataclass(frozen=True, slots=True)
class Batches:
    """Sends the batches of one delivery, each once.

    :param launcher: of the task instance.
    :param endpoint: that takes them.
    :param before: called before each; raises to stop.
    """

    launcher: Launcher
    endpoint: str
    before: Callable[[], None]

    def send(self, body: bytes, batch: str, *, converges: bool) -> Launched:
        """Send a batch.

        :param batch: the digest of its rows.
        :param converges: whether the rows say the same when they arrive twice.
        """
        self.before()
        return self.launcher.launch_batch(self.endpoint, body, batch)

    def recall(self, batch: str) -> BatchAnswer | None:
        """What an earlier try made of a batch, if that was its end. Why rows were refused stands in the rejects."""
        outcome = self.launcher.batch_outcome(self.endpoint, batch)
        if outcome is None or "split" in outcome:
            return None
        refusals = [Refusal(0, int(code), "") for code, times in outcome["rejected"].items() for _ in range(times)]
        return BatchAnswer(outcome["accepted"], refusals, itemised=outcome["itemised"])

    def split(self, batch: str) -> None:
        """Note that a batch is sent as halves."""
        self.launcher.keep_batch_outcome(self.endpoint, batch, {"split": True})

    def was_split(self, batch: str) -> bool:
        """Whether an earlier try sent it as halves."""
        return bool((self.launcher.batch_outcome(self.endpoint, batch) or {}).get("split"))

    def settle(self, batch: str, verdict: BatchAnswer) -> None:
        """Note what became of a batch, now that nothing of it is left to do. Neither rows nor texts are kept."""
        codes = Counter(str(refusal.code) for refusal in verdict.refusals)
        outcome = {"accepted": verdict.accepted, "rejected": dict(codes), "itemised": verdict.itemised}
        self.launcher.keep_batch_outcome(self.endpoint, batch, outcome)


def _old_refusal(error: AltcraftRejected, now: datetime, last: datetime | None) -> bool:
    """Whether it is a refusal from memory, and so no answer of today's.

    Not a remembered fault, which may have launched; nor what may be the answer to a repeat whose first request is
    still worked on.

    :param last: when an earlier try sent it, if that was kept.
    """
    if not error.replayed or error.is_fault or error.in_doubt:
        return False
    return error.code in REFUSALS or (last is not None and now - last > STILL_UNDERWAY)


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
