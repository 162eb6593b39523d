"""What Altcraft says of each row of a batch, in the synchronous answers and in the results of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


def read_items(items: Any, sent: int) -> BatchAnswer:
    """Read the per-item answers of a batch (CONTRACT 1.3, 2.1).

    An answer without a list speaks of the batch as a whole: it was a success, so every row was taken. A list of
    another length than the batch cannot be laid against it: then no row is accounted for.

    :param items: the list, one entry per row in the order sent; an entry is an object or a bare id.
    :param sent: rows in the batch.
    """
    if not isinstance(items, list):
        return BatchAnswer(accepted=sent, itemised=False)
    if len(items) != sent:
        return BatchAnswer(accepted=0, unaccounted=sent)
    refusals = [refusal for position, item in enumerate(items) if (refusal := _refusal(position, item))]
    return BatchAnswer(accepted=sent - len(refusals), refusals=refusals)


def read_task_result(result: Any, sent: int) -> BatchAnswer:
    """Read ``data.result`` of a finished import task: an envelope of its own around the items (CONTRACT 2.1)."""
    if not isinstance(result, dict):
        return read_items(result, sent)
    code = _code(result.get("error"))
    if code:
        return refused_batch(code, str(result.get("error_text") or ""), sent)
    return read_items(result.get("result"), sent)


def refused_batch(code: int, text: str, sent: int) -> BatchAnswer:
    """A batch of which no row was taken, all for one reason."""
    return BatchAnswer(accepted=0, refusals=[Refusal(position, code, text) for position in range(sent)])


def _refusal(position: int, item: Any) -> Refusal | None:
    if not isinstance(item, dict):
        return None if item else Refusal(position, 0, NO_PROFILE)
    code = _code(item.get("error"))
    text = str(item.get("error_text") or "")
    if code:
        return Refusal(position, code, text)
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
