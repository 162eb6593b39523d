"""What can be waited for: tasks, a run of a mailing, a campaign. Each knows what to query and reads the answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from airflow_provider_altcraft.api.mailing_log import (
    LATE_ENTRIES,
    LOG,
    LOOKBACK,
    PAGE_OVERLAP,
    LogMark,
    LogPaginator,
    RunEvent,
    run_event,
)
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import State, campaign_state, moment_of, normalize_status, task_state
from airflow_provider_altcraft.delivery.answers import TaskAnswer, TaskOutcome, decoded, read_task_answer
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.waiting.runs import RunsBefore, RunState, run_state, runs_after


@dataclass(frozen=True, slots=True)
class Query:
    """An API call that polls Altcraft.

    :param endpoint: catalogue name.
    :param params: of the call.
    :param subject: identifies what it is about within its target.
    :param about: the same, for logs and errors.
    :param raw_result: whether to leave the result in the answer undecoded, as it may be large.
    """

    endpoint: str
    params: Mapping[str, Any]
    subject: str
    about: str
    raw_result: bool = False


class Target(ABC):
    """Something to wait for. ``to_dict`` travels with a trigger: only ids, numbers, words and times."""

    kind: ClassVar[str]

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The target as JSON, with what is known about it; ``target_from`` reads it back."""

    @abstractmethod
    def queries(self) -> list[Query]:
        """The queries still to be answered."""

    @abstractmethod
    def observe(self, query: Query, reply: Reply, settings: Settings) -> None:
        """Read an answer.

        :raises AltcraftError: if it cannot be read; the query then counts as failed.
        """

    @property
    @abstractmethod
    def state(self) -> State:
        """Its state, from everything observed so far."""

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

    @property
    def outcomes(self) -> dict[str, Any]:
        """For tasks, what each reported about its rows, as numbers."""
        return {}

    @property
    def has_more(self) -> bool:
        """Whether the answer has further pages to fetch at once."""
        return False


@dataclass(slots=True)
class TaskTarget(Target):
    """Server-side tasks, one or a thousand (CONTRACT 2.1). Ends when the last of them does.

    The result of a finished task is read once and kept as numbers, however many rows it covers.

    :param ids: ids of the tasks.
    :param ended: outcomes of the tasks that ended in earlier polls, by id, as from ``TaskOutcome.to_dict``.
    :param on_rejects: called with the id and answer of a finished task that rejected rows. Returns whether it has kept
        them. Does not travel with a trigger.
    :param keeps_results: whether to collect the raw results in ``results``. Does not travel with a trigger either.
    """

    kind: ClassVar[str] = "tasks"

    ids: Sequence[str]
    ended: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on_rejects: Callable[[str, TaskAnswer], bool] | None = field(default=None, compare=False, repr=False)
    keeps_results: bool = field(default=False, compare=False)
    results: dict[str, Any] = field(init=False, compare=False, repr=False, default_factory=dict)
    _outcomes: dict[str, TaskOutcome] = field(init=False)
    _open: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._outcomes = {task_id: TaskOutcome.from_dict(outcome) for task_id, outcome in self.ended.items()}
        self._open = {task_id: "not polled yet" for task_id in self.ids if task_id not in self._outcomes}

    def to_dict(self) -> dict[str, Any]:
        """The ids, and the outcomes of the tasks that have ended."""
        ended = {"ended": self.outcomes} if self._outcomes else {}
        return {"kind": self.kind, "ids": list(self.ids), **ended}

    def queries(self) -> list[Query]:
        """One query for each task not known to have ended."""
        return [
            Query("tasks/status", {"task_id": task_id}, task_id, f"task {task_id}", raw_result=True)
            for task_id in self._open
        ]

    def observe(self, query: Query, reply: Reply, settings: Settings) -> None:
        """Read the status of one task, and what its result says about its rows."""
        data, task_id = _data(reply), query.subject
        if task_state(data.get("status"), settings) is State.RUNNING:
            self._open[task_id] = f"{normalize_status(data.get('status')) or 'no status'} {data.get('progress') or 0}%"
            return
        answer, outcome = ended(reply, settings)
        if self.keeps_results:
            self.results[task_id] = decoded(data.get("result"))
        if outcome.has_reasons and self.on_rejects is not None and self.on_rejects(task_id, answer):
            outcome = replace(outcome, is_kept=True)
        self._open.pop(task_id, None)
        self._outcomes[task_id] = outcome

    @property
    def state(self) -> State:
        """Running while any task is; failed if any of them failed."""
        if self._open:
            return State.RUNNING
        return State.FAILED if self._failed else State.SUCCEEDED

    @property
    def progress(self) -> str:
        """How many tasks have ended, and the statuses of the others."""
        words = ", ".join(sorted(set(self._open.values()))[:5])
        return f"{len(self._outcomes)} of {len(self.ids)} tasks ended" + (f"; the others: {words}" if words else "")

    @property
    def failure(self) -> str:
        """The first failed tasks, each with its status."""
        failed = self._failed
        shown = "; ".join(f"{task_id}: {why}" for task_id, why in list(failed.items())[:5])
        return f"{len(failed)} of {len(self.ids)} tasks failed: {shown}"

    @property
    def result(self) -> dict[str, Any]:
        """Counters, and the first hundred failed tasks."""
        return {
            "tasks": len(self.ids),
            "accepted": sum(outcome.accepted for outcome in self._outcomes.values()),
            "rejected": sum(outcome.rejected for outcome in self._outcomes.values()),
            "failed": list(self._failed)[:100],
        }

    @property
    def outcomes(self) -> dict[str, Any]:
        """What each task reported about its rows, as numbers."""
        return {task_id: outcome.to_dict() for task_id, outcome in self._outcomes.items()}

    @property
    def _failed(self) -> dict[str, str]:
        return {task_id: outcome.failure for task_id, outcome in self._outcomes.items() if outcome.failure}


def ended(reply: Reply, settings: Settings) -> tuple[TaskAnswer, TaskOutcome]:
    """What a finished task reports about its rows, in full and as numbers.

    :param reply: of ``tasks/status``.
    """
    data = _data(reply)
    answer = read_task_answer(data.get("result"))
    failure = f"error {answer.error} in its result" if answer.error else ""
    if task_state(data.get("status"), settings) is not State.SUCCEEDED:
        failure = f"status {normalize_status(data.get('status'))}"
    return answer, answer.outcome(failure=failure)


def _data(reply: Reply) -> Mapping[str, Any]:
    return reply.data if isinstance(reply.data, dict) else {}


@dataclass(slots=True)
class MailingTarget(Target):
    """A run of a mailing, according to its log (CONTRACT 5.2); see ``waiting.runs``.

    :param mailing_id: the mailing.
    :param since: RFC 3339, by the server's clock. Without a mark, runs that started before it are ignored.
    :param mark: the position in the log before our launch, as from ``LogMark.to_dict``: then no clocks are compared.
    :param accept_errors: whether a run whose end is logged at level ERROR still counts as a success.
    :param log: how far the log has been read, and what it said until there, as from ``to_dict``.
    """

    kind: ClassVar[str] = "mailing"

    mailing_id: int
    since: str
    mark: Mapping[str, Any] | None = None
    accept_errors: bool = False
    log: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    _since: datetime = field(init=False, compare=False)
    _mark: LogMark | None = field(init=False, compare=False)
    _read_from: datetime = field(init=False, compare=False)
    _before: RunsBefore = field(init=False, compare=False)
    _log: LogPaginator = field(init=False, compare=False)
    _events: list[RunEvent] = field(init=False, compare=False, default_factory=list)
    _run: RunState = field(init=False, compare=False, default_factory=RunState)
    _is_read: bool = field(init=False, compare=False, default=False)

    def __post_init__(self) -> None:
        since = moment_of(self.since)
        if since is None:
            raise AltcraftConfigurationError(f"{self.since!r} is not a date-time with a time zone (RFC 3339).")
        self._since = since
        self._mark = LogMark.from_dict(self.mark) if self.mark else None
        self._before = RunsBefore.from_dict(self.log) if self.log else RunsBefore.of(self._mark)
        read_from = moment_of(self.log["read_from"]) if self.log else None
        if read_from is None and self._mark is not None:
            read_from = moment_of(self._mark.read_from)
        self._read_from = read_from or since - LOOKBACK
        # It is not documented whether from_time is inclusive: ask from a little earlier.
        params = {"id": self.mailing_id, "from_time": (self._read_from - PAGE_OVERLAP).isoformat()}
        self._log = LogPaginator(params, is_lenient=True, overlap=LATE_ENTRIES)

    def to_dict(self) -> dict[str, Any]:
        """The mailing, how to recognise its run, and how far the log has been read."""
        values: dict[str, Any] = {"kind": self.kind, "mailing_id": self.mailing_id, "since": self.since}
        if self.mark:
            values["mark"] = dict(self.mark)
        if self.accept_errors:
            values["accept_errors"] = True
        if self._is_read:
            values["log"] = self._read_so_far()
        elif self.log:
            values["log"] = dict(self.log)
        return values

    def _read_so_far(self) -> dict[str, Any]:
        """The position to continue reading the log from, and a summary of what came before."""
        read_from = max(self._read_from, self._log.position or self._read_from)
        done = [event for event in self._events if event.moment < read_from]
        before = runs_after(done, self._since, self._mark, self._before)
        return {"read_from": read_from.isoformat(), **before.to_dict()}

    def queries(self) -> list[Query]:
        """The next page of its log."""
        return [Query(LOG, self._log.params, str(self.mailing_id), f"mailing {self.mailing_id}")]

    def observe(self, query: Query, reply: Reply, settings: Settings) -> None:
        """Read the starts and ends in the log."""
        found = [event for entry in self._log.take(reply) if (event := run_event(entry)) is not None]
        if found and found[0].moment > found[-1].moment:
            found.reverse()
        self._events += [event for event in found if event.moment >= self._read_from]
        self._is_read = True
        self._run = run_state(self._events, self._since, self._mark, reply.server_time, self._before)

    @property
    def has_more(self) -> bool:
        """Whether the log continues after the page that was read."""
        return self._is_read and self._log.has_more

    @property
    def state(self) -> State:
        """Running until our run and all overlapping ones are over."""
        if self._log.has_more or self._log.is_behind or not self._run.is_over:
            return State.RUNNING
        return State.FAILED if self._run.is_error and not self.accept_errors else State.SUCCEEDED

    @property
    def progress(self) -> str:
        """Whether the run has started, and ended."""
        run, name = self._run, f"mailing {self.mailing_id}"
        if run.started is None:
            return f"{name}: no start in its log since {self.since}"
        if run.is_over and run.finished is not None:
            with_error = " with an ERROR in its log" if run.is_error else ""
            return f"{name}: ended {run.finished.isoformat()}{with_error}"
        waiting = f"; no end yet of the run that started {run.open[0].isoformat()}" if run.finished and run.open else ""
        return f"{name}: running since {run.started.isoformat()}{waiting}"

    @property
    def failure(self) -> str:
        """The run ended in an error."""
        ended = self._run.finished.isoformat() if self._run.finished else ""
        return (
            f"The run of mailing {self.mailing_id} ended at {ended} with an ERROR in its log. Check in Altcraft how"
            " many recipients it reached. To accept such an end as a success, set accept_errors=True"
        )

    @property
    def result(self) -> dict[str, Any]:
        """When the run ended, and whether in an error."""
        over = self._run.is_over and self._run.finished is not None
        finished = self._run.finished.isoformat() if self._run.finished and over else None
        return {"finished_at": finished, "ended_in_error": over and self._run.is_error}


@dataclass(slots=True)
class CampaignTarget(Target):
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

    def queries(self) -> list[Query]:
        """Its status."""
        params = {"id": self.campaign_id}
        return [Query("scampaigns/get_status", params, str(self.campaign_id), f"campaign {self.campaign_id}")]

    def observe(self, query: Query, reply: Reply, settings: Settings) -> None:
        """Read its status."""
        self._word = normalize_status(reply.data.get("status")) if isinstance(reply.data, dict) else ""

    @property
    def state(self) -> State:
        """Succeeded in the target state, failed in another that it can never leave."""
        return campaign_state(self._word, self.target)

    @property
    def progress(self) -> str:
        """The state it is in."""
        return f"campaign {self.campaign_id}: {self._word or 'no status'}, waiting for {self.target}"

    @property
    def failure(self) -> str:
        """The state that it can never leave."""
        return f"campaign {self.campaign_id} is {self._word}, and can never become {self.target}"

    @property
    def result(self) -> dict[str, Any]:
        """The state it is in."""
        return {"campaign_id": self.campaign_id, "status": self._word}


def target_from(values: Mapping[str, Any]) -> Target:
    """Read what ``Target.to_dict`` wrote, in this release or an earlier one.

    :raises AltcraftConfigurationError: for an unknown kind.
    """
    kinds: dict[str, type[TaskTarget] | type[MailingTarget] | type[CampaignTarget]] = {
        kind.kind: kind for kind in (TaskTarget, MailingTarget, CampaignTarget)
    }
    arguments = dict(values)
    kind = kinds.get(arguments.pop("kind", ""))
    if kind is None:
        raise AltcraftConfigurationError(f"This release of the provider cannot wait for {values.get('kind')!r}.")
    return kind(**arguments)
