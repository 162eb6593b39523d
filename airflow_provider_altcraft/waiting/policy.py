"""When a wait ends. Pure: the observed state and two deadlines in, one decision out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import msgspec

from airflow_provider_altcraft.api.states import State
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftJobFailed,
    AltcraftTransportError,
    AltcraftWaitTimeout,
)

ERROR_BUDGET = 10
"""Consecutive failures of a query before a wait is given up; a successful answer resets the count."""
LONGEST_PAUSE = 300.0
"""Maximum seconds between two attempts at a query, however often it failed."""

FailureCause = Literal["", "job", "authentication", "unreachable", "timeout", "execution_timeout"]


class Decision(Enum):
    """What to do after a poll."""

    WAIT = "wait"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a wait ends, in seconds since the epoch: an absolute time stays valid when another process continues it.

    Two deadlines, because they end differently: ``timeout`` leaves the work in Altcraft alone, while ``execution`` acts
    as if the task were killed, which may stop a mailing.

    :param timeout: the operator's ``timeout``.
    :param execution: Airflow's ``execution_timeout``, which Airflow does not enforce across a deferral.
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
    """Decide whether a wait goes on.

    :param state: the last observed state.
    :param errors: consecutive failures of the query that failed most often.
    :param now: seconds since the epoch.
    """
    # The outcome comes first: a target that is seen to have ended at the deadline has not timed out.
    if state is State.SUCCEEDED:
        return Decision.DONE
    if state is State.FAILED or errors >= error_budget:
        return Decision.FAILED
    if deadlines.first is not None and now >= deadlines.first:
        return Decision.TIMED_OUT
    return Decision.WAIT


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a wait ended. As a dictionary it is a trigger event, which Airflow logs, so it holds no secrets.

    :param decision: done, failed or timed out.
    :param cause: the kind of failure; empty on success.
    :param reason: a sentence for the error.
    :param result: what the wait found: ids and counters.
    :param outcomes: for tasks, what each reported about its rows, as numbers; see ``TaskTarget``.
    """

    decision: Decision
    cause: FailureCause = ""
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, Any] = field(default_factory=dict)

    def to_event(self) -> dict[str, Any]:
        """The payload of a trigger event, with a version for triggers that outlive an upgrade."""
        return {"version": 1, **msgspec.to_builtins(self)}

    @classmethod
    def from_event(cls, event: Any) -> Verdict:
        """Read a trigger event. An unreadable one is a failure, never a success."""
        try:
            return msgspec.convert(event, cls)
        except msgspec.ValidationError:
            return cls(Decision.FAILED, "unreachable", "The trigger ended with an event that cannot be read.")

    def raise_for_failure(self) -> None:
        """Raise the error for this outcome, unless it is a success.

        :raises AltcraftJobFailed: the job failed.
        :raises AltcraftAuthenticationError: the token was rejected.
        :raises AltcraftTransportError: Altcraft could no longer be polled.
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
