"""The batches of a delivery, each sent once, and what a later try must know of them.

A batch is named by where its rows go and what they say, so a batch that is cut differently is another one. What reaches
people is therefore never sent again by a delivery whose source has changed: each batch is compared with what an earlier
try sent at its place before anything goes out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.api.endpoints import endpoint as catalogued
from airflow_provider_altcraft.api.request import encode
from airflow_provider_altcraft.delivery.answers import BatchAnswer, Reject
from airflow_provider_altcraft.delivery.batching import Batch
from airflow_provider_altcraft.delivery.pipeline import TaskBatch
from airflow_provider_altcraft.exceptions import AltcraftLaunchConflict, AltcraftOutcomeUnknown
from airflow_provider_altcraft.launching.delivery_records import DeliveryRecord, DeliveryRecords
from airflow_provider_altcraft.launching.identity import BatchLaunch, Identity, fingerprint
from airflow_provider_altcraft.launching.launcher import Launched, Launcher
from airflow_provider_altcraft.launching.record import LARGEST_PARAMS, Store
from airflow_provider_altcraft.launching.tries import Tries

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.client import AltcraftClient


class DeliveryLauncher:
    """Sends the batches of one delivery.

    :param client: calls Altcraft.
    :param identity: of the task, with the generation of its last clear.
    :param endpoint: that takes the batches.
    :param tries: of the task instance before this one.
    :param store: what earlier tries kept; ``None`` where nothing is kept.
    :param is_complete: whether the store has been there since the first try, so that what it does not hold was never
        sent.
    :param relaunch_on_clear: whether a clear sends everything again; if not given, it does where that harms nobody.
    :param before: called before each batch; raises to stop.
    :param log: told of what an earlier try did.
    """

    def __init__(
        self,
        client: AltcraftClient,
        identity: Identity,
        endpoint: str,
        *,
        tries: Tries,
        store: Store | None,
        is_complete: bool = True,
        relaunch_on_clear: bool | None = None,
        before: Callable[[], None] = lambda: None,
        log: Callable[[str], None],
    ) -> None:
        self._client = client
        self._identity = identity
        self._endpoint = endpoint
        self._tries = tries
        self._is_complete = is_complete
        self._relaunch_on_clear = relaunch_on_clear
        self._before = before
        self._log = log
        self._kept = DeliveryRecords(
            store, max_tries=tries.max_tries, reaches_people=self.reaches_people, is_redone=self._is_redone
        )
        # Noting a change of the source reads what was kept and writes it again; batches are sent by several threads.
        self._record_lock = Lock()
        self._has_told_change = False
        self._has_changed = False
        self._last_function: int | None = None
        self._content = ""

    @property
    def reaches_people(self) -> bool:
        """Whether a batch that is sent twice does its work twice, as far as the endpoint tells."""
        return not catalogued(self._endpoint).converges

    @property
    def has_begun(self) -> bool:
        """Whether an earlier try has noted the delivery."""
        return self._kept.found() is not None

    def begin(self, params: Mapping[str, Any], *, is_private: bool = False) -> Mapping[str, Any]:
        """Note the delivery, or take up what an earlier try began.

        :param params: what stands around the rows of a body, as the arguments say it now.
        :param is_private: whether they hold what must not be kept.
        :returns: the parameters to send with: at a retry, those of the first try.
        :raises AltcraftLaunchConflict: if the task was cleared, and they are not those it delivered with.
        :raises AltcraftOutcomeUnknown: if nobody can tell what was delivered.
        """
        content, shown = fingerprint(params), json.loads(encode(params))
        self._content = content
        found = self._kept.found()
        if found is None or (found.max_tries != self._tries.max_tries and self._is_redone(not self.reaches_people)):
            if found is None:
                self._check_unrecorded()
            kept = None if is_private or len(json.dumps(shown)) > LARGEST_PARAMS else shown
            record = DeliveryRecord(self._endpoint, self._tries.max_tries, content, kept)
            if found is not None and not self._is_redone(False):
                self._last_function = found.last_function
                record = replace(record, revision=found.revision, last_function=found.last_function)
            self._kept.keep(record)
            # Batches of another generation may be known all the same.
            self._kept.is_resumed = found is not None
            return params
        self._kept.delivery, self._kept.is_resumed, self._last_function = found, True, found.last_function
        self._has_changed = found.revision > 0
        if (found.content == content and found.endpoint == self._endpoint) or not self.reaches_people:
            if found.max_tries != self._tries.max_tries:
                # From here on a retry means this delivery; whether the source still says the same is asked first.
                self._kept.keep(replace(found, max_tries=self._tries.max_tries, report=None))
            return params
        if found.max_tries != self._tries.max_tries:
            raise AltcraftLaunchConflict(
                f"{self._endpoint}: in this DAG run, this task delivered rows with other content, settings or place"
                f" than its arguments say since it was cleared. Nothing was sent. {WAYS_OUT}"
            )
        if found.report is None and not self._can_go_on(found, params):
            raise AltcraftOutcomeUnknown(
                f"{self._endpoint}: an earlier try delivered rows with other content, settings or place than its"
                f" arguments render to now, and what it said cannot be repeated. Nothing more was sent. {WAYS_OUT}"
            )
        self._log(
            f"{self._endpoint}: an earlier try began this delivery with other arguments than they render to now, and a"
            " retry is the same delivery: it goes on as it was begun."
        )
        return found.params if found.params is not None else params

    def _can_go_on(self, begun: DeliveryRecord, params: Mapping[str, Any]) -> bool:
        """Whether the rest of the rows can be sent as the first were: said the same, and looked for the same way."""
        if begun.params is None or begun.endpoint != self._endpoint:
            return False
        return all(begun.params.get(name) == params.get(name) for name in ("matching", "field_name"))

    def _check_unrecorded(self) -> None:
        """Stop where a clear could send people what they had, since nothing was kept of what was sent.

        :raises AltcraftOutcomeUnknown: if it could.
        """
        if self._tries.since is None or not self.reaches_people or (self._kept.are_kept and self._is_complete):
            return
        if self._tries.cleared:
            raise AltcraftOutcomeUnknown(
                f"{self._endpoint}: the task was cleared, and nothing kept says what it had delivered by then. Nothing"
                " was sent. If nothing was delivered, or all of it is to go out again, set relaunch_on_clear=True and"
                " clear it; else start a new DAG run whose query leaves out what was delivered. With record_path in the"
                " connection's extra, or with reject_path, Airflow before 3.3 can tell."
            )
        self._log(
            f"{self._endpoint}: nothing is kept of what an earlier try sent. The same rows in the same order"
            " are not delivered twice; rows that moved into another batch would be. record_path in the connection's"
            " extra prevents that."
        )

    @property
    def completed(self) -> tuple[dict[str, Any], list[TaskBatch]] | None:
        """Report and tasks of a delivery whose last batch was answered at an earlier try, so that nothing is read.

        Only of what reaches people, and at a retry: a clear asks whether the source still says the same.
        """
        record = self._kept.delivery
        if not self._kept.is_resumed or record is None or record.report is None or not self.reaches_people:
            return None
        if record.max_tries != self._tries.max_tries:
            return None
        tasks = [task for place in range(record.batches or 0) for task in self._kept.tasks(str(place))]
        self._log(f"{self._endpoint}: an earlier try delivered all of its rows; nothing is read or sent again.")
        return record.report, tasks

    def complete(self, batches: int, report: dict[str, Any]) -> None:
        """Note that the last batch was answered.

        :param batches: how many there were.
        :param report: the counters, without the ids of tasks.
        :raises AltcraftLaunchConflict: if an earlier try delivered more than the source holds now.
        """
        record = self._kept.delivery
        if record is None:
            return
        if self._kept.is_resumed and self.reaches_people:
            beyond = self._kept.batch(str(batches))
            if (record.batches or 0) > batches or (
                beyond is not None and self._kept.holds(beyond) and beyond.may_have_happened
            ):
                sent = record.batches or f"at least {batches + 1}"
                raise self._changed(f"it delivered {sent} batches, and the source makes {batches} now")
        self._kept.keep(replace(record, batches=batches, report=report))

    def check(self, place: int, digest: str) -> str | None:
        """Compare a batch with what an earlier try sent at its place, before anything of it is sent.

        :param place: of the batch in the delivery, from 0.
        :param digest: what its name begins with.
        :returns: the name it had then, if it is the same.
        :raises AltcraftLaunchConflict: if the source has changed, and what was sent must not be sent again.
        """
        delivery = self._kept.delivery
        if not self._kept.is_resumed or delivery is None:
            return None
        before = self._kept.batch(str(place))
        is_other = before is not None and before.name.partition("-")[0] != digest
        self._has_changed = self._has_changed or is_other
        if before is not None and not self._kept.holds(before):
            return None
        if before is None:
            if delivery.batches is not None and self.reaches_people:
                raise self._changed(f"it delivered {delivery.batches} batches, and the source makes more now")
            return None
        if is_other:
            if self.reaches_people or not before.converges:
                raise self._changed(f"batch {place + 1} holds other rows than it did")
            if not self._has_told_change:
                self._has_told_change = True
                with self._record_lock:
                    self._kept.keep(replace(self._kept.delivery or delivery, revision=self._kept.revision + 1))
                self._log(
                    f"{self._endpoint}: the source has changed since an earlier try: batch {place + 1} holds other rows"
                    " than it did. They are sent, and what is stored comes out the same."
                )
            return None
        return before.name

    @property
    def must_check(self) -> bool:
        """Whether an earlier try may have sent batches, so that each is named and compared before it goes out."""
        return self._kept.is_resumed

    def send(self, body: bytes, batch: Batch) -> Launched:
        """Send a batch."""
        self._before()
        if self.reaches_people or not batch.converges:
            self._check_overtaken(batch)
        converges = batch.converges and not self.reaches_people
        is_redone = self._is_redone(converges)
        if not self.reaches_people:
            self._prepare(batch)
        launcher = Launcher(
            self._client,
            self._identity if is_redone else replace(self._identity, generation=0),
            # A delivery of which records are kept would have kept one of each batch that was sent.
            tries=replace(self._tries, cleared=False) if self._kept.is_resumed and self._is_complete else self._tries,
            # What converges needs no record of its request: sent again, it comes out the same.
            records=None if converges else self._kept.launches(batch, is_complete=self._is_complete),
            is_redone_on_clear=is_redone,
            log=self._log,
        )
        # One id never has two bodies. What reaches people keeps its id, whatever else it says: two are two launches.
        which = [batch.name, self._content, *([self._kept.revision] if self._kept.revision else [])]
        name = fingerprint(which) if converges else batch.name
        launch = BatchLaunch(self._endpoint, {}, is_idempotent=converges, name=name, body=body)
        return launcher.launch(launch, now=datetime.now(UTC))

    def _prepare(self, batch: Batch) -> None:
        """Note a batch of a destination that takes rows twice without harm, before it is sent.

        :raises AltcraftLaunchConflict: for field functions that may have acted at another place of an earlier try.
        """
        if not self._kept.are_kept:
            return
        if batch.converges:
            # After this try, the rows are no more what an earlier one sent.
            if self._kept.is_resumed and self._kept.same(batch) is None:
                self._kept.keep_batch(batch)
            return
        place, last = int(batch.place.partition(".")[0]), self._last_function
        if last is not None and (self._has_changed or place <= last) and self._kept.same(batch) is None:
            raise self._changed(f"batch {place + 1} holds field functions, which may have acted from another place")
        with self._record_lock:
            record = self._kept.delivery
            if record is not None and (record.last_function is None or record.last_function < place):
                self._kept.keep(replace(record, last_function=place))

    def _check_overtaken(self, batch: Batch) -> None:
        """Stop a try that was given up, whose successor has sent other rows in this place.

        :raises AltcraftLaunchConflict: if it has.
        """
        found = self._kept.batch_now(batch.place)
        if found is None:
            return
        if found.name != batch.name:
            raise self._changed(f"batch {batch.place} was sent with other rows in the meantime")
        self._kept.believe(batch.place, found)

    def recall(self, batch: Batch) -> BatchAnswer | None:
        """What an earlier try made of a batch, if that was its end. Why rows were refused stands in the rejects."""
        record = self._kept.same(batch)
        if record is None or record.outcome is None:
            return None
        outcome = record.outcome
        rejects = [Reject(0, int(code), "") for code, times in outcome["rejected"].items() for _ in range(times)]
        return BatchAnswer(outcome["accepted"], rejects, itemised=outcome["itemised"])

    def settle(self, batch: Batch, answer: BatchAnswer) -> None:
        """Note what became of a batch, now that nothing of it is left to do. Neither rows nor texts are kept."""
        codes = Counter(str(reject.code) for reject in answer.rejects)
        outcome = {"accepted": answer.accepted, "rejected": dict(codes), "itemised": answer.itemised}
        self._kept.keep_batch(batch, outcome=outcome)

    def split(self, batch: Batch) -> None:
        """Note that a batch is sent as halves."""
        self._kept.keep_batch(batch, is_split=True)

    def was_split(self, batch: Batch) -> bool:
        """Whether an earlier try sent it as halves."""
        record = self._kept.same(batch)
        return record is not None and record.is_split

    def _is_redone(self, converges: bool) -> bool:
        return converges if self._relaunch_on_clear is None else self._relaunch_on_clear

    def _changed(self, what: str) -> AltcraftLaunchConflict:
        return AltcraftLaunchConflict(
            f"{self._endpoint}: the source has changed since an earlier try of this task: {what}. Rows that were sent"
            " would be sent again, so nothing more was sent. Start a new DAG run whose query leaves out what was"
            " delivered; or, if all of it is to go out again, set relaunch_on_clear=True and clear the task."
        )


WAYS_OUT = (
    "Put the arguments back and clear the task; or, if all of it is to go out again, set relaunch_on_clear=True and"
    " clear it."
)
