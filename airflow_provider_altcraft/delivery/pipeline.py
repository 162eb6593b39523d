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
from airflow_provider_altcraft.delivery.answers import (
    BatchAnswer,
    Refusal,
    read_items,
    read_task_result,
    refused_batch,
)
from airflow_provider_altcraft.delivery.batching import Item, Limits, batches
from airflow_provider_altcraft.delivery.destinations import Destination
from airflow_provider_altcraft.delivery.mapping import ProfileEncoder
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.delivery.report import Report
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


Send = Callable[[bytes, str], Answer]
"""Sends a body; the second argument is the digest of its rows, which names the batch on any try."""


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """A batch that Altcraft made a task of."""

    task_id: str
    batch: str
    rows: int


class Delivery:
    """One delivery of rows to one destination. ``report`` and ``tasks`` say what came of it.

    :param destination: where the rows go.
    :param frame: the bytes around the rows of a body.
    :param send: how a body is sent.
    :param encoder: how a profile is written.
    :param batch_size: rows per request at most; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_body_bytes: bytes per request at most.
    :param max_in_flight: requests at a time.
    :param rejects: where rejected rows are kept.
    :param progress: told after each batch.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        frame: Frame,
        send: Send,
        encoder: ProfileEncoder,
        batch_size: int,
        max_body_bytes: int,
        max_in_flight: int,
        rejects: Rejects,
        progress: Callable[[Report], None] = lambda report: None,
    ) -> None:
        if max_in_flight < 1:
            raise AltcraftConfigurationError(f"max_in_flight must be at least 1, not {max_in_flight}.")
        self._destination = destination
        self._key_fields = destination.key_fields
        self._before, self._after = destination.wrap
        self._frame = frame
        self._send = send
        self._encoder = encoder
        self._limits = Limits(
            items=batch_size,
            body_bytes=max_body_bytes,
            frame_bytes=frame.size,
            wrap_bytes=len(self._before) + len(self._after),
        )
        self._max_in_flight = max_in_flight
        self._rejects = rejects
        self._progress = progress
        self._lock = Lock()
        self._seen: Counter[str] = Counter()
        self.report = Report()
        self.tasks: list[TaskBatch] = []

    def check(self, profiles: Iterable[Mapping[str, Any]]) -> None:
        """Write and cut all rows without sending any, to refuse what cannot be sent before the first call.

        :raises AltcraftConfigurationError: for a row over the limits, or a value without a form in JSON.
        """
        items = (Item(row, self._encoder.encode(profile)) for row, profile in enumerate(profiles, start=1))
        for _ in batches(items, self._limits):
            pass

    def run(self, profiles: Iterable[Mapping[str, Any] | None]) -> None:
        """Send all rows and count the answers. Of a destination that makes tasks, ``settle`` counts them later.

        :param profiles: one for each row; ``None`` for a row that needs no sending.
        :raises AltcraftError: if a batch could not be delivered; the batches in flight are waited for first.
        """
        in_flight: set[Future[None]] = set()
        with ThreadPoolExecutor(self._max_in_flight, thread_name_prefix="altcraft") as pool:
            for batch in batches(self._items(profiles), self._limits):
                if len(in_flight) >= self._max_in_flight:
                    in_flight = _finished(in_flight)
                in_flight.add(pool.submit(self._deliver, batch))
            while in_flight:
                in_flight = _finished(in_flight)

    def _items(self, profiles: Iterable[Mapping[str, Any] | None]) -> Iterator[Item]:
        report = self.report
        for row, profile in enumerate(profiles, start=1):
            report.read = row
            if profile is None:
                report.skipped += 1
                continue
            item = Item(row, self._encoder.encode(profile))
            if all(profile.get(name) in (None, "") for name in self._key_fields):
                self._refuse(f"row-{row}", [item], [Refusal(0, 0, NO_KEY)])
            else:
                yield item

    def _deliver(self, items: list[Item]) -> None:
        body, digest = self._body(items)
        try:
            answer = self._send(body, digest)
        except AltcraftRequestTooLarge as error:
            if len(items) == 1:
                self._refuse(digest, items, [Refusal(0, error.code, error.debug or error.text)])
                return
            # The installation's limit is lower than ours: halves are other batches, with names of their own.
            half = len(items) // 2
            self._deliver(items[:half])
            self._deliver(items[half:])
            return
        self._count(digest, items, answer)

    def _body(self, items: list[Item]) -> tuple[bytes, str]:
        wrapped = [self._before + item.record + self._after for item in items]
        digest = sha256(b"\n".join(item.record for item in items)).hexdigest()[:32]
        with self._lock:
            self._seen[digest] += 1
            times = self._seen[digest]
        # The same rows a second time in one delivery are another batch, at every try.
        return self._frame.join(wrapped), digest if times == 1 else f"{digest}-{times}"

    def _count(self, batch: str, items: list[Item], answer: Answer) -> None:
        """Count a batch that was sent, or note the task that will tell."""
        if self._destination.makes_task and answer.task_id:
            self._rejects.hold(batch, items)
        else:
            verdict = read_items(answer.data, len(items))
            self._rejects.keep(batch, items, verdict.refusals)
        with self._lock:
            self.report.sent += len(items)
            self.report.requests += 1
            self.report.replayed += answer.replayed
            if self._destination.makes_task and answer.task_id:
                self.report.task_ids.append(answer.task_id)
                self.tasks.append(TaskBatch(answer.task_id, batch, len(items)))
            else:
                self.report.count(verdict)
            self._progress(self.report)

    def _refuse(self, batch: str, items: list[Item], refusals: list[Refusal]) -> None:
        """Count rows that are not sent."""
        self._rejects.keep(batch, items, refusals)
        with self._lock:
            self.report.sent += len(items)
            self.report.count(BatchAnswer(accepted=0, refusals=refusals))


def settle(
    report: Report,
    tasks: Iterable[TaskBatch],
    rejects: Rejects,
    *,
    task_status: Callable[[str], Mapping[str, Any]],
    succeeded: Callable[[Mapping[str, Any]], bool],
) -> None:
    """Count what the finished tasks say of their rows.

    :param report: of the delivery that made the tasks.
    :param task_status: the ``data`` of ``tasks/status`` for a task id.
    :param succeeded: whether such a status is that of a task that ended well. The rows of one that did not were
        not taken, unless it says so row by row.
    """
    for task in tasks:
        status = task_status(task.task_id)
        verdict = read_task_result(status.get("result"), task.rows)
        if not succeeded(status) and not (verdict.itemised and verdict.refusals):
            verdict = refused_batch(-1, f"the task {task.task_id} failed", task.rows)
        rejects.keep(task.batch, rejects.held(task.batch), verdict.refusals)
        rejects.release(task.batch)
        report.count(verdict)


def _finished(in_flight: set[Future[None]]) -> set[Future[None]]:
    """Wait until a request is done; its error, if it had one, is ours."""
    done, running = wait(in_flight, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return running
