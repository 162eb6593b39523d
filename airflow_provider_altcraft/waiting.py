"""One waiting policy for operator, sensor and trigger.

``decide`` is the policy: what was observed and two deadlines in, one decision out. ``vigil`` is the loop around it,
written once as a generator that asks for calls and pauses and is handed their answers; a worker drives it with
requests and ``sleep``, a trigger with aiohttp and the event loop, a sensor one poke at a time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, Protocol

from airflow_provider_altcraft.api.protocol import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import State
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftError,
    AltcraftJobFailed,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftTransportError,
    AltcraftWaitTimeout,
)
from airflow_provider_altcraft.watches import Ask, Watch

ERROR_BUDGET = 10
"""Rounds in a row that may fail before a wait is given up; one that works starts the count anew."""
LONGEST_PAUSE = 300.0
"""Seconds between rounds at most, however many failed."""

Answer = Reply | AltcraftError | None
"""What came of a question: an answer, an error, or nothing because it was not asked this round."""


class Decision(Enum):
    """What to do after a look."""

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
    :param errors: rounds in a row that failed.
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
class Pause:
    """Time to let pass, in seconds."""

    seconds: float


Cause = Literal["", "job", "authentication", "unreachable", "timeout", "execution_timeout"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a wait ended. As a dictionary it is the event of a trigger: logged by Airflow, so nothing secret.

    :param decision: done, failed or timed out.
    :param cause: what kind of end it was, where it was not a good one.
    :param reason: a sentence for people.
    :param result: what the wait found: ids and counters.
    """

    decision: Decision
    cause: Cause = ""
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)

    def to_event(self) -> dict[str, Any]:
        """The payload of a trigger event, with a version for triggers that outlive an upgrade."""
        return {
            "version": 1,
            "decision": self.decision.value,
            "cause": self.cause,
            "reason": self.reason,
            "result": dict(self.result),
        }

    @classmethod
    def from_event(cls, event: Any) -> Verdict:
        """Read a trigger event. One that cannot be read is a failure, never a success."""
        try:
            return cls(Decision(event["decision"]), event["cause"], event["reason"], event["result"])
        except (TypeError, KeyError, ValueError):
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


Vigil = Generator[list[Ask] | Pause, list[Answer] | None, Verdict]


def vigil(
    watch: Watch,
    settings: Settings,
    deadlines: Deadlines,
    *,
    poll_interval: float,
    log: Callable[[str], None],
    clock: Callable[[], float] = time.time,
) -> Vigil:
    """Wait: yields the questions of a round, is sent their answers, yields a pause, and so on; returns a verdict.

    :param poll_interval: seconds between rounds, give or take a fifth.
    :param log: told when the progress changes, and of rounds that failed.
    :param clock: seconds since the epoch.
    """
    errors, told = 0, ""
    while True:
        asks = watch.asks()
        answers = (yield asks) or []
        problem = _listen(watch, settings, asks, answers)
        if isinstance(problem, AltcraftAuthenticationError):
            return Verdict(Decision.FAILED, "authentication", str(problem), watch.result)
        hiccup = problem is not None and not isinstance(problem, AltcraftRateLimited)
        errors = errors + 1 if hiccup else 0
        if problem is not None:
            log(f"Asking Altcraft failed ({errors} of {ERROR_BUDGET} in a row), the wait goes on: {problem}")
        elif watch.progress != told:
            told = watch.progress
            log(told)
        now = clock()
        decision = decide(watch.state, errors=errors, now=now, deadlines=deadlines)
        if decision is not Decision.WAIT:
            return _verdict(decision, watch, deadlines, now, problem if errors >= ERROR_BUDGET else None)
        yield Pause(_pause(poll_interval, errors, problem, now, deadlines))


def _listen(watch: Watch, settings: Settings, asks: Iterable[Ask], answers: Iterable[Answer]) -> AltcraftError | None:
    """Hand the answers to the watch; the gravest error of the round, if there was one."""
    problems = []
    for ask, answer in zip(asks, answers, strict=False):
        if isinstance(answer, Reply):
            watch.hear(ask, answer, settings)
        elif answer is not None:
            problems.append(answer)
    gravity = (AltcraftAuthenticationError, AltcraftRateLimited)
    return min(problems, key=lambda error: not isinstance(error, gravity), default=None)


def _pause(poll_interval: float, errors: int, problem: AltcraftError | None, now: float, deadlines: Deadlines) -> float:
    # Jitter, so that many waits do not ask at one moment; more room after errors; Retry-After above all.
    seconds = min(poll_interval * 2.0**errors, max(LONGEST_PAUSE, poll_interval)) * random.uniform(0.8, 1.2)  # noqa: S311
    if isinstance(problem, AltcraftRejected | AltcraftTransportError) and problem.retry_after:
        return max(seconds, problem.retry_after)
    if deadlines.first is not None:
        # One last look at the deadline itself.
        return max(0.0, min(seconds, deadlines.first - now))
    return seconds


def _verdict(
    decision: Decision, watch: Watch, deadlines: Deadlines, now: float, problem: AltcraftError | None
) -> Verdict:
    if decision is Decision.DONE:
        return Verdict(decision, result=watch.result)
    if decision is Decision.FAILED and problem is not None:
        reason = (
            f"Altcraft could not be asked {ERROR_BUDGET} times in a row; what was waited for goes on. Last: {problem}"
        )
        return Verdict(decision, "unreachable", reason, watch.result)
    if decision is Decision.FAILED:
        return Verdict(decision, "job", watch.failure, watch.result)
    execution = deadlines.execution is not None and now >= deadlines.execution
    cause: Cause = "execution_timeout" if execution else "timeout"
    reason = f"The {cause} is over; Altcraft goes on with it. Last seen: {watch.progress}."
    return Verdict(decision, cause, reason, watch.result)


class Client(Protocol):
    """The part of the client that waiting uses."""

    @property
    def settings(self) -> Settings:
        """Settings of the connection."""

    def call(self, name: str, params: Mapping[str, Any] | None = None, *, attempts: int | None = None) -> Reply:
        """Call an endpoint."""


def ask_all(client: Client, asks: Iterable[Ask]) -> list[Answer]:
    """Ask the questions of a round on a worker; after a 429, the rest waits for the next round."""
    answers: list[Answer] = []
    for ask in asks:
        if answers and isinstance(answers[-1], AltcraftRateLimited | None):
            answers.append(None)
            continue
        try:
            # One try: errors are the policy's to judge.
            answers.append(client.call(ask.endpoint, ask.params, attempts=1))
        except AltcraftError as error:
            answers.append(error)
    return answers


def wait(steps: Vigil, client: Client, *, sleep: Callable[[float], None] = time.sleep) -> Verdict:
    """Drive a vigil on a worker until it ends."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                sleep(step.seconds)
                step = steps.send(None)
            else:
                step = steps.send(ask_all(client, step))
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def look(steps: Vigil, client: Client) -> Verdict | None:
    """Drive a vigil up to its next pause; the verdict, if that was the end."""
    try:
        step = next(steps)
        while not isinstance(step, Pause):
            step = steps.send(ask_all(client, step))
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict
    return None
