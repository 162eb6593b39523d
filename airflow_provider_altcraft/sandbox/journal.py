"""The requests that arrived, without their tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LONGEST_LIST_KEPT = 20


@dataclass(slots=True)
class Call:
    """One request.

    :param endpoint: path below ``/api/v1.1/``, or what ``paths`` calls it.
    :param at: when it arrived, by the sandbox's clock.
    :param request: its body; the token is replaced, and long lists are cut.
    :param headers: its headers; the authorisation is replaced.
    :param body_size: bytes of its body.
    :param body_digest: SHA-256 of its body: equal for a request that was sent again.
    :param request_id: its Request-ID.
    :param http_status: the HTTP status of its answer; 0 if the connection was dropped.
    :param error: the ``error`` of its answer.
    :param replayed: whether it was answered from memory.
    :param fault: the fault it met.
    """

    endpoint: str
    at: datetime
    request: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body_size: int = 0
    body_digest: str = ""
    request_id: str | None = None
    http_status: int = 0
    error: int | None = None
    replayed: bool = False
    fault: str | None = None


class Journal:
    """The requests, in the order of their arrival."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def add(self, call: Call) -> None:
        """Add a request."""
        self._calls.append(call)

    def calls(self, endpoint: str | None = None) -> list[Call]:
        """The requests to one endpoint, or all."""
        return [call for call in self._calls if endpoint in (None, call.endpoint)]

    def clear(self) -> None:
        """Forget all requests."""
        self._calls.clear()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))


def redacted(body: dict[str, Any]) -> dict[str, Any]:
    """A body without its token, and with the first items of long lists only: batches would fill the memory."""
    shown = {name: "***" if name == "token" else value for name, value in body.items()}
    for name, value in shown.items():
        if isinstance(value, list) and len(value) > LONGEST_LIST_KEPT:
            shown[name] = [*value[:LONGEST_LIST_KEPT], f"… {len(value)} items"]
    return shown
