"""When a wait is over. Pure: what was observed and two deadlines in, one decision out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from airflow_provider_altcraft.api.states import State
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftJobFailed,
    AltcraftTransportError,
    AltcraftWaitTimeout,
)

ERROR_BUDGET = 10
"""Times in a row that one question may fail before a wait is given up; an answer to it starts the count anew."""
LONGEST_PAUSE = 300.0
"""Seconds between two polls for one question at most, however often it failed."""

Cause = Literal["", "job", "authentication", "unreachable", "timeout", "execution_timeout"]


class Decision(Enum):
    """What to do after a poll."""

    WAIT = "wait"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a wait ends, as seconds since the epoch: it may go on in another process.

    :param timeout: how long we wait; what we wait for is left alone.
    :param execution: Airflow's ``execution_timeout``, which the framework does not enforce across a deferral.
    """

    timeout: float | None = None
    execution: float | None = None

    @property
    def first(self) -> float | None:
        """The earlier of the two."""
        return min((moment for moment in (self.timeout, self.execution) if moment is not None), default=None)


def decide(
    state: State, *, errors: int, now: float, deadlines: Deadlines, error_budget: int = ERROR_BUDGET
) -> Decision:
    """The policy: what was observed and the two deadlines in, one decision out.

    :param state: what was seen last.
    :param errors: how often in a row the question failed that failed most.
    :param now: seconds since the epoch.
    """
    if state is State.SUCCEEDED:
        return Decision.DONE
    if state is State.FAILED or errors >= error_budget:
        return Decision.FAILED
    if deadlines.first is not None and now >= deadlines.first:
        return Decision.TIMED_OUT
    return Decision.WAIT


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a wait ended. As a dictionary it is the event of a trigger: logged by Airflow, so nothing secret.

    :param decision: done, failed or timed out.
    :param cause: what kind of end it was, where it was not a good one.
    :param reason: a sentence for people.
    :param result: what the wait found: ids and counters.
    :param outcomes: of tasks, what each said of its rows, counted; see ``TaskTarget``.
    """

    decision: Decision
    cause: Cause = ""
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, Any] = field(default_factory=dict)

    def to_event(self) -> dict[str, Any]:
        """The payload of a trigger event, with a version for triggers that outlive an upgrade."""
        return {
            "version": 1,
            "decision": self.decision.value,
            "cause": self.cause,
            "reason": self.reason,
            "result": dict(self.result),
            "outcomes": dict(self.outcomes),
        }

    @classmethod
    def from_event(cls, event: Any) -> Verdict:
        """Read a trigger event. One that cannot be read is a failure, never a success."""
        try:
            return cls(
                Decision(event["decision"]),
                event["cause"],
                event["reason"],
                event["result"],
                # A trigger of an earlier release has none.
                event.get("outcomes") or {},
            )
        except (AttributeError, TypeError, KeyError, ValueError):
            return cls(Decision.FAILED, "unreachable", "The trigger ended without saying how.")

    def raise_for_failure(self) -> None:
        """Raise the error that this end means, if it was not a good one.

        :raises AltcraftJobFailed: the job ended badly.
        :raises AltcraftAuthenticationError: the token was refused.
        :raises AltcraftTransportError: Altcraft could not be asked any more.
        :raises AltcraftWaitTimeout: a deadline passed.
        """
        if self.decision is Decision.DONE:
            return
        if self.decision is Decision.TIMED_OUT:
            raise AltcraftWaitTimeout(self.reason)
        if self.cause == "authentication":
            raise AltcraftAuthenticationError("waiting", code=401, text=self.reason)
        if self.cause == "unreachable":
            raise AltcraftTransportError(self.reason)
        raise AltcraftJobFailed(self.reason)
