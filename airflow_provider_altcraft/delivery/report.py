"""The report of a delivery: counters of rows that must add up."""

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

    :param read: rows read from the source.
    :param skipped: rows that did not have to be sent.
    :param unchanged: of these, rows that have not changed since Altcraft last accepted them.
    :param sent: rows sent to Altcraft, plus rows rejected before that: without a key, or too large.
    :param accepted: rows that Altcraft accepted.
    :param rejected: rows that it did not.
    :param unaccounted: rows that its answers do not account for.
    :param lost: of the rejected, those whose records could not be kept.
    :param as_batch: of the accepted, those whose batch was accepted as a whole, without an answer for each row.
    :param requests: requests that carried rows.
    :param replayed: of these, those whose batch an earlier try had sent.
    :param task_ids: ids of the tasks that Altcraft made.
    :param reasons: error code -> how many rows were rejected with it.
    :param watermark: the last value of the watermark column.
    :param held: the first row that was not accepted, and the watermark before it.
    :param before: the watermark of the previous delivery.
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
        """The watermark: no row up to it is missing. The previous one, if this delivery did not get past it."""
        passed = self.watermark if self.held is None else self.held[1]
        return self.before if passed is None else passed

    def hold(self, row: int, floor: Any) -> None:
        """Stop the watermark before a row that was not accepted."""
        if self.held is None or row < self.held[0]:
            self.held = (row, floor)

    def count(self, answer: BatchAnswer) -> None:
        """Count what became of a batch."""
        self.accepted += answer.accepted
        self.rejected += len(answer.rejects)
        self.unaccounted += answer.unaccounted
        self.as_batch += 0 if answer.itemised else answer.accepted
        self.reasons.update(str(reject.code) for reject in answer.rejects)

    def check(self, *, max_rejects: int, max_reject_ratio: float | None = None, kept_at: str | None) -> None:
        """Fail if rows are unaccounted for, or too many were rejected (``check_rejects``).

        :raises AltcraftRowsError: with the numbers and what to do.
        """
        if self.unaccounted or self.read != self.skipped + self.sent or self.sent != self.accepted + self.rejected:
            raise AltcraftRowsError(
                f"The rows do not add up: {self}. Altcraft's answers do not account for {self.unaccounted:,} rows."
                f" Check the tasks in Altcraft before sending the rows again{_named(self.task_ids)}."
            )
        self.check_rejects(max_rejects=max_rejects, max_reject_ratio=max_reject_ratio, kept_at=kept_at)

    def check_rejects(self, *, max_rejects: int, max_reject_ratio: float | None = None, kept_at: str | None) -> None:
        """Fail if too many rows were rejected, as far as that is known.

        :param max_rejects: how many rejected rows to tolerate.
        :param max_reject_ratio: or their fraction of the rows sent, if that allows more.
        :param kept_at: where the rejected rows are, for the error text.
        :raises AltcraftRowsError: with the numbers, the codes and what to do.
        """
        # The epsilon is for fractions such as 0.29, which is slightly less in binary.
        allowed = max(max_rejects, int(self.sent * (max_reject_ratio or 0) + 1e-9))
        if self.lost:
            raise AltcraftRowsError(
                f"The records of {self.lost:,} rejected rows are lost: their files in 'pending' below reject_path were"
                " removed when an earlier wait failed for good, or this worker cannot see them. reject_path must be a"
                " place that all workers share."
            )
        if self.rejected > allowed:
            kept = f"They are kept in {kept_at}" if kept_at else "Set reject_path to keep them and the reasons"
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
        """The numbers, one per line."""
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
            "Altcraft tasks": len(self.task_ids),
        }
        return "\n".join(f"{name:<32}{number:>14,}" for name, number in numbers.items())

    def to_dict(self) -> dict[str, Any]:
        """The whole report as JSON; ``from_dict`` reads it back."""
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
        """The XCom: numbers, ids and the path of rejects, small however many rows there were.

        :param handed_over: whether another task is to wait for the tasks and needs all their ids; if they are too many,
            ``task_ids`` is ``None`` then, since a part of them could be mistaken for all.
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
