"""One waiting policy for operator, sensor and trigger.

``decide`` is the policy: what was observed and two deadlines in, one decision out. ``vigil`` is the loop around it,
written once as a generator that asks for calls and pauses and is handed their answers; a worker drives it with
requests and ``sleep``, a trigger with aiohttp and the event loop, a sensor one poke at a time.
"""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Literal, Protocol

from airflow_provider_altcraft.api.protocol import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import State, campaign_state, latest_mark, moment_of, task_state, word
from airflow_provider_altcraft.delivery.answers import read_task_result
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftJobFailed,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftTransportError,
    AltcraftWaitTimeout,
)

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
class Ask:
    """A question to Altcraft."""

    endpoint: str
    params: Mapping[str, Any]
    subject: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Time to let pass, in seconds."""

    seconds: float


class Watch(ABC):
    """Something that is waited for. ``to_dict`` travels with a trigger: ids, words and times only."""

    kind: ClassVar[str]

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The watch as JSON; ``watch_from`` reads it back."""

    @abstractmethod
    def asks(self) -> list[Ask]:
        """The questions of the next round."""

    @abstractmethod
    def hear(self, ask: Ask, reply: Reply, settings: Settings) -> None:
        """Learn from an answer."""

    @property
    @abstractmethod
    def state(self) -> State:
        """Where it is, by all that was heard."""

    @property
    @abstractmethod
    def progress(self) -> str:
        """A line for the log; logged when it changes."""

    @property
    @abstractmethod
    def failure(self) -> str:
        """Why it failed, if it did."""

    @property
    def result(self) -> dict[str, Any]:
        """What the wait found: ids and counters."""
        return {}


@dataclass(slots=True)
class TaskWatch(Watch):
    """Server-side tasks, one or a thousand (CONTRACT 2.1). Ends when the last of them does.

    :param ids: ids of the tasks.
    """

    kind: ClassVar[str] = "tasks"

    ids: Sequence[str]
    accepted: int = 0
    rejected: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    _open: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._open = dict.fromkeys(self.ids, "not asked yet")

    def to_dict(self) -> dict[str, Any]:
        """The ids."""
        return {"kind": self.kind, "ids": list(self.ids)}

    def asks(self) -> list[Ask]:
        """One question for each task that is not known to have ended."""
        return [Ask("tasks/status", {"task_id": task_id}, task_id) for task_id in self._open]

    def hear(self, ask: Ask, reply: Reply, settings: Settings) -> None:
        """The status of one task, and what its result says of the rows."""
        data = reply.data if isinstance(reply.data, dict) else {}
        state = task_state(data.get("status"), settings)
        if state is State.RUNNING:
            self._open[ask.subject] = f"{word(data.get('status')) or 'no status'} {data.get('progress') or 0}%"
            return
        del self._open[ask.subject]
        result = data.get("result")
        items = result.get("result") if isinstance(result, dict) else None
        rows = len(items) if isinstance(items, list) else 0
        answer = read_task_result(result, rows)
        self.accepted += answer.accepted
        self.rejected += len(answer.refusals)
        if state is State.FAILED:
            self.failed[ask.subject] = f"status {word(data.get('status'))}"
        elif isinstance(result, dict) and result.get("error") not in (0, "0", None):
            self.failed[ask.subject] = f"its result says error {result.get('error')}"

    @property
    def state(self) -> State:
        """Running while any task is; failed if any of them failed."""
        if self._open:
            return State.RUNNING
        return State.FAILED if self.failed else State.SUCCEEDED

    @property
    def progress(self) -> str:
        """How many tasks have ended, and the words of those that have not."""
        ended = len(self.ids) - len(self._open)
        words = ", ".join(sorted(set(self._open.values()))[:5])
        return f"{ended} of {len(self.ids)} tasks ended" + (f"; the others: {words}" if words else "")

    @property
    def failure(self) -> str:
        """The first tasks that failed, each with its word."""
        shown = "; ".join(f"{task_id}: {why}" for task_id, why in list(self.failed.items())[:5])
        return f"{len(self.failed)} of {len(self.ids)} tasks failed: {shown}"

    @property
    def result(self) -> dict[str, Any]:
        """Counters, and the tasks that failed (the first hundred)."""
        return {
            "tasks": len(self.ids),
            "accepted": self.accepted,
            "rejected": self.rejected,
            "failed": list(self.failed)[:100],
        }


@dataclass(slots=True)
class MailingWatch(Watch):
    """A run of a mailing that began at ``since`` or later, by its log (CONTRACT 5.2) and the server's clock.

    :param mailing_id: the mailing.
    :param since: RFC 3339, by the server's clock. Yesterday's ``end`` is not today's.
    """

    kind: ClassVar[str] = "mailing"
    PAGE: ClassVar[int] = 1000

    mailing_id: int
    since: str
    _from: str = field(init=False)
    _mark: tuple[datetime, bool] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if moment_of(self.since) is None:
            raise AltcraftConfigurationError(f"{self.since!r} is not a date-time with a time zone (RFC 3339).")
        self._from = self.since

    def to_dict(self) -> dict[str, Any]:
        """The mailing and the moment."""
        return {"kind": self.kind, "mailing_id": self.mailing_id, "since": self.since}

    def asks(self) -> list[Ask]:
        """The log of the mailing from the launch on."""
        params = {"id": self.mailing_id, "from_time": self._from, "limit": self.PAGE}
        return [Ask("campaigns/log_v2", params, str(self.mailing_id))]

    def hear(self, ask: Ask, reply: Reply, settings: Settings) -> None:
        """The marks in the log; where a page is full, the next round asks for what came after it."""
        log = [entry for entry in reply.data or [] if isinstance(entry, dict)]
        since = moment_of(self.since)
        mark = latest_mark(log, since) if since else None
        self._mark = max((known for known in (self._mark, mark) if known), default=None)
        times = [moment for entry in log if (moment := moment_of(entry.get("time")))]
        if len(log) >= self.PAGE and times:
            self._from = max(times).isoformat()

    @property
    def state(self) -> State:
        """Running until the last mark is an end."""
        return State.SUCCEEDED if self._mark and self._mark[1] else State.RUNNING

    @property
    def progress(self) -> str:
        """Whether the run was seen to start, and to end."""
        if self._mark is None:
            return f"mailing {self.mailing_id}: no start in its log since {self.since}"
        moment, ended = self._mark
        return f"mailing {self.mailing_id}: {'ended' if ended else 'running since'} {moment.isoformat()}"

    @property
    def failure(self) -> str:
        """A log has no word for failure."""
        return ""

    @property
    def result(self) -> dict[str, Any]:
        """When the run ended."""
        ended = self._mark is not None and self._mark[1]
        return {"finished_at": self._mark[0].isoformat() if self._mark and ended else None}


@dataclass(slots=True)
class CampaignWatch(Watch):
    """A campaign on its way to a state (CONTRACT 4.1).

    :param campaign_id: the campaign.
    :param target: the state.
    """

    kind: ClassVar[str] = "campaign"

    campaign_id: int
    target: str
    _word: str = field(init=False, default="")

    def to_dict(self) -> dict[str, Any]:
        """The campaign and the state."""
        return {"kind": self.kind, "campaign_id": self.campaign_id, "target": self.target}

    def asks(self) -> list[Ask]:
        """Its status."""
        return [Ask("scampaigns/get_status", {"id": self.campaign_id}, str(self.campaign_id))]

    def hear(self, ask: Ask, reply: Reply, settings: Settings) -> None:
        """The word of its status."""
        self._word = word(reply.data.get("status")) if isinstance(reply.data, dict) else ""

    @property
    def state(self) -> State:
        """Succeeded in the target state, failed in one that it cannot leave."""
        return campaign_state(self._word, self.target)

    @property
    def progress(self) -> str:
        """The state it is in."""
        return f"campaign {self.campaign_id}: {self._word or 'no status'}, waiting for {self.target}"

    @property
    def failure(self) -> str:
        """The state that it will not leave."""
        return f"campaign {self.campaign_id} is {self._word}, and can never become {self.target}"

    @property
    def result(self) -> dict[str, Any]:
        """The state it is in."""
        return {"campaign_id": self.campaign_id, "status": self._word}


def watch_from(values: Mapping[str, Any]) -> Watch:
    """Read what ``Watch.to_dict`` wrote, in this release or an earlier one.

    :raises AltcraftConfigurationError: for a kind nobody knows.
    """
    kinds: dict[str, type[TaskWatch] | type[MailingWatch] | type[CampaignWatch]] = {
        kind.kind: kind for kind in (TaskWatch, MailingWatch, CampaignWatch)
    }
    arguments = dict(values)
    kind = kinds.get(arguments.pop("kind", ""))
    if kind is None:
        raise AltcraftConfigurationError(f"This release cannot wait for {values.get('kind')!r}.")
    return kind(**arguments)


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
    seconds = min(poll_interval * 2**errors, max(LONGEST_PAUSE, poll_interval)) * random.uniform(0.8, 1.2)  # noqa: S311
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
