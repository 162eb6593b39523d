"""Faults as rules: where, which call, and what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

Kind = Literal[
    "status", "api_error", "error_after", "delay", "delay_after", "rate_limited", "cut_body", "html", "drop_before",
    "drop_after",
]  # fmt: skip

DROPS = ("drop_before", "drop_after")
"""Kinds under which no answer comes."""


@dataclass(slots=True)
class Fault:
    """One rule.

    :param kind: ``status``: an HTTP status, nothing done. ``api_error``: an error under HTTP 200, nothing done.
        ``error_after``: done, and an error all the same. ``delay``, ``delay_after``: real seconds before or after the
        work. ``rate_limited``: 429, nothing done. ``cut_body``: done, and half an
        answer. ``html``: a page, nothing done. ``drop_before``, ``drop_after``: the connection ends before or after
        the work.
    :param endpoint: path below ``/api/v1.1/``, or ``*``.
    :param where: parameters that the request must have, such as ``{"id": 7}``.
    :param nth: the n-th matching call, from 1; every call if it is not given.
    :param times: how often the rule applies at most.
    :param probability: of applying, from the sandbox's seed.
    :param code: HTTP status of ``status`` and ``html``, ``error`` of ``api_error`` and ``error_after``.
    :param text: body or error text.
    :param seconds: of the delays, or of ``Retry-After``.
    """

    kind: Kind
    endpoint: str = "*"
    where: dict[str, Any] = field(default_factory=dict)
    nth: int | None = None
    times: int | None = None
    probability: float | None = None
    code: int = 502
    text: str = ""
    seconds: float = 1.0


class Faults:
    """The rules in force.

    :param seed: of the dice.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Put a rule into force."""
        self._rules.append((fault, [0, 0]))

    def clear(self) -> None:
        """Lift all rules."""
        self._rules.clear()

    def meet(self, endpoint: str, read: Callable[[], Mapping[str, Any]]) -> Fault | None:
        """The fault that this call meets.

        :param read: gives the parameters of the request. It is called only for a rule with ``where``, once at most:
            a body may be large.
        """
        parameters = cache(read)
        for fault, counts in self._rules:
            if fault.endpoint not in ("*", endpoint):
                continue
            if fault.where and not fault.where.items() <= parameters().items():
                continue
            counts[0] += 1
            spent = fault.times is not None and counts[1] >= fault.times
            another = fault.nth is not None and counts[0] != fault.nth
            lucky = fault.probability is not None and self._dice.random() >= fault.probability
            if not any((spent, another, lucky)):
                counts[1] += 1
                return fault
        return None
