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
    :param unchanged: of these, rows that are as they were when Altcraft last accepted them.
    :param sent: rows handed to Altcraft, and rows refused before that: without a key, or too large.
    :param accepted: rows that Altcraft took.
    :param rejected: rows that it did not.
    :param unaccounted: rows of which its answers say nothing.
    :param lost: of the rejected, those whose records could not be kept.
    :param as_batch: of the accepted, those whose batch was taken as a whole, without a word on each row.
    :param requests: requests that carried rows.
    :param replayed: of these, how many were answered from Altcraft's memory of an earlier try.
    :param task_ids: ids of the tasks that Altcraft made.
    :param reasons: how often a row was rejected with which code.
    :param watermark: the last value of the column that is followed.
    :param held: the first row that was not accepted, and the watermark before it.
    :param before: the watermark of the delivery before.
    """

    read: int = 0
    skipped: int = 0
    unchanged: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    unaccounted: int = 0
    lost: int = 0
    as_batch: int = 0
    requests: int = 0
    replayed: int = 0
    task_ids: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    watermark: Any = None
    held: tuple[int, Any] | None = None
    before: Any = None

    @property
    def passed(self) -> Any:
        """The watermark: no row up to it is missing. That of before, if not even the first value was passed."""
        passed = self.watermark if self.held is None else self.held[1]
        return self.before if passed is None else passed

    def hold(self, row: int, floor: Any) -> None:
        """Keep the watermark from passing a row that was not accepted."""
        if self.held is None or row < self.held[0]:
            self.held = (row, floor)

    def count(self, answer: BatchAnswer) -> None:
        """Count what became of a batch."""
        self.accepted += answer.accepted
        self.rejected += len(answer.refusals)
        self.unaccounted += answer.unaccounted
        self.as_batch += 0 if answer.itemised else answer.accepted
        self.reasons.update(str(refusal.code) for refusal in answer.refusals)

    def check(self, *, max_rejects: int, max_reject_ratio: float | None = None, kept_at: str | None) -> None:
        """Refuse to be green when rows are missing or too many were rejected (``check_rejects``).

        :raises AltcraftRowsError: naming the numbers and what to do.
        """
        if self.unaccounted or self.read != self.skipped + self.sent or self.sent != self.accepted + self.rejected:
            raise AltcraftRowsError(
                f"The rows do not add up: {self}. Altcraft's answers leave {self.unaccounted:,} rows open. Look at the"
                f" tasks in Altcraft before sending them again{_named(self.task_ids)}."
            )
        self.check_rejects(max_rejects=max_rejects, max_reject_ratio=max_reject_ratio, kept_at=kept_at)

    def check_rejects(self, *, max_rejects: int, max_reject_ratio: float | None = None, kept_at: str | None) -> None:
        """Refuse to be green when too many rows were rejected, as far as that is known.

        :param max_rejects: rejected rows that are tolerated.
        :param max_reject_ratio: or their share of the rows sent, where that allows more.
        :param kept_at: where the rejected rows are, for the error.
        :raises AltcraftRowsError: naming the numbers, the codes and what to do.
        """
        # A share such as 0.29 is a little less in binary.
        allowed = max(max_rejects, int(self.sent * (max_reject_ratio or 0) + 1e-9))
        if self.lost:
            raise AltcraftRowsError(
                f"The records of {self.lost:,} rejected rows are lost: they waited in 'pending' below reject_path,"
                " which this worker cannot see, or which a wait removed that had failed for good. reject_path must be"
                " one place for all workers."
            )
        if self.rejected > allowed:
            kept = f"They are kept in {kept_at}" if kept_at else "Set reject_path to keep them with their reasons"
            codes = ", ".join(f"{code}: {times:,}" for code, times in self.reasons.most_common(5))
            raise AltcraftRowsError(
                f"{self.rejected:,} of {self.sent:,} rows were rejected, {allowed:,} are allowed (max_rejects,"
                f" max_reject_ratio)."
                f" By error code: {codes}. {kept}. The {self.accepted:,} others were accepted."
            )

    def __str__(self) -> str:
        return (
            f"{self.read:,} read = {self.skipped:,} skipped + {self.sent:,} sent;"
            f" {self.sent:,} sent = {self.accepted:,} accepted + {self.rejected:,} rejected"
        )

    def table(self) -> str:
        """The numbers, one to a line."""
        numbers = {
            "read": self.read,
            "skipped": self.skipped,
            "  unchanged": self.unchanged,
            "sent": self.sent,
            "  accepted": self.accepted,
            "  rejected": self.rejected,
            **{f"    code {code}": times for code, times in self.reasons.most_common(10)},
            "requests": self.requests,
            "  answered from an earlier try": self.replayed,
            "tasks of Altcraft's": len(self.task_ids),
        }
        return "\n".join(f"{name:<32}{number:>14,}" for name, number in numbers.items())

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON, whole; ``from_dict`` reads it back."""
        return {**asdict(self), "reasons": dict(self.reasons)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Report:
        """Read what ``to_dict`` wrote."""
        held = values.get("held")
        return cls(
            **{
                **values,
                "task_ids": list(values["task_ids"]),
                "reasons": Counter(values["reasons"]),
                "held": (held[0], held[1]) if held else None,
            }
        )

    def summary(self, *, kept_at: str | None, handed_over: bool = False) -> dict[str, Any]:
        """What goes to XCom: numbers, ids and a place, small however many rows there were.

        :param handed_over: whether somebody else waits for the tasks, and so needs the ids of all; then there are
            either all of them or, where they are too many, ``None``: some would pass for all.
        """
        summary: dict[str, Any] = {
            **self.to_dict(),
            "watermark": self.passed,
            "reasons": dict(self.reasons.most_common(10)),
            "task_ids": self.task_ids[:TASK_IDS_SHOWN],
            "tasks": len(self.task_ids),
            "reject_path": kept_at if self.rejected else None,
        }
        del summary["held"], summary["before"]
        if handed_over and len(self.task_ids) > TASK_IDS_SHOWN:
            summary["task_ids"] = None
        return summary


def _named(task_ids: list[str]) -> str:
    shown = ", ".join(task_ids[:5])
    return f" ({shown}{', …' if len(task_ids) > 5 else ''})" if shown else ""
