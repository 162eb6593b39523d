"""The memory for repeated requests (CONTRACT 1.8)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_altcraft.sandbox.answers import Answer
from airflow_provider_altcraft.sandbox.behaviour import Behaviour


@dataclass(slots=True)
class Memory:
    """One request that was begun, and its answer once there is one."""

    first: datetime
    done: asyncio.Event
    answer: Answer | None = None


class Deduplication:
    """Remembers requests that change data or launch something.

    :param behaviour: how this installation does it.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._memories: dict[str, Memory] = {}

    def key(
        self, path: str, query: str, headers: Mapping[str, str], token: str, body: bytes, *, checksum: bool = True
    ) -> str | None:
        """What makes two requests the same; ``None`` where nothing does.

        :param checksum: whether the method is known by its checksum, too.
        """
        behaviour = self._behaviour
        if behaviour.deduplication == "off":
            return None
        request_id = headers.get(behaviour.request_id_header.lower())
        if behaviour.deduplication == "request-id" and request_id:
            parts = ["id", request_id, token, path if behaviour.key_includes_path else ""]
        elif checksum:
            sent = [f"{name}={value}" for name, value in sorted(headers.items()) if name not in {"host", "connection"}]
            parts = ["checksum", path, query, *sent, body.decode("utf-8", "replace")]
        else:
            return None
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def recall(self, key: str, now: datetime) -> Memory | None:
        """The earlier request, if the window has not passed."""
        memory = self._memories.get(key)
        if memory is None or now - memory.first >= timedelta(seconds=self._behaviour.deduplication_window):
            return None
        return memory

    def begin(self, key: str, now: datetime) -> Memory:
        """Note that a request is being worked on."""
        memory = self._memories[key] = Memory(now, asyncio.Event())
        return memory

    def end(self, key: str, memory: Memory, answer: Answer | None) -> None:
        """Note its answer, or forget it."""
        memory.answer = answer
        memory.done.set()
        if answer is None and self._memories.get(key) is memory:
            del self._memories[key]
