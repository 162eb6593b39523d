"""Rows in, requests out, a report at the end. Memory holds one batch per request in flight, however many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress
from threading import Lock
from typing import Any, Protocol

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.answers import BatchAnswer, Reject, TaskAnswer, TaskOutcome, rejected_batch
from airflow_provider_altcraft.delivery.batching import Batch, BatchLimits, Rows, batches
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
    """The answer to a batch."""

    @property
    def data(self) -> Any:
        """The payload of the answer."""

    @property
    def task_id(self) -> str | None:
        """The task that Altcraft made of the batch."""

    @property
    def replayed(self) -> bool:
        """Whether an earlier try had sent it."""


class Sender(Protocol):
    """Sends batches, and knows which of them earlier tries sent."""

    @property
    def must_check(self) -> bool:
        """Whether an earlier try may have sent batches, so that each must be compared before it is sent."""

    def check(self, place: int, digest: str) -> str | None:
        """Compare a batch with the one that an earlier try sent at its place.

        :param digest: the first part of its name.
        :returns: the name it had then, if it is the same.
        :raises AltcraftError: if the source has changed so that rows would be sent twice that must not be.
        """

    def send(self, body: bytes, batch: Batch) -> BatchReply:
        """Send a body."""

    def recall(self, batch: Batch) -> BatchAnswer | None:
        """The final answer that an earlier try got for a batch, if any."""

    def settle(self, batch: Batch, verdict: BatchAnswer) -> None:
        """Record what became of a batch, once it is completely dealt with."""

    def split(self, batch: Batch) -> None:
        """Record that a batch is sent as two halves."""

    def was_split(self, batch: Batch) -> bool:
        """Whether an earlier try sent it as halves; it must not be sent as a whole then."""


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """A batch that Altcraft processes as a task."""

    task_id: str
    batch: str
    rows: int


@dataclass(slots=True)
class Forecast:
    """What sending some rows would take.

    :param rows: rows that would be sent.
    :param skipped: rows that would be skipped.
    :param keyless: rows that would be rejected for lack of a value to find their profile by.
    :param oversized: rows that would be rejected because they are too large for a request.
    """

    rows: int = 0
    skipped: int = 0
    keyless: int = 0
    oversized: int = 0
    requests: int = 0
    body_bytes: int = 0


class Delivery:
    """One delivery of rows to one destination. ``report``, ``tasks`` and ``batches`` (how many) are its outcome.

    One thread reads, encodes and cuts rows into batches, while worker threads send them and wait for the answers.

    :param destination: where the rows go.
    :param frame: the bytes around the rows of a body.
    :param sender: sends the bodies.
    :param place: identifies the installation and the place in it; part of the names of batches.
    :param batch_size: maximum rows per request; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_body_bytes: maximum bytes per request.
    :param max_in_flight: maximum concurrent requests.
    :param rejects: where rejected rows are kept.
    :param progress: called after each batch with the report and the number of requests in flight.
    :param abort: ends the requests in flight at once and lets no others begin.
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
        self._limits = BatchLimits(
            items=batch_size,
            body_bytes=max_body_bytes,
            frame_bytes=frame.size,
            wrap_bytes=destination.wrap_bytes,
        )
        self.max_body_bytes = max_body_bytes
        self._limit = f"{max_body_bytes:,} ({_limit_setting(destination)} in the connection's extra)"
        if frame.size > max_body_bytes:
            raise AltcraftConfigurationError(
                f"{destination.endpoint.name}: even without rows, a request would be {frame.size:,} bytes, over the"
                f" limit of {self._limit}. Nothing was sent. Upload files first and pass their file_key: it is smaller."
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
        """Encode and cut all rows without sending any, to find out what sending them would take.

        :raises AltcraftConfigurationError: for a value that cannot be written as JSON.
        """
        forecast = Forecast()

        def count_keyless(rows: Rows) -> None:
            forecast.keyless += len(rows)

        def count_oversized(rows: Rows, size: int) -> None:
            forecast.oversized += len(rows)

        for batch in batches(self._encoded(source, count_keyless), self._limits, count_oversized):
            forecast.rows += len(batch)
            forecast.requests += 1
            forecast.body_bytes += self._frame.size + (self._limits.wrap_bytes + 1) * len(batch) - 1
            forecast.body_bytes += batch.records.size
        forecast.skipped, self.report = self.report.skipped, Report()
        return forecast

    def run(self, source: Source[Any], *, ledger: Ledger | None = None, watermark: Watermark | None = None) -> None:
        """Send all rows and count the answers. For destinations that make tasks, ``settle`` counts them later.

        :param ledger: skips rows that have not changed since they were accepted.
        :param watermark: tracks a column of the rows.
        :raises AltcraftError: if a batch could not be delivered; raised once the batches in flight have ended, unless
            the task was killed or is out of time.
        """
        self._ledger, self._watermark = ledger, watermark
        rows = self._encoded(source, self._reject_keyless)
        if ledger is not None:
            rows = self._changed(ledger, rows)
        with Workers(self._max_in_flight, self._abort) as workers:
            for place, batch in enumerate(batches(rows, self._limits, self._reject_oversized)):
                # Wait before building the body: there are never more bodies in memory than requests in flight.
                workers.wait_for_one()
                body = self._body(batch)
                # Hashing is left to the worker thread, except on a retry: then batches must be compared with the
                # earlier try's in order, before any of them is sent.
                name = self._checked_name(place, body) if self._sender.must_check else None
                workers.submit(self._deliver, str(place), batch, body, name)
                self.batches = place + 1
            workers.finish()
        if watermark is not None:
            self.report.watermark = plain(watermark.value)

    def _encoded(self, source: Source[Any], reject: Callable[[Rows], None]) -> Iterator[Rows]:
        """The encoded rows, in chunks; those without a value to find their profile by are rejected here."""
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
                reject(rows.pick(sorted(lost)))
                rows = rows.pick([index for index in range(len(rows)) if index not in lost])
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
        # An earlier try may have had no reject_path; its rejects must be fetched again then.
        if earlier is not None and (not earlier.rejects or self._rejects.has(batch.name)):
            self._rejects.confirm(batch.name, rows, were_rejected=bool(earlier.rejects))
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
                self._reject(batch.name, rows, [Reject(0, error.code, error.debug or error.text)])
                return
            # The installation's limit is lower than ours. Halves are batches of their own, with their own names.
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
        # From here on the rows are read back from the body if needed: keeping both would double the memory for as
        # long as Altcraft takes to answer.
        rows.records = Packed(body, self._frame, len(rows), self._destination.record_of, is_flat=is_flat)
        return body

    def _converges(self, rows: Rows, body: bytes) -> bool:
        return rows.records.is_flat or converges(body, self._frame, wrapped=self._destination.endpoint.wrapped)

    def _digest(self, body: bytes) -> str:
        """A digest of where the rows of a batch go and their content, the same in every try."""
        digest = sha256(self._place)
        digest.update(self._frame.array_of(body))
        return digest.hexdigest()[:32]

    def _name(self, digest: str) -> str:
        """The name of a batch, numbered if the same rows occur more than once in the delivery."""
        with self._lock:
            self._seen[digest] += 1
            times = self._seen[digest]
        return digest if times == 1 else f"{digest}-{times}"

    def _checked_name(self, place: int, body: bytes) -> str:
        """The name of a batch, after comparing it with the one that an earlier try sent at its place."""
        digest = self._digest(body)
        known, name = self._sender.check(place, digest), self._name(digest)
        return known or name

    def _follow(self, batch: str, rows: Rows, task_id: str, *, replayed: bool) -> None:
        """Remember the task that processes a batch, and hold its rows as pending."""
        self._rejects.hold(batch, rows)
        with self._lock:
            self._count_sent(rows, replayed=replayed)
            self.report.task_ids.append(task_id)
            self.tasks.append(TaskBatch(task_id, batch, len(rows)))
            self._progress(self.report, self._in_flight)

    def _take(self, batch: Batch, rows: Rows, answer: BatchReply) -> None:
        """Act on the answer to a batch. It is settled last: if the try dies before that, the next does it all again."""
        if self._destination.makes_task:
            # Without a task id, there is no way to find out what became of the rows.
            verdict = BatchAnswer(accepted=0, unaccounted=len(rows))
        else:
            verdict = self._destination.read(answer.data, len(rows))
        self._rejects.keep(batch.name, rows, verdict.rejects, answered=not verdict.unaccounted)
        if not verdict.unaccounted:
            # The ledger learns only what is certain. A replayed answer may be older than what another try has sent of
            # the same rows, and one that is not about rows only says that the request was accepted.
            is_certain = self._destination.accounts_for_rows(answer.data, verdict) and not answer.replayed
            if self._ledger is not None and is_certain:
                rejected = {reject.position for reject in verdict.rejects}
                accepted = [found for index, found in enumerate(rows.fingerprints) if index not in rejected]
                self._ledger.accepted(accepted)
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
        if self._watermark is not None and (verdict.rejects or verdict.unaccounted):
            first = min((reject.position for reject in verdict.rejects), default=0)
            self.report.hold(rows.numbers[first], plain(rows.safe_watermark(first)))

    def _reject_keyless(self, rows: Rows) -> None:
        rejects = [Reject(index, 0, NO_KEY) for index in range(len(rows))]
        self._reject(_unsent_name(rows), rows, rejects)

    def _reject_oversized(self, rows: Rows, size: int) -> None:
        reason = f"alone it makes a request of {size:,} bytes, over the limit of {self._limit}"
        self._reject(_unsent_name(rows), rows, [Reject(0, 0, reason)])

    def _reject(self, batch: str, rows: Rows, rejects: list[Reject]) -> None:
        """Keep and count rows that are rejected without being sent."""
        self._rejects.keep(batch, rows, rejects)
        with self._lock:
            self.report.sent += len(rows)
            self._count_verdict(rows, BatchAnswer(accepted=0, rejects=rejects))


def keep_rejects(task: TaskBatch, answer: TaskAnswer, rejects: Rejects, destination: Destination) -> bool:
    """Keep the rows that a finished task rejected, with the reasons, as soon as they are known.

    :returns: whether this process could reach the rows.
    """
    if not rejects.reaches(task.batch):
        return False
    verdict = answer.against(task.rows, destination.read)
    return rejects.keep_held(task.batch, verdict.rejects, answered=not verdict.unaccounted)


def settle(
    report: Report,
    tasks: Iterable[TaskBatch],
    rejects: Rejects,
    *,
    destination: Destination,
    outcomes: Mapping[str, TaskOutcome],
    ask: Callable[[str], tuple[TaskAnswer, TaskOutcome]],
) -> list[str]:
    """Count what the finished tasks reported about their rows. Rejects that an earlier try kept are left alone.

    :param report: of the delivery that made the tasks.
    :param destination: reads the answers.
    :param outcomes: what the wait found, by task id. All rows of a failed task count as rejected, unless its answer
        rejects rows one by one.
    :param ask: fetches the result of a task again, if its rejects were not kept when it was first seen.
    :returns: the tasks that rejected rows but no longer say which; their rows stay pending.
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
        if outcome.failure and not (verdict.itemised and verdict.rejects):
            verdict = rejected_batch(-1, f"the task {task.task_id} failed", task.rows)
        report.count(verdict)
        if task.task_id in forgotten:
            continue
        if not outcome.is_kept:
            is_kept = rejects.keep_held(task.batch, verdict.rejects, answered=not verdict.unaccounted)
            report.lost += 0 if is_kept else len(verdict.rejects)
        rejects.release(task.batch)
    return forgotten


def _asked_again(
    ask: Callable[[str], tuple[TaskAnswer, TaskOutcome]], task: TaskBatch, outcome: TaskOutcome
) -> TaskAnswer | None:
    """The answer with its reasons, if the task still gives the same one."""
    try:
        answer, again = ask(task.task_id)
    except AltcraftError:
        return None
    return (
        answer if (again.error, again.items, again.refused) == (outcome.error, outcome.items, outcome.refused) else None
    )


def _limit_setting(destination: Destination) -> str:
    """The setting that limits the size of a request."""
    return "max_body_bytes_with_files" if destination.has_files else "max_body_bytes"


def _unsent_name(rows: Rows) -> str:
    """A batch name for rows that are not sent, the same for the same rows in every try."""
    digest = sha256(b"\n".join(rows.records)).hexdigest()[:16]
    return f"row-{rows.numbers[0]}-{digest}"


def _is_empty(value: Any) -> bool:
    return is_null(value) or value in ("", [], ())


def _without(fields: Sequence[str], source: Source[Any]) -> Callable[[Sequence[Any]], list[int]]:
    """A function that finds the indexes of rows that have none of these fields."""
    columns = source.columns(fields)

    def indexes(rows: Sequence[Any]) -> list[int]:
        values_by_field = columns(rows)
        # Fast path: one key column without gaps is enough.
        if not values_by_field or any(
            set(map(type, column)) <= {str, int} and "" not in column for column in values_by_field
        ):
            return []
        return [index for index, values in enumerate(zip(*values_by_field, strict=True)) if all(map(_is_empty, values))]

    return indexes
