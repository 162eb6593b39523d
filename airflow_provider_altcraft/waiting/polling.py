"""Poll Altcraft about a target until the policy says that the wait is over.

``Poller`` knows what to query and when, and takes each answer as it comes; it neither calls nor sleeps. A worker drives
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
    Deadlines,
    Decision,
    FailureCause,
    Verdict,
    decide,
)
from airflow_provider_altcraft.waiting.targets import Query, Target

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.client import AltcraftClient


class Poller:
    """One wait.

    :param target: what to wait for.
    :param settings: of the connection.
    :param deadlines: when the wait ends at the latest.
    :param poll_interval: seconds between polls, ±20%.
    :param log: called when the progress changes and when queries fail.
    :param next_poll_at: time of the first poll, in seconds since the epoch.
    :param failures: consecutive failures of each query so far, by its subject.
    :param clock: returns seconds since the epoch.
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
        # Queries are polled together, except those that failed: each of these is due at a time of its own.
        self._next_poll = next_poll_at or 0.0
        self._held_until = next_poll_at or 0.0
        self._retry_at: dict[str, float] = {}
        self._problems: dict[str, tuple[Query, AltcraftError]] = {}
        self._ended_by: AltcraftAuthenticationError | None = None
        self._logged = ""
        self._is_full_poll = True

    @property
    def is_held(self) -> bool:
        """Whether all queries must wait, because the server said so or the first poll is not yet due."""
        return self._held_until > self._clock()

    @property
    def is_over(self) -> bool:
        """Whether the wait has ended before all queries are answered."""
        return self._ended_by is not None

    @property
    def goes_on(self) -> bool:
        """Whether an answer has further pages to fetch at once."""
        return self.target.has_more and not self._problems and not self.is_held

    @property
    def held_until(self) -> float:
        """Seconds since the epoch before which nothing is queried."""
        return self._held_until

    @property
    def next_poll_at(self) -> float:
        """When to poll again, in seconds since the epoch; no later than the deadline."""
        due = min((self._due_at(query) for query in self.target.queries()), default=self._next_poll)
        moment = max(due, self._held_until)
        # Wake up at the deadline even if held: somebody must notice that the time is over.
        return moment if self._deadlines.first is None else min(moment, self._deadlines.first)

    def queries(self, *, at_once: bool = False) -> list[Query]:
        """The queries to make now: none while held; at the deadline, all that are open.

        :param at_once: also those that are not yet due, since the caller sets the interval; not those that failed.
        """
        now = self._clock()
        self._problems = {}
        if self._held_until > now:
            return []
        # One last poll at the deadline: what has ended since the previous one should not count as timed out.
        is_last = self._deadlines.first is not None and now >= self._deadlines.first
        self._is_full_poll = at_once or now >= self._next_poll
        return [
            query
            for query in self.target.queries()
            if is_last or self._due_at(query) <= now or (at_once and query.subject not in self._retry_at)
        ]

    def receive(self, query: Query, answer: Reply | AltcraftError) -> None:
        """Take the answer to a query, or its error."""
        if isinstance(answer, Reply):
            try:
                self.target.observe(query, answer, self._settings)
            except AltcraftError as error:
                answer = error
            else:
                self.failures.pop(query.subject, None)
                self._retry_at.pop(query.subject, None)
                return
        self._problems[query.subject] = (query, answer)
        if isinstance(answer, AltcraftAuthenticationError):
            self._ended_by = answer
            return
        now = self._clock()
        retry_after = answer.retry_after if isinstance(answer, AltcraftRejected | AltcraftTransportError) else None
        if retry_after:
            self._held_until = max(self._held_until, now + retry_after)
        if isinstance(answer, AltcraftRateLimited):
            # Not a failure: it does not count towards the error budget. Without Retry-After, wait a poll interval.
            self._held_until = max(self._held_until, now + (retry_after or self._jittered(self.poll_interval)))
            return
        failed = self.failures[query.subject] = self.failures.get(query.subject, 0) + 1
        backoff = min(self.poll_interval * 2.0**failed, max(LONGEST_PAUSE, self.poll_interval))
        self._retry_at[query.subject] = now + self._jittered(backoff)

    def conclude(self) -> Verdict | None:
        """Conclude a poll: how the wait ended, or ``None`` if it goes on."""
        if self._ended_by is not None:
            return self._verdict(Decision.FAILED, "authentication", str(self._ended_by))
        self._log_progress()
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
            cause: FailureCause = "execution_timeout" if is_execution else "timeout"
            reason = f"The {cause} has passed; Altcraft keeps working. Last seen: {self.target.progress}."
            return self._verdict(decision, cause, reason)
        if self.target.has_more:
            self._next_poll = now
        elif self._is_full_poll:
            # Retrying a failed query on its own does not postpone the others.
            self._next_poll = now + self._jittered(self.poll_interval)
        return None

    def _due_at(self, query: Query) -> float:
        return self._retry_at.get(query.subject, self._next_poll)

    def _failed(self, subject: str | None, errors: int) -> Verdict:
        if subject is None or errors < ERROR_BUDGET:
            return self._verdict(Decision.FAILED, "job", self.target.failure)
        problem = self._problems.get(subject)
        about, last = (problem[0].about, f" Last error: {problem[1]}") if problem else (subject, "")
        reason = f"Polling Altcraft about {about} failed {errors} times in a row; Altcraft keeps working.{last}"
        return self._verdict(Decision.FAILED, "unreachable", reason)

    def _verdict(self, decision: Decision, cause: FailureCause = "", reason: str = "") -> Verdict:
        return Verdict(decision, cause, reason, self.target.result, self.target.outcomes)

    def _log_progress(self) -> None:
        """Log the progress if it has changed; and failures, in one line however many there are."""
        if self._problems:
            query, error = next(reversed(self._problems.values()))
            others = f" and {len(self._problems) - 1} others" if len(self._problems) > 1 else ""
            failed = self.failures.get(query.subject, 0)
            self._log(
                f"Polling Altcraft about {query.about}{others} failed ({failed} of {ERROR_BUDGET} in a row), the wait"
                f" goes on: {error}"
            )
        if self.target.progress != self._logged and len(self._problems) < max(1, len(self.target.queries())):
            self._logged = self.target.progress
            self._log(self._logged)

    def _jittered(self, seconds: float) -> float:
        # Keeps many waits from polling at the same moment.
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311


def poll(poller: Poller, client: AltcraftClient, *, at_once: bool = False) -> Verdict | None:
    """Make the queries that are due, on a worker. Returns how the wait ended, or ``None``.

    :param at_once: see ``Poller.queries``.
    """
    while True:
        for query in poller.queries(at_once=at_once):
            answer: Reply | AltcraftError
            try:
                # A single attempt: the policy judges errors.
                answer = client.call(query.endpoint, query.params, attempts=1, raw_result=query.raw_result)
            except AltcraftError as error:
                answer = error
            poller.receive(query, answer)
            # Free a large answer before the next query.
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
