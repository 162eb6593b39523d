"""What is kept of a launch between the tries of a task, and where."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from airflow_provider_altcraft.api.states import moment_of
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.launching.identity import Launch

T = TypeVar("T")
LARGEST_PARAMS = 16_384
"""Bytes of parameters that are kept, as JSON: Airflow's store takes 64 KB."""


class Store(Protocol):
    """Where tries of one task instance leave what the next one must know."""

    def get(self, key: str, /) -> Any:
        """What was kept, or ``None``."""

    def set(self, key: str, value: Any, /) -> None:
        """Keep a JSON value."""


class Stage(StrEnum):
    """How far a launch got."""

    SENT = "sent"
    """Its request may have gone out; no answer was kept."""
    ANSWERED = "answered"
    """Altcraft did it."""
    REFUSED = "refused"
    """Altcraft did not do it."""
    FOREIGN = "foreign"
    """Altcraft remembered it before this task had ever asked: somebody else's."""


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """One launch of a task instance. Neither the token nor whom it is for is kept.

    :param request_id: the id it was last sent under.
    :param attempt: remembered answers that were passed over.
    :param endpoint: catalogue name.
    :param subject: fingerprint of what it is about.
    :param target: fingerprint of what is launched at most once.
    :param content: fingerprint of all of it.
    :param params: what may be kept of its parameters; no more than what it is about and reaches, if that is too much.
    :param is_whole: whether that is all that may be kept.
    :param hidden: fingerprint of the rest.
    :param began: RFC 3339 by the server's clock, when it was first sent; empty if it was sent before anything was kept.
    :param last: the same, when it was last sent.
    :param max_tries: of the task instance, which a clear changes.
    :param stage: how far it got.
    :param fault: whether the last answer was an error that may have come after the work.
    :param mark: where the mailing's log stood before it was first sent.
    :param data: the payload of the answer.
    :param task_id: the task that Altcraft made of it.
    """

    request_id: str
    attempt: int
    endpoint: str
    subject: str
    target: str
    content: str
    params: dict[str, Any]
    is_whole: bool
    hidden: str
    began: str
    last: str
    max_tries: int
    stage: Stage = Stage.SENT
    fault: bool = False
    mark: dict[str, Any] | None = None
    data: Any = None
    task_id: str | None = None

    @property
    def may_have_happened(self) -> bool:
        """Whether it was done, or may have been."""
        return self.stage in (Stage.SENT, Stage.ANSWERED)

    @property
    def first_sent(self) -> datetime | None:
        """When it was first sent, by the server's clock."""
        return moment_of(self.began)

    @property
    def last_sent(self) -> datetime | None:
        """When it was last sent, by the server's clock."""
        return moment_of(self.last)

    def launch(self, like: Launch) -> Launch | None:
        """The same launch again, as it was; ``None`` where not enough of it was kept.

        :param like: the launch as its arguments say it now, for what is never kept.
        """
        if not self.is_whole or self.hidden != hidden_print(like):
            return None
        undocumented = set(like.undocumented or {})
        kept = {name: value for name, value in self.params.items() if name not in undocumented}
        extra = {name: value for name, value in self.params.items() if name in undocumented} or None
        again = replace(like, params={**kept, **like.hidden}, undocumented=extra)
        return again if again.content == self.content else None


def hidden_print(launch: Launch) -> str:
    """Fingerprint of what is never kept of a launch."""
    return Launch(launch.endpoint, launch.hidden).content


def kept_params(launch: Launch) -> dict[str, Any]:
    """``params`` and ``is_whole`` of a launch's record."""
    shown = launch.shown
    if len(json.dumps(shown)) <= LARGEST_PARAMS:
        return {"params": shown, "is_whole": True}
    names = {*(launch.about or ()), *launch.reaches}
    return {"params": {name: value for name, value in shown.items() if name in names}, "is_whole": False}


class Records:
    """The launches of one task instance, in the order in which they were begun.

    :param store: keeps them.
    :param is_complete: whether the store has been there since the first try, so that what it does not hold was never
        begun.
    """

    KEY = "altcraft_launches"

    def __init__(self, store: Store, *, is_complete: bool = True) -> None:
        self._store = store
        self.is_complete = is_complete

    def all(self) -> Sequence[LaunchRecord]:
        """All of them, as they are now: a try that was given up may still run beside this one.

        :raises AltcraftConfigurationError: if they cannot be read.
        """
        return read(self._store, self.KEY, list[LaunchRecord]) or []

    def keep(self, record: LaunchRecord, *, drop: Callable[[LaunchRecord], bool] = lambda known: False) -> None:
        """Keep a launch in the place of what was kept of it before.

        :param drop: which of the others need not be kept any longer.
        """
        others = [
            known
            for known in self.all()
            if (known.endpoint, known.target) != (record.endpoint, record.target) and not drop(known)
        ]
        self._store.set(self.KEY, [asdict(known) for known in (*others, record)])


def read(store: Store, key: str, kind: type[T]) -> T | None:
    """What was kept under a key, checked.

    :raises AltcraftConfigurationError: if it is something else. Nothing is guessed from half a record.
    """
    found = store.get(key)
    if found is None:
        return None
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise AltcraftConfigurationError(
            f"What an earlier try kept of its work ({key}) cannot be read: {error}. Nothing was sent. Was it written by"
            " a later version of this package, or changed by hand? Look in Altcraft what the task has done, and start"
            " a new DAG run."
        ) from None
