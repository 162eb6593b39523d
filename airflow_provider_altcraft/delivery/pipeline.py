"""Rows in, requests out, a report at the end. Memory holds a batch per request in flight, however many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress
from threading import Lock
from typing import Any, Protocol

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.answers import BatchAnswer, Refusal, TaskAnswer, TaskOutcome, refused_batch
from airflow_provider_altcraft.delivery.batching import Batch, Limits, Rows, batches
from airflow_provider_altcraft.delivery.destinations import Destination
from airflow_provider_altcraft.delivery.encoding import is_null
from airflow_provider_altcraft.delivery.functions import converges
from airflow_provider_altcraft.delivery.json_lines import Packed
from airflow_provider_altcraft.delivery.ledger.ledger import Ledger
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.delivery.report import Report
from airflow_provider_altcraft.delivery.source import Source
from airflow_provider_altcraft.delivery.watermark import Watermark, plain
from airflow_provider_altcraft.delivery.workers import Workers
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftRequestTooLarge

NO_KEY = "the row has no value to find its profile by"


class BatchReply(Protocol):
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
    """Sends batches, and knows what an earlier try made of them."""

    @property
    def must_check(self) -> bool:
        """Whether an earlier try may have sent batches, so that each is compared before it goes out."""

    def check(self, place: int, digest: str) -> str | None:
        """Compare a batch with what an earlier try sent at its place.

        :param digest: what its name begins with.
        :returns: the name it had then, if it is the same.
        :raises AltcraftError: if the source has changed in a way that would send again what must not be.
        """

    def send(self, body: bytes, batch: Batch) -> BatchReply:
        """Send a body."""

    def recall(self, batch: Batch) -> BatchAnswer | None:
        """What an earlier try made of a batch, if that is known for good."""

    def settle(self, batch: Batch, verdict: BatchAnswer) -> None:
        """Note what became of a batch, now that nothing of it is left to do."""

    def split(self, batch: Batch) -> None:
        """Note that a batch is sent as two halves."""

    def was_split(self, batch: Batch) -> bool:
        """Whether an earlier try sent it as halves, which must not be sent again as a whole."""


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """A batch that Altcraft made a task of."""

    task_id: str
    batch: str
    rows: int


@dataclass(slots=True)
class Forecast:
    """What sending some rows would take.

    :param rows: that would be sent.
    :param skipped: that would not.
    :param keyless: that would be rejected for want of a value to find their profile by.
    :param oversized: that would be rejected since a request cannot hold them.
    """

    rows: int = 0
    skipped: int = 0
    keyless: int = 0
    oversized: int = 0
    requests: int = 0
    body_bytes: int = 0


class Delivery:
    """One delivery of rows to one destination. ``report``, ``tasks`` and ``batches`` (how many) say what came of it.

    :param destination: where the rows go.
    :param frame: the bytes around the rows of a body.
    :param sender: how a body is sent.
    :param place: which installation and what in it: part of the names of batches.
    :param batch_size: rows per request at most; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_body_bytes: bytes per request at most.
    :param max_in_flight: requests at a time.
    :param rejects: where rejected rows are kept.
    :param progress: told after each batch: the report, and the requests in flight.
    :param abort: makes the requests in flight end at once, and lets no others begin.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        frame: Frame,
        sender: Sender,
        place: bytes = b"",
        batch_size: int,
        max_body_bytes: int,
        max_in_flight: int,
        rejects: Rejects,
        progress: Callable[[Report, int], None] = lambda report, in_flight: None,
        abort: Callable[[], None] = lambda: None,
    ) -> None:
        if max_in_flight < 1:
            raise AltcraftConfigurationError(f"max_in_flight must be at least 1, not {max_in_flight}.")
        self._destination = destination
        self._frame = frame
        self._sender = sender
        self._place = place
        self._limits = Limits(
            items=batch_size,
            body_bytes=max_body_bytes,
            frame_bytes=frame.size,
            wrap_bytes=destination.wrap_bytes,
        )
        self.max_body_bytes = max_body_bytes
        self._limit = f"{max_body_bytes:,} ({_limit_setting(destination)} in the connection's extra)"
        if frame.size > max_body_bytes:
            raise AltcraftConfigurationError(
                f"{destination.endpoint.name}: without any row, a request would have {frame.size:,} bytes, over the"
                f" limit of {self._limit}. Nothing was sent. Files that are uploaded take less room, as file_key."
            )
        self._max_in_flight = max_in_flight
        self._rejects = rejects
        self._progress = progress
        self._abort = abort
        self._lock = Lock()
        self._seen: Counter[str] = Counter()
        self._in_flight = 0
        self._ledger: Ledger | None = None
        self._watermark: Watermark | None = None
        self.report = Report()
        self.tasks: list[TaskBatch] = []
        self.batches = 0

    def forecast(self, source: Source[Any]) -> Forecast:
        """Write and cut all rows without sending any: what sending them would take.

        :raises AltcraftConfigurationError: for a value without a form in JSON.
        """
        forecast = Forecast()

        def refuse_keyless(rows: Rows) -> None:
            forecast.keyless += len(rows)

        def refuse_oversized(rows: Rows, size: int) -> None:
            forecast.oversized += len(rows)

        for batch in batches(self._written(source, refuse_keyless), self._limits, refuse_oversized):
            forecast.rows += len(batch)
            forecast.requests += 1
            forecast.body_bytes += self._frame.size + (self._limits.wrap_bytes + 1) * len(batch) - 1
            forecast.body_bytes += batch.records.size
        forecast.skipped, self.report = self.report.skipped, Report()
        return forecast

    def run(self, source: Source[Any], *, ledger: Ledger | None = None, watermark: Watermark | None = None) -> None:
        """Send all rows and count the answers. Of a destination that makes tasks, ``settle`` counts them later.

        :param ledger: skips the rows that have not changed since they were accepted.
        :param watermark: follows a column of the rows.
        :raises AltcraftError: if a batch could not be delivered; the batches in flight are waited for first, unless
            the task was killed or its time is over.
        """
        self._ledger, self._watermark = ledger, watermark
        rows = self._written(source, self._refuse_keyless)
        if ledger is not None:
            rows = self._changed(ledger, rows)
        with Workers(self._max_in_flight, self._abort) as workers:
            for place, batch in enumerate(batches(rows, self._limits, self._refuse_oversized)):
                workers.wait_for_one()
                body = self._body(batch)
                # Named here, and not in the thread that sends it, only where it must not go out before it is compared.
                name = self._checked_name(place, body) if self._sender.must_check else None
                workers.submit(self._deliver, str(place), batch, body, name)
                self.batches = place + 1
            workers.finish()
        if watermark is not None:
            self.report.watermark = plain(watermark.value)

    def _written(self, source: Source[Any], refuse: Callable[[Rows], None]) -> Iterator[Rows]:
        """The rows, written, some at a time; those without a value to be found by are refused here."""
        report, watermark, ledger = self.report, self._watermark, self._ledger
        keyless = _without(self._destination.key_fields, source)
        fingerprint_of = ledger.fingerprinter(source) if ledger is not None else None
        for chunk in source.chunks:
            numbers = list(range(report.read + 1, report.read + len(chunk) + 1))
            report.read += len(chunk)
            safe_watermarks = watermark.safe_watermarks if watermark is not None else []
            wanted: Sequence[Any] = chunk
            if source.skips:
                kept = [row is not None for row in chunk]
                wanted, numbers = list(compress(chunk, kept)), list(compress(numbers, kept))
                safe_watermarks = list(compress(safe_watermarks, kept))
                report.skipped += len(chunk) - len(wanted)
                if not wanted:
                    continue
            records = self._destination.checked(source.write(wanted))
            fingerprints = fingerprint_of(wanted, records) if fingerprint_of is not None else []
            rows = Rows(numbers, records, safe_watermarks, fingerprints)
            lost = set(keyless(wanted))
            if lost:
                refuse(rows.pick(sorted(lost)))
                rows = rows.pick([place for place in range(len(rows)) if place not in lost])
            if rows.records:
                yield rows

    def _changed(self, ledger: Ledger, chunks: Iterator[Rows]) -> Iterator[Rows]:
        for rows in chunks:
            changed = rows.pick(ledger.changed(rows.fingerprints))
            unchanged = len(rows) - len(changed)
            self.report.skipped += unchanged
            self.report.unchanged += unchanged
            if changed.records:
                yield changed

    def _deliver(self, place: str, rows: Rows, body: bytes, name: str | None) -> None:
        with self._lock:
            self._in_flight += 1
        try:
            self._deliver_batch(place, rows, body, name)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _deliver_batch(self, place: str, rows: Rows, body: bytes, name: str | None = None) -> None:
        batch = Batch(name or self._name(self._digest(body)), place, len(rows), self._converges(rows, body))
        earlier = self._sender.recall(batch)
        # An earlier try may have had no place for the rejects.
        if earlier is not None and (not earlier.refusals or self._rejects.has(batch.name)):
            self._rejects.confirm(batch.name, rows, were_refused=bool(earlier.refusals))
            self._count(rows, earlier, replayed=True)
            return
        if self._sender.was_split(batch):
            self._deliver_halves(batch, rows)
            return
        if self._ledger is not None:
            self._ledger.sending(rows.fingerprints)
        try:
            answer = self._sender.send(body, batch)
        except AltcraftRequestTooLarge as error:
            if len(rows) == 1:
                self._refuse(batch.name, rows, [Refusal(0, error.code, error.debug or error.text)])
                return
            # The installation's limit is lower than ours: halves are other batches, with names of their own.
            self._sender.split(batch)
            self._deliver_halves(batch, rows)
            return
        if self._destination.makes_task and answer.task_id:
            self._follow(batch.name, rows, answer.task_id, replayed=answer.replayed)
        else:
            self._take(batch, rows, answer)

    def _deliver_halves(self, batch: Batch, rows: Rows) -> None:
        half = len(rows) // 2
        for number, part in enumerate((rows.slice(0, half), rows.slice(half))):
            self._deliver_batch(f"{batch.place}.{number}", part, self._body(part))

    def _body(self, rows: Rows) -> bytes:
        is_flat, items_of = rows.records.is_flat, self._destination.items_of
        body = self._frame.join([items_of(part, is_flat=is_flat) for part in rows.records.parts])
        # Held twice, rows would take twice the memory for as long as Altcraft thinks.
        rows.records = Packed(body, self._frame, len(rows), self._destination.record_of, is_flat=is_flat)
        return body

    def _converges(self, rows: Rows, body: bytes) -> bool:
        return rows.records.is_flat or converges(body, self._frame, wrapped=self._destination.endpoint.wrapped)

    def _digest(self, body: bytes) -> str:
        """Where the rows of a batch go and what they say, the same at any try."""
        digest = sha256(self._place)
        digest.update(self._frame.array_of(body))
        return digest.hexdigest()[:32]

    def _name(self, digest: str) -> str:
        """The name of a batch: the same rows a second time in one delivery are another."""
        with self._lock:
            self._seen[digest] += 1
            times = self._seen[digest]
        return digest if times == 1 else f"{digest}-{times}"

    def _checked_name(self, place: int, body: bytes) -> str:
        """The name of a batch, once it has been compared with what an earlier try sent at its place."""
        digest = self._digest(body)
        known, name = self._sender.check(place, digest), self._name(digest)
        return known or name

    def _follow(self, batch: str, rows: Rows, task_id: str, *, replayed: bool) -> None:
        """Note the task that will tell what became of a batch."""
        self._rejects.hold(batch, rows)
        with self._lock:
            self._count_sent(rows, replayed=replayed)
            self.report.task_ids.append(task_id)
            self.tasks.append(TaskBatch(task_id, batch, len(rows)))
            self._progress(self.report, self._in_flight)

    def _take(self, batch: Batch, rows: Rows, answer: BatchReply) -> None:
        """Act on what Altcraft said of a batch. It is settled last: a try that ends before that does it all again."""
        if self._destination.makes_task:
            # Without the id of a task, nobody can be asked what became of the rows.
            verdict = BatchAnswer(accepted=0, unaccounted=len(rows))
        else:
            verdict = self._destination.read(answer.data, len(rows))
        self._rejects.keep(batch.name, rows, verdict.refusals, answered=not verdict.unaccounted)
        if not verdict.unaccounted:
            # An answer from memory may be older than what another try sent of the same rows. One that speaks of no
            # row says that the request was taken, not that each row was.
            told = self._destination.accounts_for_rows(answer.data, verdict)
            if self._ledger is not None and told and not answer.replayed:
                refused = {refusal.position for refusal in verdict.refusals}
                self._ledger.accepted([found for place, found in enumerate(rows.fingerprints) if place not in refused])
            self._sender.settle(batch, verdict)
        self._count(rows, verdict, replayed=answer.replayed)

    def _count(self, rows: Rows, verdict: BatchAnswer, *, replayed: bool) -> None:
        with self._lock:
            self._count_sent(rows, replayed=replayed)
            self._count_verdict(rows, verdict)
            self._progress(self.report, self._in_flight)

    def _count_sent(self, rows: Rows, *, replayed: bool) -> None:
        self.report.sent += len(rows)
        self.report.requests += 1
        self.report.replayed += replayed

    def _count_verdict(self, rows: Rows, verdict: BatchAnswer) -> None:
        self.report.count(verdict)
        if self._watermark is not None and (verdict.refusals or verdict.unaccounted):
            first = min((refusal.position for refusal in verdict.refusals), default=0)
            self.report.hold(rows.numbers[first], plain(rows.safe_watermark(first)))

    def _refuse_keyless(self, rows: Rows) -> None:
        refusals = [Refusal(place, 0, NO_KEY) for place in range(len(rows))]
        self._refuse(_unsent(rows), rows, refusals)

    def _refuse_oversized(self, rows: Rows, size: int) -> None:
        reason = f"alone it makes a request of {size:,} bytes, over the limit of {self._limit}"
        self._refuse(_unsent(rows), rows, [Refusal(0, 0, reason)])

    def _refuse(self, batch: str, rows: Rows, refusals: list[Refusal]) -> None:
        """Count rows that are not sent."""
        self._rejects.keep(batch, rows, refusals)
        with self._lock:
            self.report.sent += len(rows)
            self._count_verdict(rows, BatchAnswer(accepted=0, refusals=refusals))


def keep_refusals(task: TaskBatch, answer: TaskAnswer, rejects: Rejects, destination: Destination) -> bool:
    """Keep the rows that a finished task refused, with their reasons, as soon as they are known.

    :returns: whether the rows could be reached.
    """
    if not rejects.reaches(task.batch):
        return False
    verdict = answer.against(task.rows, destination.read)
    return rejects.keep_held(task.batch, verdict.refusals, answered=not verdict.unaccounted)


def settle(
    report: Report,
    tasks: Iterable[TaskBatch],
    rejects: Rejects,
    *,
    destination: Destination,
    outcomes: Mapping[str, TaskOutcome],
    ask: Callable[[str], tuple[TaskAnswer, TaskOutcome]],
) -> list[str]:
    """Count what the finished tasks said of their rows. Rejects that an earlier try kept stay as they are.

    :param report: of the delivery that made the tasks.
    :param destination: which reads the answers.
    :param outcomes: what the wait found, by the ids of the tasks. The rows of a task that failed were not taken, unless
        it says so row by row.
    :param ask: asks for the result of a task again: only where rows were refused and were not kept while it was known.
    :returns: the tasks that refused rows and do not tell any more which; their rows stay put aside.
    """
    forgotten = []
    for task in tasks:
        outcome = outcomes.get(task.task_id)
        answer: TaskAnswer | None = None
        if outcome is None:
            answer, outcome = ask(task.task_id)
        elif outcome.has_reasons and not outcome.is_kept and rejects.location and not rejects.were_kept(task.batch):
            answer = _asked_again(ask, task, outcome)
            if answer is None:
                forgotten.append(task.task_id)
        verdict = (answer or outcome).against(task.rows, destination.read)
        if outcome.failure and not (verdict.itemised and verdict.refusals):
            verdict = refused_batch(-1, f"the task {task.task_id} failed", task.rows)
        report.count(verdict)
        if task.task_id in forgotten:
            continue
        if not outcome.is_kept:
            is_kept = rejects.keep_held(task.batch, verdict.refusals, answered=not verdict.unaccounted)
            report.lost += 0 if is_kept else len(verdict.refusals)
        rejects.release(task.batch)
    return forgotten


def _asked_again(
    ask: Callable[[str], tuple[TaskAnswer, TaskOutcome]], task: TaskBatch, outcome: TaskOutcome
) -> TaskAnswer | None:
    """The answer with its reasons, if the task still gives it."""
    try:
        answer, again = ask(task.task_id)
    except AltcraftError:
        return None
    return (
        answer if (again.error, again.items, again.refused) == (outcome.error, outcome.items, outcome.refused) else None
    )


def _limit_setting(destination: Destination) -> str:
    """The setting that says how large a request may be."""
    return "max_body_bytes_with_files" if destination.has_files else "max_body_bytes"


def _unsent(rows: Rows) -> str:
    """A name for rows that become no batch: the same rows have the same at any try."""
    digest = sha256(b"\n".join(rows.records)).hexdigest()[:16]
    return f"row-{rows.numbers[0]}-{digest}"


def _is_empty(value: Any) -> bool:
    return is_null(value) or value in ("", [], ())


def _without(fields: Sequence[str], source: Source[Any]) -> Callable[[Sequence[Any]], list[int]]:
    """Finds the rows that have none of these fields."""
    columns = source.columns(fields)

    def places(rows: Sequence[Any]) -> list[int]:
        read = columns(rows)
        if not read or any(set(map(type, column)) <= {str, int} and "" not in column for column in read):
            return []
        return [place for place, values in enumerate(zip(*read, strict=True)) if all(map(_is_empty, values))]

    return places
