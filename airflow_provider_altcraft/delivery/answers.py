"""What Altcraft says of each row of a batch, in the synchronous answers and in the results of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

NO_PROFILE = "Altcraft named no profile for this row"


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


def read_task_result(result: Any, sent: int, read: Read = read_items) -> BatchAnswer:
    """Read ``data.result`` of a finished import task: an envelope of its own around the items (CONTRACT 2.1)."""
    if not isinstance(result, dict):
        return read(result, sent)
    code = _code(result.get("error"))
    if code:
        return refused_batch(code, str(result.get("error_text") or ""), sent)
    return read(result.get("result"), sent)


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
