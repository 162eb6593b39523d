"""Rows in, requests out, a report at the end. Memory holds a batch per request in flight, however many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any, Protocol

from airflow_provider_altcraft.api.protocol import Frame
from airflow_provider_altcraft.delivery.answers import BatchAnswer, Refusal, read_task_result, refused_batch
from airflow_provider_altcraft.delivery.batching import Item, Limits, batches
from airflow_provider_altcraft.delivery.destinations import Destination
from airflow_provider_altcraft.delivery.ledger.ledger import Ledger
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.delivery.report import Report
from airflow_provider_altcraft.delivery.source import Source
from airflow_provider_altcraft.delivery.watermark import Watermark, plain
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRequestTooLarge

NO_KEY = "the row has no value to find its profile by"


class Answer(Protocol):
    """What sending a batch came to."""

    @property
    def data(self) -> Any:
        """The payload of the answer."""

    @property
    def task_id(self) -> str | None:
        """The task that Altcraft made of the batch."""

    @property
    def replayed(self) -> bool:
        """Whether it happened at an earlier try."""


class Sender(Protocol):
    """Sends batches, each of which has a name: the digest of its rows, the same at any try."""

    def send(self, body: bytes, batch: str) -> Answer:
        """Send a body."""

    def recall(self, batch: str) -> BatchAnswer | None:
        """What an earlier try made of a batch, if that is known for good."""

    def settle(self, batch: str, verdict: BatchAnswer) -> None:
        """Note what became of a batch, now that nothing of it is left to do."""


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """A batch that Altcraft made a task of.

    :param row: the number of its first row.
    :param floor: the watermark if not all of it is accepted.
    """

    task_id: str
    batch: str
    rows: int
    row: int = 0
    floor: Any = None


@dataclass(slots=True)
class Forecast:
    """What sending some rows would take.

    :param rows: that would be sent.
    :param skipped: that would not.
    :param keyless: that would be rejected for want of a value to find their profile by.
    """

    rows: int = 0
    skipped: int = 0
    keyless: int = 0
    requests: int = 0
    body_bytes: int = 0


class Delivery:
    """One delivery of rows to one destination. ``report`` and ``tasks`` say what came of it.

    :param destination: where the rows go.
    :param frame: the bytes around the rows of a body.
    :param sender: how a body is sent.
    :param batch_size: rows per request at most; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_body_bytes: bytes per request at most.
    :param max_in_flight: requests at a time.
    :param rejects: where rejected rows are kept.
    :param progress: told after each batch: the report, and the requests in flight.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        frame: Frame,
        sender: Sender,
        batch_size: int,
        max_body_bytes: int,
        max_in_flight: int,
        rejects: Rejects,
        progress: Callable[[Report, int], None] = lambda report, in_flight: None,
    ) -> None:
        if max_in_flight < 1:
            raise AltcraftConfigurationError(f"max_in_flight must be at least 1, not {max_in_flight}.")
        self._destination = destination
        self._frame = frame
        self._sender = sender
        self._limits = Limits(
            items=batch_size,
            body_bytes=max_body_bytes,
            frame_bytes=frame.size,
            wrap_bytes=destination.wrap_bytes,
        )
        self.max_body_bytes = max_body_bytes
        self._max_in_flight = max_in_flight
        self._rejects = rejects
        self._progress = progress
        self._lock = Lock()
        self._seen: Counter[str] = Counter()
        self._in_flight = 0
        self._ledger: Ledger | None = None
        self._watermark: Watermark | None = None
        self.report = Report()
        self.tasks: list[TaskBatch] = []

    def forecast(self, source: Source[Any]) -> Forecast:
        """Write and cut all rows without sending any: what sending them would take.

        :raises AltcraftConfigurationError: for a row over the limits, or a value without a form in JSON.
        """
        forecast = Forecast()

        def refuse(item: Item) -> None:
            forecast.keyless += 1

        for batch in batches(self._items(source, refuse), self._limits):
            forecast.rows += len(batch)
            forecast.requests += 1
            forecast.body_bytes += self._frame.size + len(batch) - 1
            forecast.body_bytes += sum(len(item.record) + self._limits.wrap_bytes for item in batch)
        forecast.skipped, self.report = self.report.skipped, Report()
        return forecast

    def run(self, source: Source[Any], *, ledger: Ledger | None = None, watermark: Watermark | None = None) -> None:
        """Send all rows and count the answers. Of a destination that makes tasks, ``settle`` counts them later.

        :param ledger: skips the rows that have not changed since they were accepted.
        :param watermark: follows a column of the rows.
        :raises AltcraftError: if a batch could not be delivered; the batches in flight are waited for first.
        """
        self._ledger, self._watermark = ledger, watermark
        items: Iterator[Item] = self._items(source, self._refuse_keyless)
        if ledger is not None:
            items = self._changed(ledger, items)
        running: set[Future[None]] = set()
        with ThreadPoolExecutor(self._max_in_flight, thread_name_prefix="altcraft") as pool:
            for batch in batches(items, self._limits):
                if len(running) >= self._max_in_flight:
                    running = _finished(running)
                running.add(pool.submit(self._deliver, batch))
            while running:
                running = _finished(running)
        if watermark is not None:
            self.report.watermark = plain(watermark.value)

    def _items(self, source: Source[Any], refuse: Callable[[Item], None]) -> Iterator[Item]:
        """The rows, written; those without a value to find their profile by are refused here."""
        report, watermark = self.report, self._watermark
        encode, key = source.encode, source.values(self._destination.key_fields)
        print_of = self._ledger.printer(source) if self._ledger is not None else None
        for number, row in enumerate(source.rows, start=1):
            report.read = number
            if row is None:
                report.skipped += 1
                continue
            record = encode(row)
            item = Item(
                number,
                record,
                None if watermark is None else watermark.floor,
                None if print_of is None else print_of(row, record),
            )
            found_by = key(row)
            self._destination.check(record)
            if any(found_by) or any(value not in (None, "") for value in found_by):
                yield item
            else:
                refuse(item)

    def _changed(self, ledger: Ledger, items: Iterator[Item]) -> Iterator[Item]:
        for item in ledger.changed(items):
            if item is None:
                self.report.skipped += 1
                self.report.unchanged += 1
            else:
                yield item

    def _deliver(self, items: list[Item]) -> None:
        with self._lock:
            self._in_flight += 1
        try:
            self._deliver_batch(items)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _deliver_batch(self, items: list[Item]) -> None:
        body, batch = self._body(items)
        earlier = self._sender.recall(batch)
        if earlier is not None:
            self._count(items, earlier, replayed=True)
            return
        if self._ledger is not None:
            self._ledger.sending(items)
        try:
            answer = self._sender.send(body, batch)
        except AltcraftRequestTooLarge as error:
            if len(items) == 1:
                self._refuse(batch, items, [Refusal(0, error.code, error.debug or error.text)])
                return
            # The installation's limit is lower than ours: halves are other batches, with names of their own.
            half = len(items) // 2
            self._deliver_batch(items[:half])
            self._deliver_batch(items[half:])
            return
        if self._destination.makes_task and answer.task_id:
            self._follow(batch, items, answer.task_id, replayed=answer.replayed)
        else:
            self._take(batch, items, answer)

    def _body(self, items: list[Item]) -> tuple[bytes, str]:
        records = [item.record for item in items]
        digest = sha256(b"\n".join(records)).hexdigest()[:32]
        with self._lock:
            self._seen[digest] += 1
            times = self._seen[digest]
        # The same rows a second time in one delivery are another batch, at every try.
        return self._frame.join(self._destination.wrap(records)), digest if times == 1 else f"{digest}-{times}"

    def _follow(self, batch: str, items: list[Item], task_id: str, *, replayed: bool) -> None:
        """Note the task that will tell what became of a batch."""
        self._rejects.hold(batch, items)
        with self._lock:
            self._count_sent(items, replayed=replayed)
            self.report.task_ids.append(task_id)
            self.tasks.append(TaskBatch(task_id, batch, len(items), items[0].row, plain(items[0].floor)))
            self._progress(self.report, self._in_flight)

    def _take(self, batch: str, items: list[Item], answer: Answer) -> None:
        """Act on what Altcraft said of a batch. It is settled last: a try that ends before that does it all again."""
        verdict = self._destination.read(answer.data, len(items))
        self._rejects.keep(batch, items, verdict.refusals)
        if not verdict.unaccounted:
            if self._ledger is not None:
                refused = {refusal.position for refusal in verdict.refusals}
                self._ledger.accepted([item for place, item in enumerate(items) if place not in refused])
            self._sender.settle(batch, verdict)
        self._count(items, verdict, replayed=answer.replayed)

    def _count(self, items: list[Item], verdict: BatchAnswer, *, replayed: bool) -> None:
        with self._lock:
            self._count_sent(items, replayed=replayed)
            self._count_verdict(items, verdict)
            self._progress(self.report, self._in_flight)

    def _count_sent(self, items: list[Item], *, replayed: bool) -> None:
        self.report.sent += len(items)
        self.report.requests += 1
        self.report.replayed += replayed

    def _count_verdict(self, items: list[Item], verdict: BatchAnswer) -> None:
        self.report.count(verdict)
        if self._watermark is not None and (verdict.refusals or verdict.unaccounted):
            first = items[min((refusal.position for refusal in verdict.refusals), default=0)]
            self.report.hold(first.row, plain(first.floor))

    def _refuse_keyless(self, item: Item) -> None:
        self._refuse(f"row-{item.row}", [item], [Refusal(0, 0, NO_KEY)])

    def _refuse(self, batch: str, items: list[Item], refusals: list[Refusal]) -> None:
        """Count rows that are not sent."""
        self._rejects.keep(batch, items, refusals)
        with self._lock:
            self.report.sent += len(items)
            self._count_verdict(items, BatchAnswer(accepted=0, refusals=refusals))


def settle(
    report: Report,
    tasks: Iterable[TaskBatch],
    rejects: Rejects,
    *,
    destination: Destination,
    task_status: Callable[[str], Mapping[str, Any]],
    succeeded: Callable[[Mapping[str, Any]], bool],
) -> None:
    """Count what the finished tasks say of their rows.

    :param report: of the delivery that made the tasks.
    :param destination: which reads the answers.
    :param task_status: the ``data`` of ``tasks/status`` for a task id.
    :param succeeded: whether such a status is that of a task that ended well. The rows of one that did not were
        not taken, unless it says so row by row.
    """
    for task in tasks:
        status = task_status(task.task_id)
        verdict = read_task_result(status.get("result"), task.rows, destination.read)
        if not succeeded(status) and not (verdict.itemised and verdict.refusals):
            verdict = refused_batch(-1, f"the task {task.task_id} failed", task.rows)
        rejects.keep(task.batch, rejects.held(task.batch), verdict.refusals)
        rejects.release(task.batch)
        report.count(verdict)
        if verdict.refusals or verdict.unaccounted:
            report.hold(task.row, task.floor)


def _finished(in_flight: set[Future[None]]) -> set[Future[None]]:
    """Wait until a request is done; its error, if it had one, is ours."""
    done, running = wait(in_flight, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return running
