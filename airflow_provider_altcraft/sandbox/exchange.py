"""A request and its answer, as they pass the middlewares."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from airflow_provider_altcraft.sandbox.faults import Fault
from airflow_provider_altcraft.sandbox.journal import Call


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    :param in_path: the parameters in its path.
    :param fault: the fault it meets.
    :param error: the ``error`` of its answer.
    :param replayed: whether it is answered from memory.
    """

    call: Call
    in_path: dict[str, str]
    fault: Fault | None
    error: int | None = None
    replayed: bool = False


EXCHANGE: ContextVar[Exchange] = ContextVar("exchange")
"""The one in progress. ``request[...]`` would warn: since aiohttp 3.14 it wants keys that older ones do not have."""
