"""Faults as rules: where, which call, and what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal

from airflow_provider_altcraft.sandbox.contract import METHODS
from airflow_provider_altcraft.sandbox.paths import DOWNLOAD
from airflow_provider_altcraft.sandbox.typed import check_value

Kind = Literal[
    "status", "api_error", "error_after", "delay", "delay_after", "rate_limited", "cut_body", "html", "drop_before",
    "drop_after",
]  # fmt: skip

DROPS = ("drop_before", "drop_after")
"""The kinds without an answer."""


@dataclass(slots=True)
class Fault:
    """One rule.

    :param kind: what goes wrong. Nothing is done, and the answer is an HTTP ``status``, an ``html`` page, 429
        (``rate_limited``) or an ``api_error`` under HTTP 200. The work is done, and the answer is an error all the same
        (``error_after``) or is cut in half (``cut_body``). The connection ends before or after the work
        (``drop_before``, ``drop_after``). The answer comes real seconds late (``delay``, ``delay_after`` the work).
    :param endpoint: path below ``/api/v1.1/``, or ``*``.
    :param where: parameters that the request must have, such as ``{"id": 7}``.
    :param nth: only the n-th matching call, counted from 1; every call by default.
    :param times: how often the rule applies at most; always by default.
    :param probability: the probability that it applies; the sandbox's seed makes it repeatable.
    :param code: the HTTP status of ``status`` and ``html``, ``error`` of ``api_error`` and ``error_after``.
    :param text: the body or the error text.
    :param seconds: of a delay, or of ``Retry-After``.
    :raises ValueError: for a rule that could never apply.
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

    def __post_init__(self) -> None:
        for each in fields(self):
            check_value(Fault, each.name, getattr(self, each.name))
        if self.endpoint not in ("*", DOWNLOAD, *METHODS):
            raise ValueError(f"endpoint: there is no method {self.endpoint!r}.")
        counts = [count for count in (self.nth, self.times) if count is not None]
        if min(counts, default=1) < 1 or self.seconds < 0 or not 0 <= (self.probability or 0) <= 1:
            raise ValueError("nth and times count from 1, seconds from 0, and probability goes from 0 to 1.")


class Faults:
    """The rules in force.

    :param seed: for rules with a probability.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Add a rule."""
        self._rules.append((fault, [0, 0]))

    def in_force(self) -> list[tuple[Fault, int]]:
        """The rules, and how often each has applied."""
        return [(fault, applied) for fault, (_, applied) in self._rules]

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def meet(self, endpoint: str, read: Callable[[], Mapping[str, Any]]) -> Fault | None:
        """The fault that this call meets.

        :param read: gives the parameters of the request. It is called only for rules with ``where``, and at most
            once: a body may be large.
        """
        parameters = cache(read)
        for fault, counts in self._rules:
            if fault.endpoint not in ("*", endpoint):
                continue
            if fault.where and not fault.where.items() <= parameters().items():
                continue
            counts[0] += 1
            used_up = fault.times is not None and counts[1] >= fault.times
            is_another = fault.nth is not None and counts[0] != fault.nth
            is_spared = fault.probability is not None and self._dice.random() >= fault.probability
            if not any((used_up, is_another, is_spared)):
                counts[1] += 1
                return fault
        return None
