"""Asking about a target until the policy says that the wait is over.

``Poller`` knows what to ask and when, and takes each answer as it comes; it neither calls nor sleeps. A worker drives
it with requests and ``sleep``, a trigger with aiohttp and the event loop, a sensor one poke at a time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftError,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftTransportError,
)
from airflow_provider_altcraft.waiting.policy import (
    ERROR_BUDGET,
    LONGEST_PAUSE,
    Cause,
    Deadlines,
    Decision,
    Verdict,
    decide,
)
from airflow_provider_altcraft.waiting.targets import Query, Target

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.client import AltcraftClient


class Poller:
    """One wait.

    :param target: what is waited for.
    :param settings: of the connection.
    :param deadlines: when the wait ends at the latest.
    :param poll_interval: seconds between two polls for one question, give or take a fifth.
    :param log: told when the progress changes, and of questions that failed.
    :param next_poll_at: seconds since the epoch before which nothing is asked.
    :param failures: how often in a row each question has failed, by its subject.
    :param clock: seconds since the epoch.
    """

    def __init__(
        self,
        target: Target,
        settings: Settings,
        deadlines: Deadlines,
        *,
        poll_interval: float,
        log: Callable[[str], None],
        next_poll_at: float | None = None,
        failures: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.target = target
        self.failures = dict(failures or {})
        self._settings = settings
        self._deadlines = deadlines
        self.poll_interval = poll_interval
        self._log = log
        self._clock = clock
        self._next_round = next_poll_at or 0.0
        self._held_until = next_poll_at or 0.0
        self._due: dict[str, float] = {}
        self._problems: dict[str, tuple[Query, AltcraftError]] = {}
        self._ended_by: AltcraftAuthenticationError | None = None
        self._told = ""
        self._is_round = True

    @property
    def is_held(self) -> bool:
        """Whether the server has asked for peace, or none may be disturbed yet."""
        return self._held_until > self._clock()

    @property
    def is_over(self) -> bool:
        """Whether the answers so far leave nothing to ask."""
        return self._ended_by is not None

    @property
    def goes_on(self) -> bool:
        """Whether an answer has a rest that is to be asked for at once."""
        return self.target.has_more and not self._problems and not self.is_held

    @property
    def held_until(self) -> float:
        """Seconds since the epoch before which nothing is asked."""
        return self._held_until

    @property
    def next_poll_at(self) -> float:
        """When there is something to ask again, in seconds since the epoch; no later than the deadline."""
        due = min((self._due_at(query) for query in self.target.queries()), default=self._next_round)
        moment = max(due, self._held_until)
        return moment if self._deadlines.first is None else min(moment, self._deadlines.first)

    def queries(self, *, at_once: bool = False) -> list[Query]:
        """The questions to ask now. None while the server wants peace; at the deadline, all that are open.

        :param at_once: those too whose next time has not come: somebody else sets the interval.
        """
        now = self._clock()
        self._problems = {}
        if self._held_until > now:
            return []
        is_last = self._deadlines.first is not None and now >= self._deadlines.first
        self._is_round = at_once or now >= self._next_round
        return [
            query
            for query in self.target.queries()
            if is_last or self._due_at(query) <= now or (at_once and query.subject not in self._due)
        ]

    def receive(self, query: Query, answer: Reply | AltcraftError) -> None:
        """Take the answer to a question, or the error that came of it."""
        if isinstance(answer, Reply):
            try:
                self.target.observe(query, answer, self._settings)
            except AltcraftError as error:
                answer = error
            else:
                self.failures.pop(query.subject, None)
                self._due.pop(query.subject, None)
                return
        self._problems[query.subject] = (query, answer)
        if isinstance(answer, AltcraftAuthenticationError):
            self._ended_by = answer
            return
        now = self._clock()
        asked_for = answer.retry_after if isinstance(answer, AltcraftRejected | AltcraftTransportError) else None
        if asked_for:
            self._held_until = max(self._held_until, now + asked_for)
        if isinstance(answer, AltcraftRateLimited):
            # Without a word of how long, as long as between any two polls.
            self._held_until = max(self._held_until, now + (asked_for or self._jittered(self.poll_interval)))
            return
        failed = self.failures[query.subject] = self.failures.get(query.subject, 0) + 1
        backoff = min(self.poll_interval * 2.0**failed, max(LONGEST_PAUSE, self.poll_interval))
        self._due[query.subject] = now + self._jittered(backoff)

    def conclude(self) -> Verdict | None:
        """What the polls came to: how the wait ended, or ``None`` if it goes on."""
        if self._ended_by is not None:
            return self._verdict(Decision.FAILED, "authentication", str(self._ended_by))
        self._tell()
        now = self._clock()
        subject = max(self.failures, key=self.failures.__getitem__, default=None)
        errors = self.failures[subject] if subject is not None else 0
        decision = decide(self.target.state, errors=errors, now=now, deadlines=self._deadlines)
        if decision is Decision.DONE:
            return self._verdict(decision)
        if decision is Decision.FAILED:
            return self._failed(subject, errors)
        if decision is Decision.TIMED_OUT:
            is_execution = self._deadlines.execution is not None and now >= self._deadlines.execution
            cause: Cause = "execution_timeout" if is_execution else "timeout"
            reason = f"The {cause} is over; Altcraft goes on with it. Last seen: {self.target.progress}."
            return self._verdict(decision, cause, reason)
        if self.target.has_more:
            self._next_round = now
        elif self._is_round:
            # A question asked by itself, since it failed, does not put off the others.
            self._next_round = now + self._jittered(self.poll_interval)
        return None

    def _due_at(self, query: Query) -> float:
        return self._due.get(query.subject, self._next_round)

    def _failed(self, subject: str | None, errors: int) -> Verdict:
        if subject is None or errors < ERROR_BUDGET:
            return self._verdict(Decision.FAILED, "job", self.target.failure)
        problem = self._problems.get(subject)
        about, said = (problem[0].about, f" Last: {problem[1]}") if problem else (subject, "")
        reason = (
            f"Altcraft could not be asked about {about} {errors} times in a row; what was waited for goes on.{said}"
        )
        return self._verdict(Decision.FAILED, "unreachable", reason)

    def _verdict(self, decision: Decision, cause: Cause = "", reason: str = "") -> Verdict:
        return Verdict(decision, cause, reason, self.target.result, self.target.outcomes)

    def _tell(self) -> None:
        """The progress, if it is news; and what failed, in one line however many did."""
        if self._problems:
            query, error = next(reversed(self._problems.values()))
            others = f" and {len(self._problems) - 1} others" if len(self._problems) > 1 else ""
            failed = self.failures.get(query.subject, 0)
            self._log(
                f"Asking Altcraft about {query.about}{others} failed ({failed} of {ERROR_BUDGET} in a row), the wait"
                f" goes on: {error}"
            )
        if self.target.progress != self._told and len(self._problems) < max(1, len(self.target.queries())):
            self._told = self.target.progress
            self._log(self._told)

    def _jittered(self, seconds: float) -> float:
        # So that many waits do not ask at one moment.
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311


def poll(poller: Poller, client: AltcraftClient, *, at_once: bool = False) -> Verdict | None:
    """Ask what there is to ask now, on a worker; how the wait ended, or ``None``.

    :param at_once: see ``Poller.queries``.
    """
    while True:
        for query in poller.queries(at_once=at_once):
            answer: Reply | AltcraftError
            try:
                # One try: errors are the policy's to judge.
                answer = client.call(query.endpoint, query.params, attempts=1, raw_result=query.raw_result)
            except AltcraftError as error:
                answer = error
            poller.receive(query, answer)
            del answer
            if poller.is_held or poller.is_over:
                break
        verdict = poller.conclude()
        if verdict is not None or not poller.goes_on:
            return verdict


def wait(
    poller: Poller,
    client: AltcraftClient,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> Verdict:
    """Poll on a worker until the wait has ended."""
    while (verdict := poll(poller, client)) is None:
        sleep(max(0.0, poller.next_poll_at - clock()))
    return verdict
