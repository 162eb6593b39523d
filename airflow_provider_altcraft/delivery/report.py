"""What became of the rows: counters that must add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_provider_altcraft.delivery.answers import BatchAnswer
from airflow_provider_altcraft.exceptions import AltcraftRowsError

TASK_IDS_SHOWN = 50


@dataclass(slots=True)
class Report:
    """The counters of one delivery.

    ``read = skipped + sent`` and ``sent = accepted + rejected``, or the task fails.

    :param read: rows that came out of the source.
    :param skipped: rows that needed no sending.
    :param sent: rows handed to Altcraft, and rows refused before that for want of a key.
    :param accepted: rows that Altcraft took.
    :param rejected: rows that it did not.
    :param unaccounted: rows of which its answers say nothing.
    :param as_batch: of the accepted, those whose batch was taken as a whole, without a word on each row.
    :param requests: requests that carried rows.
    :param replayed: of these, how many were answered from Altcraft's memory of an earlier try.
    :param task_ids: ids of the tasks that Altcraft made.
    :param reasons: how often a row was rejected with which code.
    """

    read: int = 0
    skipped: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    unaccounted: int = 0
    as_batch: int = 0
    requests: int = 0
    replayed: int = 0
    task_ids: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, answer: BatchAnswer) -> None:
        """Count what became of a batch."""
        self.accepted += answer.accepted
        self.rejected += len(answer.refusals)
        self.unaccounted += answer.unaccounted
        self.as_batch += 0 if answer.itemised else answer.accepted
        self.reasons.update(str(refusal.code) for refusal in answer.refusals)

    def check(self, *, max_rejects: int, max_reject_ratio: float | None = None, kept_at: str | None) -> None:
        """Refuse to be green when rows are missing or too many were rejected.

        :param max_rejects: rejected rows that are put up with.
        :param max_reject_ratio: or their share of the rows sent, where that allows more.
        :param kept_at: where the rejected rows are, for the error.
        :raises AltcraftRowsError: naming the numbers and what to do.
        """
        if self.unaccounted or self.read != self.skipped + self.sent or self.sent != self.accepted + self.rejected:
            raise AltcraftRowsError(
                f"The rows do not add up: {self}. Altcraft's answers leave {self.unaccounted:,} rows open. Look at the"
                f" tasks in Altcraft before sending them again{_named(self.task_ids)}."
            )
        allowed = max(max_rejects, int(self.sent * (max_reject_ratio or 0)))
        self.check_rejects(max_rejects=allowed, kept_at=kept_at)

    def check_rejects(self, *, max_rejects: int, kept_at: str | None) -> None:
        """Refuse to be green when too many rows were rejected, as far as that is known.

        :raises AltcraftRowsError: naming the numbers, the codes and what to do.
        """
        if self.rejected > max_rejects:
            kept = f"They are kept in {kept_at}" if kept_at else "Set reject_path to keep them with their reasons"
            codes = ", ".join(f"{code}: {times:,}" for code, times in self.reasons.most_common(5))
            raise AltcraftRowsError(
                f"{self.rejected:,} of {self.sent:,} rows were rejected, {max_rejects:,} are allowed (max_rejects,"
                f" max_reject_ratio)."
                f" By error code: {codes}. {kept}. The {self.accepted:,} others were accepted."
            )

    def __str__(self) -> str:
        return (
            f"{self.read:,} read = {self.skipped:,} skipped + {self.sent:,} sent;"
            f" {self.sent:,} sent = {self.accepted:,} accepted + {self.rejected:,} rejected"
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON, whole; ``from_dict`` reads it back."""
        return {**asdict(self), "reasons": dict(self.reasons)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Report:
        """Read what ``to_dict`` wrote."""
        return cls(**{**values, "task_ids": list(values["task_ids"]), "reasons": Counter(values["reasons"])})

    def summary(self, *, kept_at: str | None, handed_over: bool = False) -> dict[str, Any]:
        """What goes to XCom: numbers, ids and a place, small however many rows there were.

        :param handed_over: whether somebody else waits for the tasks, and so needs the ids of all.
        """
        return {
            **self.to_dict(),
            "reasons": dict(self.reasons.most_common(10)),
            "task_ids": self.task_ids if handed_over else self.task_ids[:TASK_IDS_SHOWN],
            "tasks": len(self.task_ids),
            "reject_path": kept_at if self.rejected else None,
        }


def _named(task_ids: list[str]) -> str:
    shown = ", ".join(task_ids[:5])
    return f" ({shown}{', …' if len(task_ids) > 5 else ''})" if shown else ""
