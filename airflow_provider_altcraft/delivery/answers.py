"""What Altcraft says of each row of a batch, in the synchronous answers and in the results of tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from airflow_provider_altcraft.exceptions import AltcraftTransportError

NO_PROFILE = "Altcraft named no profile for this row"


class _Item(msgspec.Struct, gc=False):
    """An answer to one row, as far as counting needs it."""

    profile_id: Any = None
    error: Any = None


_ITEMS = msgspec.json.Decoder(list[_Item])


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row that Altcraft did not take.

    :param position: its place in the batch, from 0.
    :param code: ``error`` of the item, or of whatever refused the batch it was in.
    :param text: why. May hold personal data: for the rejects file, never for a log.
    """

    position: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of a batch. ``accepted + len(refusals) + unaccounted`` is its size.

    :param unaccounted: rows that the answer says nothing about, or too much.
    :param itemised: whether the answer spoke of each row, or of the batch as a whole.
    """

    accepted: int
    refusals: Sequence[Refusal] = ()
    unaccounted: int = 0
    itemised: bool = True


Read = Callable[[Any, int], BatchAnswer]
"""Reads the answer to a batch of so many rows."""


def read_items(items: Any, sent: int, *, names_profiles: bool = True) -> BatchAnswer:
    """Read the per-item answers of a batch (CONTRACT 1.3, 2.1).

    An answer without a list speaks of the batch as a whole: it was a success, so every row was taken. A list of
    another length than the batch cannot be laid against it: then no row is accounted for.

    :param items: the list, one entry per row in the order sent; an entry is an object or a bare id.
    :param sent: rows in the batch.
    :param names_profiles: whether an item that was taken names its profile; then one that names none was not.
    """
    if not isinstance(items, list):
        return BatchAnswer(accepted=sent, itemised=False)
    if len(items) != sent:
        return BatchAnswer(accepted=0, unaccounted=sent)
    if _all_were_taken(items):
        return BatchAnswer(accepted=sent)
    found = (_refusal(position, item, names_profiles) for position, item in enumerate(items))
    refusals = [refusal for refusal in found if refusal is not None]
    return BatchAnswer(accepted=sent - len(refusals), refusals=refusals)


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What the result of a finished task said of its rows, as numbers: it may travel with a trigger and be logged.

    :param failure: why the task failed; empty if it did not.
    :param error: the code that refused its rows as a whole; 0 if none did.
    :param items: how many answers there were, one for each row; ``None`` if it spoke of the batch as a whole.
    :param refused: of these, how many said no, by code.
    :param is_bare: whether an answer was no more than an id.
    :param is_kept: whether the rows that were refused have been kept, with their reasons.
    """

    failure: str = ""
    error: int = 0
    items: int | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    is_bare: bool = False
    is_kept: bool = False

    @property
    def accepted(self) -> int:
        """Rows that it says were taken."""
        return 0 if self.error else (self.items or 0) - sum(self.refused.values())

    @property
    def rejected(self) -> int:
        """Rows that it says were not."""
        return self.items or 0 if self.error else sum(self.refused.values())

    @property
    def has_reasons(self) -> bool:
        """Whether the result says why rows were refused, which is not known here."""
        return bool(self.error or self.refused)

    def against(self, sent: int, read: Read) -> BatchAnswer:
        """What it means for a batch of so many rows. Which rows were refused, and their texts, are not known here."""
        refusals = [Refusal(0, int(code), "") for code, times in self.refused.items() for _ in range(times)]
        return _against(self, "", refusals, sent, read)

    def to_dict(self) -> dict[str, Any]:
        """As JSON, small; ``from_dict`` reads it back."""
        return {
            name: value
            for name in ("failure", "error", "items", "refused", "is_bare", "is_kept")
            if (value := getattr(self, name)) or (value == 0 and name == "items")
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TaskOutcome:
        """Read what ``to_dict`` wrote."""
        return cls(**values)


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """The result of a finished task (CONTRACT 2.1), read row by row.

    :param error: the code that refused its rows as a whole; 0 if none did.
    :param text: why. May hold personal data.
    :param items: how many answers there were; ``None`` if it spoke of the batch as a whole.
    :param refusals: the rows that were refused.
    :param is_bare: whether an answer is no more than an id.
    """

    error: int = 0
    text: str = ""
    items: int | None = None
    refusals: Sequence[Refusal] = ()
    is_bare: bool = False

    def outcome(self, *, failure: str = "", is_kept: bool = False) -> TaskOutcome:
        """The same, as numbers."""
        refused = Counter(str(refusal.code) for refusal in self.refusals)
        return TaskOutcome(failure, self.error, self.items, dict(refused), self.is_bare, is_kept)

    def against(self, sent: int, read: Read) -> BatchAnswer:
        """What it means for a batch of so many rows."""
        return _against(self, self.text, self.refusals, sent, read)


def _against(
    task: TaskAnswer | TaskOutcome, text: str, refusals: Sequence[Refusal], sent: int, read: Read
) -> BatchAnswer:
    if task.error:
        return refused_batch(task.error, text, sent)
    if task.items == sent:
        return BatchAnswer(accepted=sent - len(refusals), refusals=refusals)
    # What another number of answers means is the destination's to say: an answer that counts the same will do.
    item: Any = "id" if task.is_bare else {"profile_id": "id", "error": 0}
    return read(None if task.items is None else [item] * task.items, sent)


def read_task_answer(result: Any) -> TaskAnswer:
    """Read ``data.result`` of a finished import task: an envelope of its own around the items (CONTRACT 2.1).

    :param result: as ``msgspec.Raw``, it is decoded no further than counting needs; or decoded already.
    :raises AltcraftTransportError: if it is not JSON.
    """
    if not isinstance(result, msgspec.Raw):
        return _task_answer(result)
    try:
        return _raw_task_answer(memoryview(result))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AltcraftTransportError("tasks/status: the result of the task is not JSON.") from None


def decoded(result: Any) -> Any:
    """The result of a task as Python has it."""
    return msgspec.json.decode(result) if isinstance(result, msgspec.Raw) else result


def _raw_task_answer(raw: memoryview) -> TaskAnswer:
    items = raw
    if bytes(raw[:1]) == b"{":
        parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        envelope = {name: msgspec.json.decode(parts[name]) for name in ("error", "error_text") if name in parts}
        if _code(envelope.get("error")):
            inner = parts.get("result")
            return _task_answer({**envelope, "result": None if inner is None else msgspec.json.decode(inner)})
        if "result" not in parts:
            return TaskAnswer()
        items = memoryview(parts["result"])
    count = _taken(items)
    return _task_answer(msgspec.json.decode(items)) if count is None else TaskAnswer(items=count)


def _taken(raw: memoryview) -> int | None:
    """How many items there are, if each names a profile and no error, as nearly always; else ``None``."""
    try:
        items = _ITEMS.decode(raw)
    except msgspec.ValidationError:
        return None
    return len(items) if all(item.profile_id and not item.error for item in items) else None


def _task_answer(result: Any) -> TaskAnswer:
    envelope = result if isinstance(result, dict) else {"result": result}
    items = envelope.get("result")
    count = len(items) if isinstance(items, list) else None
    code = _code(envelope.get("error"))
    if code:
        return TaskAnswer(error=code, text=str(envelope.get("error_text") or ""), items=count)
    if not isinstance(items, list):
        return TaskAnswer()
    is_bare = bool(items) and all(isinstance(item, str) for item in items)
    return TaskAnswer(items=count, refusals=tuple(read_items(items, len(items)).refusals), is_bare=is_bare)


def refused_batch(code: int, text: str, sent: int) -> BatchAnswer:
    """A batch of which no row was taken, all for one reason."""
    return BatchAnswer(accepted=0, refusals=[Refusal(position, code, text) for position in range(sent)])


def read_counters(answer: Any, sent: int, *names: str) -> BatchAnswer:
    """Read an answer that only counts: rows that no counter covers were not taken, and nobody says which.

    :param names: the counters of rows that were taken.
    """
    counted = [answer[name] for name in names if name in answer] if isinstance(answer, dict) else []
    taken = sum(number for number in counted if isinstance(number, int))
    open_rows = max(0, sent - taken) if counted else 0
    return BatchAnswer(accepted=sent - open_rows, unaccounted=open_rows, itemised=False)


def _all_were_taken(items: list[Any]) -> bool:
    """Whether each item names a profile and an error of 0, as nearly always: much faster than one by one."""
    try:
        return all(map(_PROFILE_ID, items)) and not any(map(_ERROR, items))
    except (KeyError, TypeError):
        return False


_PROFILE_ID, _ERROR = itemgetter("profile_id"), itemgetter("error")


def _refusal(position: int, item: Any, names_profiles: bool) -> Refusal | None:
    if not isinstance(item, dict):
        return None if item or not names_profiles else Refusal(position, 0, NO_PROFILE)
    code = _code(item.get("error"))
    text = str(item.get("error_text") or "")
    if code:
        return Refusal(position, code, text)
    if not names_profiles:
        return None
    # How a failed entry looks is documented for some methods only; one without error and without profile failed.
    if item.get("profile_id") or ("error" in item and "profile_id" not in item):
        return None
    return Refusal(position, 0, text or NO_PROFILE)


def _code(value: Any) -> int:
    """An error code, loosely typed (CONTRACT 1.7); a word in its place is an error too."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return -1
