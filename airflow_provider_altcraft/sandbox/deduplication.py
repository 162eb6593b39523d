"""The memory that answers repeated requests (CONTRACT 1.8)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_altcraft.sandbox.answers import Answer
from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.clock import Clock
from airflow_provider_altcraft.sandbox.contract import METHODS, UNKNOWN


@dataclass(slots=True)
class Memory:
    """A request, and its answer once there is one."""

    first: datetime
    done: asyncio.Event
    answer: Answer | None = None


class Deduplication:
    """Remembers requests that change data or launch something.

    :param behaviour: how this installation does it.
    :param clock: measures the window.
    """

    def __init__(self, behaviour: Behaviour, clock: Clock) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._memories: dict[str, Memory] = {}

    def key(self, name: str, path: str, query: str, headers: Mapping[str, str], token: str, body: bytes) -> str | None:
        """What makes two requests the same; ``None`` for a request that is not remembered.

        :param path: the name of the method, with the parameters in its path.
        """
        behaviour, method = self._behaviour, METHODS.get(name, UNKNOWN)
        if behaviour.deduplication == "off" or not method.changes:
            return None
        request_id = headers.get(behaviour.request_id_header)
        if behaviour.deduplication == "request-id" and request_id:
            parts = ["id", request_id, token, path if behaviour.key_includes_path else ""]
        elif method.checksum:
            sent = sorted((name.lower(), value) for name, value in headers.items())
            kept = [f"{name}={value}" for name, value in sent if name not in {"host", "connection"}]
            parts = ["checksum", path, query, *kept, body.decode("utf-8", "replace")]
        else:
            return None
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    async def once(self, key: str, work: Callable[[], Awaitable[Answer]], busy: Answer) -> tuple[Answer, bool]:
        """The answer to a request, and whether it counts as a replay.

        :param work: gives the answer to the first request.
        :param busy: the answer to a repeat of a request in progress, where repeats do not wait.
        """
        behaviour, earlier = self._behaviour, self._recall(key)
        if earlier is not None:
            if not earlier.done.is_set() and behaviour.duplicate_while_running != "wait":
                return busy, behaviour.duplicate_while_running == "marked"
            await earlier.done.wait()
            if earlier.answer is not None:
                return earlier.answer, True
        memory = self._memories[key] = Memory(self._clock.now(), asyncio.Event())
        try:
            answer = await work()
            if behaviour.replay_errors or not answer.error:
                memory.answer = answer
        finally:
            memory.done.set()
            if memory.answer is None and self._memories.get(key) is memory:
                del self._memories[key]
        return answer, False

    def _recall(self, key: str) -> Memory | None:
        """The earlier request, if it is still within the window."""
        memory, window = self._memories.get(key), timedelta(seconds=self._behaviour.deduplication_window)
        return memory if memory is not None and self._clock.now() - memory.first < window else None
