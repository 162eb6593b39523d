"""What is kept of a delivery and its batches between the tries of a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Any, TypeVar

from airflow_provider_altcraft.delivery.batching import Batch
from airflow_provider_altcraft.delivery.pipeline import TaskBatch
from airflow_provider_altcraft.launching.record import LaunchRecord, Records, Stage, Store, read

T = TypeVar("T")
DELIVERY = "altcraft_delivery"
BATCH = "altcraft_batch"


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """What is kept of a delivery.

    :param endpoint: that took the batches.
    :param max_tries: of the task instance when it began.
    :param content: fingerprint of the parameters around its rows.
    :param params: these parameters; ``None`` if they are too large to keep, or hold files.
    :param batches: how many there were, once the last of them was answered.
    :param report: its counters, from then on.
    :param revision: how often a try found its source changed. What was kept or remembered of batches that come out the
        same when they are sent twice holds for one revision: a row may have been sent with another value since.
    :param last_function: place of the last batch with field functions that was begun; ``None`` if there was none.
    """

    endpoint: str
    max_tries: int
    content: str
    params: dict[str, Any] | None
    batches: int | None = None
    report: dict[str, Any] | None = None
    revision: int = 0
    last_function: int | None = None


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What is kept of a batch.

    :param name: digest of its rows.
    :param rows: how many.
    :param max_tries: of the task instance when it was sent.
    :param converges: whether sending it twice ends where sending it once does.
    :param launch: how its request went.
    :param outcome: what became of its rows, once nothing of it is left to do; without rows and texts.
    :param is_split: whether it was sent as two halves.
    :param revision: of the source when it was sent.
    """

    name: str
    rows: int
    max_tries: int
    converges: bool
    launch: LaunchRecord | None = None
    outcome: dict[str, Any] | None = None
    is_split: bool = False
    revision: int = 0

    @property
    def may_have_happened(self) -> bool:
        """Whether its rows arrived, or may have."""
        launch = self.launch
        return self.outcome is not None or self.is_split or (launch is not None and launch.may_have_happened)


class DeliveryRecords:
    """The records of one delivery; batches are sent by several threads.

    :param store: keeps them; ``None`` where nothing is kept between tries.
    :param max_tries: of the task instance now, which a clear changes.
    :param reaches_people: whether a batch that is sent twice does its work twice.
    :param is_redone: whether a clear does again what converges, and what does not.
    """

    def __init__(
        self, store: Store | None, *, max_tries: int, reaches_people: bool, is_redone: Callable[[bool], bool]
    ) -> None:
        self._store = store
        self._max_tries = max_tries
        self._reaches_people = reaches_people
        self._is_redone = is_redone
        # The store's way to Airflow is one (under ``dag.test()``, not even that).
        self._lock = Lock()
        self._batches: dict[str, BatchRecord | None] = {}
        self.delivery: DeliveryRecord | None = None
        """As it is kept now, once the delivery has begun."""
        self.is_resumed = False
        """Whether an earlier try began it; else none has kept anything of a batch."""

    @property
    def are_kept(self) -> bool:
        """Whether a later try finds them."""
        return self._store is not None

    @property
    def revision(self) -> int:
        """Of the source."""
        return self.delivery.revision if self.delivery is not None else 0

    def found(self) -> DeliveryRecord | None:
        """What was kept of the delivery, read anew."""
        return self._read(DELIVERY, DeliveryRecord)

    def keep(self, record: DeliveryRecord) -> None:
        """Keep the delivery."""
        self.delivery = record
        if self._store is not None:
            with self._lock:
                self._store.set(DELIVERY, asdict(record))

    def batch(self, place: str) -> BatchRecord | None:
        """What was kept of the batch at a place, whatever it held."""
        with self._lock:
            if place in self._batches or not self.is_resumed:
                return self._batches.get(place)
        found = self._read(f"{BATCH}:{place}", BatchRecord)
        with self._lock:
            return self._batches.setdefault(place, found)

    def batch_now(self, place: str) -> BatchRecord | None:
        """The same, read anew, if it still holds: another try may run beside this one."""
        found = self._read(f"{BATCH}:{place}", BatchRecord)
        return found if found is not None and self.holds(found) else None

    def believe(self, place: str, record: BatchRecord) -> None:
        """Take a record for what is kept of a place."""
        with self._lock:
            self._batches[place] = record

    def same(self, batch: Batch) -> BatchRecord | None:
        """What was kept of this very batch, if it still holds."""
        record = self.batch(batch.place)
        return record if record is not None and record.name == batch.name and self.holds(record) else None

    def holds(self, record: BatchRecord) -> bool:
        """Whether it is of this delivery: not from before a clear that does it again, nor of another source."""
        if record.converges and record.revision != self.revision:
            return False
        return record.max_tries == self._max_tries or not self._is_redone(record.converges)

    def keep_batch(self, batch: Batch, **changes: Any) -> None:
        """Keep a batch, with what has changed about it."""
        if self._store is None:
            return
        converges = batch.converges and not self._reaches_people
        known = self.same(batch) or BatchRecord(batch.name, batch.rows, self._max_tries, converges)
        record = replace(known, max_tries=self._max_tries, revision=self.revision, **changes)
        with self._lock:
            self._batches[batch.place] = record
            self._store.set(f"{BATCH}:{batch.place}", asdict(record))

    def launches(self, batch: Batch, *, is_complete: bool) -> Records | None:
        """The launch of a batch, as a launcher keeps it; ``None`` where nothing is kept."""
        return None if self._store is None else _BatchLaunches(self, batch, is_complete=is_complete)

    def tasks(self, place: str) -> list[TaskBatch]:
        """The tasks of the batch at a place, or of its halves."""
        record = self.batch(place)
        if record is None:
            return []
        if record.is_split:
            return [task for half in (0, 1) for task in self.tasks(f"{place}.{half}")]
        task_id = record.launch.task_id if record.launch is not None else None
        return [TaskBatch(task_id, record.name, record.rows)] if task_id else []

    def _read(self, key: str, kind: type[T]) -> T | None:
        if self._store is None:
            return None
        with self._lock:
            return read(self._store, key, kind)


class _BatchLaunches(Records):
    """The launch of one batch."""

    def __init__(self, kept: DeliveryRecords, batch: Batch, *, is_complete: bool) -> None:
        self._kept = kept
        self._batch = batch
        self.is_complete = is_complete

    def all(self) -> list[LaunchRecord]:
        record = self._kept.same(self._batch)
        return [record.launch] if record is not None and record.launch is not None else []

    def keep(self, record: LaunchRecord, *, drop: Callable[[LaunchRecord], bool] = lambda known: False) -> None:
        # Of a batch that was answered row by row, only the outcome is kept, once nothing is left to do.
        if record.stage is Stage.ANSWERED and record.task_id is None:
            return
        self._kept.keep_batch(self._batch, launch=record)
