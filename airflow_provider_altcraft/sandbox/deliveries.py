"""Who was sent what, and how often: tests judge by it whether a mailing was sent once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Launch:
    """One launch of a mailing.

    :param number: from 1, over all mailings.
    :param mailing_id: the mailing.
    :param kind: ``broadcast``, ``regular`` or ``trigger``.
    :param at: when, by the sandbox's clock.
    :param request_id: the Request-ID that caused it.
    :param profile_ids: whom it goes to, in the order of sending.
    """

    number: int
    mailing_id: int
    kind: str
    at: datetime
    request_id: str | None
    profile_ids: list[str] = field(default_factory=list, repr=False)

    @property
    def recipients(self) -> int:
        """The number of its messages."""
        return len(self.profile_ids)

    def report(self) -> dict[str, Any]:
        """As JSON, with the number of recipients only."""
        return {name: getattr(self, name) for name in ("mailing_id", "kind", "at", "recipients", "request_id")}


@dataclass(slots=True)
class Deliveries:
    """Every message sent, and every profile that entered a scenario.

    All messages of a launch count from its start; ``truncate`` takes back those that were never sent.
    """

    _launches: list[Launch] = field(default_factory=list)
    _sent: Counter[tuple[int, str]] = field(default_factory=Counter)
    _entries: Counter[tuple[int, str]] = field(default_factory=Counter)
    _hook_data: dict[tuple[str, int, str], list[Any]] = field(default_factory=dict, repr=False)

    def launch(
        self, mailing_id: int, kind: str, at: datetime, request_id: str | None, profile_ids: Iterable[str]
    ) -> Launch:
        """Note that a mailing was launched."""
        launch = Launch(len(self._launches) + 1, mailing_id, kind, at, request_id, list(profile_ids))
        self._launches.append(launch)
        self._sent.update((mailing_id, profile_id) for profile_id in launch.profile_ids)
        return launch

    def truncate(self, launch: Launch, sent: int) -> None:
        """Note that a launch was stopped after ``sent`` messages."""
        for profile_id in launch.profile_ids[sent:]:
            self._sent[launch.mailing_id, profile_id] -= 1
        del launch.profile_ids[sent:]

    def enter(self, workflow_id: int, profile_ids: Iterable[str]) -> None:
        """Note that profiles entered a scenario."""
        self._entries.update((workflow_id, profile_id) for profile_id in profile_ids)

    def note_hook_data(self, kind: str, started_id: int, data: Mapping[str, Any]) -> None:
        """Note data for action hooks.

        :param kind: ``scenario`` or ``trigger``.
        :param started_id: the id of the scenario or mailing.
        :param data: the ``custom_data`` by profile; ``None`` where there is none.
        """
        for profile_id, one in data.items():
            if one is not None:
                self._hook_data.setdefault((kind, started_id, profile_id), []).append(one)

    def hook_data(self, kind: str, started_id: int, profile_id: str) -> list[Any]:
        """The ``custom_data`` that came for a profile, each time it was sent a trigger mailing or into a scenario.

        :param kind: ``scenario`` or ``trigger``.
        """
        return list(self._hook_data.get((kind, started_id, profile_id), ()))

    def launches(self, mailing_id: int | None = None) -> list[Launch]:
        """The launches of one mailing, or all."""
        return [launch for launch in self._launches if mailing_id in (None, launch.mailing_id)]

    @property
    def total_launches(self) -> int:
        """The number of launches of all mailings."""
        return len(self._launches)

    def count(self, mailing_id: int) -> int:
        """The number of messages of a mailing."""
        return sum(launch.recipients for launch in self.launches(mailing_id))

    def message_ids(self, mailing_id: int) -> dict[str, str]:
        """The profile by the id of the message it was sent, the ``smid`` of ``profiles/message_unsub``."""
        return {
            f"{launch.number}-{profile_id}": profile_id
            for launch in self.launches(mailing_id)
            for profile_id in launch.profile_ids
        }

    def recipient(self, message_id: str) -> str | None:
        """The profile that was sent a message."""
        number, _, profile_id = message_id.partition("-")
        launch = next((launch for launch in self._launches if str(launch.number) == number), None)
        return profile_id if launch is not None and profile_id in launch.profile_ids else None

    def times_sent(self, mailing_id: int, profile_id: str) -> int:
        """How often a profile was sent a mailing."""
        return self._sent[mailing_id, profile_id]

    def report(self) -> dict[str, Any]:
        """Everything as JSON: the launches, and how often each profile was sent each mailing and entered each scenario.

        The keys are ``<mailing>/<profile>`` and ``<scenario>/<profile>``; of the data for action hooks,
        ``scenario/<scenario>/<profile>`` and ``trigger/<mailing>/<profile>``.
        """
        return {
            "launches": [launch.report() for launch in self._launches],
            "sent": {f"{mailing}/{profile}": times for (mailing, profile), times in self._sent.items() if times},
            "entries": {f"{scenario}/{profile}": times for (scenario, profile), times in self._entries.items()},
            "hook_data": {
                f"{kind}/{started_id}/{profile}": data for (kind, started_id, profile), data in self._hook_data.items()
            },
        }

    def scenario_entries(self, workflow_id: int) -> int:
        """The number of entries into a scenario; a profile that entered twice counts twice."""
        return sum(times for (scenario, _), times in self._entries.items() if scenario == workflow_id)

    def entries_of(self, workflow_id: int, profile_id: str) -> int:
        """How often a profile entered a scenario."""
        return self._entries[workflow_id, profile_id]
