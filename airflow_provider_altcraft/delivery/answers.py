"""What Altcraft reports about each row of a batch, in synchronous answers and in the results of tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from airflow_provider_altcraft.exceptions import AltcraftTransportError

NO_PROFILE = "Altcraft named no profile for this row"


class _ItemAnswer(msgspec.Struct, gc=False):
    """The answer for one row, as far as counting needs it."""

    profile_id: Any = None
    error: Any = None


_ITEMS = msgspec.json.Decoder(list[_ItemAnswer])


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that Altcraft did not accept.

    :param position: its index in the batch.
    :param code: ``error`` of the item, or of the answer that rejected the whole batch.
    :param text: the reason. May hold personal data: for the rejects file, never for a log.
    """

    position: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of a batch. ``accepted + len(rejects) + unaccounted`` is its size.

    :param unaccounted: rows that the answer does not account for.
    :param itemised: whether the answer reports on each row, or only on the batch as a whole.
    """

    accepted: int
    rejects: Sequence[Reject] = ()
    unaccounted: int = 0
    itemised: bool = True


AnswerReader = Callable[[Any, int], BatchAnswer]
"""Reads the answer to a batch, given its number of rows."""


def read_items(items: Any, sent: int, *, names_profiles: bool = True) -> BatchAnswer:
    """Read the per-item answers of a batch (CONTRACT 1.3, 2.1).

    An answer without a list is about the batch as a whole: it succeeded, so every row was accepted. A list of another
    length than the batch cannot be matched with it, so no row is accounted for.

    :param items: the list, one entry per row in the order sent; an entry is an object or a bare id.
    :param sent: rows in the batch.
    :param names_profiles: whether the item of an accepted row names its profile; an item without one is then a reject.
    """
    if not isinstance(items, list):
        return BatchAnswer(accepted=sent, itemised=False)
    if len(items) != sent:
        return BatchAnswer(accepted=0, unaccounted=sent)
    if _all_were_accepted(items):
        return BatchAnswer(accepted=sent)
    found = (_reject_of(position, item, names_profiles) for position, item in enumerate(items))
    rejects = [reject for reject in found if reject is not None]
    return BatchAnswer(accepted=sent - len(rejects), rejects=rejects)


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What the result of a finished task reports about its rows, as numbers: it travels with triggers and is logged.

    :param failure: why the task failed; empty if it did not.
    :param error: the code that rejected its rows as a whole; 0 if there was none.
    :param items: how many answers there were, one per row; ``None`` if the answer is about the batch as a whole.
    :param refused: how many of these rejected their row, by code. (Triggers of earlier releases store this name.)
    :param is_bare: whether the answers are bare ids.
    :param is_kept: whether the rejected rows have been kept, with their reasons.
    """

    failure: str = ""
    error: int = 0
    items: int | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    is_bare: bool = False
    is_kept: bool = False

    @property
    def accepted(self) -> int:
        """How many rows it reports as accepted."""
        return 0 if self.error else (self.items or 0) - sum(self.refused.values())

    @property
    def rejected(self) -> int:
        """How many rows it reports as rejected."""
        return self.items or 0 if self.error else sum(self.refused.values())

    @property
    def has_reasons(self) -> bool:
        """Whether the result gives reasons for rejects, which are not kept here."""
        return bool(self.error or self.refused)

    def against(self, sent: int, read: AnswerReader) -> BatchAnswer:
        """What it means for a batch of so many rows. Which rows were rejected, and the reasons, are not known here."""
        rejects = [Reject(0, int(code), "") for code, times in self.refused.items() for _ in range(times)]
        return _against(self, "", rejects, sent, read)

    def to_dict(self) -> dict[str, Any]:
        """Compact JSON; ``from_dict`` reads it back."""
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

    :param error: the code that rejected its rows as a whole; 0 if there was none.
    :param text: the reason. May hold personal data.
    :param items: how many answers there were; ``None`` if the answer is about the batch as a whole.
    :param rejects: the rejected rows.
    :param is_bare: whether the answers are bare ids.
    """

    error: int = 0
    text: str = ""
    items: int | None = None
    rejects: Sequence[Reject] = ()
    is_bare: bool = False

    def outcome(self, *, failure: str = "", is_kept: bool = False) -> TaskOutcome:
        """The same, as numbers."""
        codes = Counter(str(reject.code) for reject in self.rejects)
        return TaskOutcome(failure, self.error, self.items, dict(codes), self.is_bare, is_kept)

    def against(self, sent: int, read: AnswerReader) -> BatchAnswer:
        """What it means for a batch of so many rows."""
        return _against(self, self.text, self.rejects, sent, read)


def _against(
    task: TaskAnswer | TaskOutcome, text: str, rejects: Sequence[Reject], sent: int, read: AnswerReader
) -> BatchAnswer:
    if task.error:
        return rejected_batch(task.error, text, sent)
    if task.items == sent:
        return BatchAnswer(accepted=sent - len(rejects), rejects=rejects)
    # The destination decides what another number of answers means. It only counts them, so dummies will do.
    item: Any = "id" if task.is_bare else {"profile_id": "id", "error": 0}
    return read(None if task.items is None else [item] * task.items, sent)


def read_task_answer(result: Any) -> TaskAnswer:
    """Read ``data.result`` of a finished import task: items in an envelope of their own (CONTRACT 2.1).

    :param result: decoded, or as ``msgspec.Raw``, which is decoded only as far as counting needs.
    :raises AltcraftTransportError: if it is not JSON.
    """
    if not isinstance(result, msgspec.Raw):
        return _task_answer(result)
    try:
        return _raw_task_answer(memoryview(result))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AltcraftTransportError("tasks/status: the result of the task is not JSON.") from None


def decoded(result: Any) -> Any:
    """The result of a task as a Python object."""
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
    count = _accepted(items)
    return _task_answer(msgspec.json.decode(items)) if count is None else TaskAnswer(items=count)


def _accepted(raw: memoryview) -> int | None:
    """How many items there are if, as nearly always, each names a profile and no error; else ``None``."""
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
    return TaskAnswer(items=count, rejects=tuple(read_items(items, len(items)).rejects), is_bare=is_bare)


def rejected_batch(code: int, text: str, sent: int) -> BatchAnswer:
    """A batch whose rows were all rejected, for the same reason."""
    return BatchAnswer(accepted=0, rejects=[Reject(position, code, text) for position in range(sent)])


def read_counters(answer: Any, sent: int, *names: str) -> BatchAnswer:
    """Read an answer that only has counters: rows that none of them covers are unaccounted for.

    :param names: the counters of accepted rows.
    """
    counted = [answer[name] for name in names if name in answer] if isinstance(answer, dict) else []
    accepted = sum(number for number in counted if isinstance(number, int))
    open_rows = max(0, sent - accepted) if counted else 0
    return BatchAnswer(accepted=sent - open_rows, unaccounted=open_rows, itemised=False)


def _all_were_accepted(items: list[Any]) -> bool:
    """Whether, as nearly always, each item names a profile and an error of 0: much faster than item by item."""
    try:
        return all(map(_PROFILE_ID, items)) and not any(map(_ERROR, items))
    except (KeyError, TypeError):
        return False


_PROFILE_ID, _ERROR = itemgetter("profile_id"), itemgetter("error")


def _reject_of(position: int, item: Any, names_profiles: bool) -> Reject | None:
    if not isinstance(item, dict):
        return None if item or not names_profiles else Reject(position, 0, NO_PROFILE)
    code = _code(item.get("error"))
    text = str(item.get("error_text") or "")
    if code:
        return Reject(position, code, text)
    if not names_profiles:
        return None
    # Only some methods document what a failed item looks like. An item with neither error nor profile failed.
    if item.get("profile_id") or ("error" in item and "profile_id" not in item):
        return None
    return Reject(position, 0, text or NO_PROFILE)


def _code(value: Any) -> int:
    """An error code, loosely typed (CONTRACT 1.7); any other word counts as an error too."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return -1
