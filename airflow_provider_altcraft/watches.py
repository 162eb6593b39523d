"""What can be waited for: tasks, a run of a mailing, a campaign. Each knows what to ask and how to hear the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from airflow_provider_altcraft.api.protocol import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import State, campaign_state, latest_mark, moment_of, task_state, word
from airflow_provider_altcraft.delivery.answers import read_task_result
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to Altcraft."""

    endpoint: str
    params: Mapping[str, Any]
    subject: str


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
