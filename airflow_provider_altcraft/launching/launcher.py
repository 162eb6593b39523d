"""The launch protocol: at most one launch per target and run, whatever dies and whenever.

The Request-ID is derived, not random: the same launch has the same id at any try on any worker, and Altcraft answers a
repeated id from its memory (CONTRACT 1.8). Where something keeps records between tries, the intent is kept before the
call and the answer after it. ``plan`` decides by them; where neither side can tell what happened, the launch stops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.api.objects import identifier
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.request import encode
from airflow_provider_altcraft.exceptions import AltcraftRejected, AltcraftTransportError
from airflow_provider_altcraft.launching import conflicts
from airflow_provider_altcraft.launching.differences import difference
from airflow_provider_altcraft.launching.identity import Identity, Launch
from airflow_provider_altcraft.launching.plan import EPOCH, Memory, Probe, Resume, Send, Stop, plan
from airflow_provider_altcraft.launching.record import LaunchRecord, Records, Stage, hidden_print, kept_params
from airflow_provider_altcraft.launching.replays import STILL_UNDERWAY, Announced, Whose, is_old_refusal, whose
from airflow_provider_altcraft.launching.tries import Tries

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.client import AltcraftClient

# What the floors above import.
__all__ = ["Announced", "Launched", "Launcher", "LookUp", "Sighting", "nothing_can_tell"]

PASSED_OVER = 5
"""Remembered answers that one launch passes over, each to the next derived id."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What came of a launch.

    :param params: the parameters it was launched with, which at a retry may be others than those of today; without
        what is never kept, if they are.
    :param data: the payload of the answer.
    :param task_id: the task that Altcraft made of it.
    :param request_id: the Request-ID it happened under.
    :param replayed: it happened at an earlier try, or its answer was lost once.
    :param mark: where the mailing's log stood before it; ``None`` if it was at an earlier try and nothing kept that.
    :param began: no later than the launch, by the server's clock; ``None`` as with ``mark``.
    """

    params: Mapping[str, Any]
    data: Any
    task_id: str | None
    request_id: str
    replayed: bool
    mark: dict[str, Any] | None = None
    began: datetime | None = None

    @property
    def saved_id(self) -> int:
        """The id of the object that was created.

        :raises AltcraftConfigurationError: if the answer names none.
        """
        saved = self.data.get("saved_id") if isinstance(self.data, dict) else None
        return identifier("the saved_id of Altcraft's answer", saved)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a probe looks for: a launch that happened after a mark, or between two moments by the server's clock."""

    params: Mapping[str, Any]
    since: datetime
    until: datetime | None
    mark: Mapping[str, Any] | None


LookUp = Callable[[Sighting], bool | None]
"""Looks in Altcraft whether a launch happened: yes, no, or nothing can tell."""


def nothing_can_tell(sighting: Sighting) -> None:
    """The probe where Altcraft shows nothing."""


class Launcher:
    """Launches for one task instance.

    :param client: calls Altcraft.
    :param identity: of the task.
    :param tries: of the task instance before this one.
    :param records: what earlier tries kept; ``None`` where nothing is kept.
    :param siblings: what another mapped instance of the task says of the launch with a Request-ID; and whether one that
        has just begun again is given a moment to say so.
    :param is_redone_on_clear: whether a clear is another launch.
    :param log: told of replays and of what differs from an earlier try.
    """

    def __init__(
        self,
        client: AltcraftClient,
        identity: Identity,
        *,
        tries: Tries,
        records: Records | None = None,
        siblings: Callable[[str, bool], Announced | None] = lambda request_id, is_patient: None,
        is_redone_on_clear: bool = False,
        log: Callable[[str], None],
    ) -> None:
        self._client = client
        self._identity = identity
        self._tries = tries
        self._records = records
        self._siblings = siblings
        self._is_redone_on_clear = is_redone_on_clear
        self._log = log

    def launch(
        self,
        launch: Launch,
        *,
        now: datetime,
        look_up: LookUp = nothing_can_tell,
        mark: Mapping[str, Any] | None = None,
    ) -> Launched:
        """Make a call that must happen once.

        :param now: the server's clock, to tell this launch from earlier ones.
        :param look_up: how to find out whether it happened, where Altcraft's memory does not help.
        :param mark: where the mailing's log stands now.
        :raises AltcraftLaunchConflict: if what was launched is not what the arguments say.
        :raises AltcraftOutcomeUnknown: if it may have happened and nothing can tell.
        :raises AltcraftError: if it did not happen, or the same call again will tell.
        """
        while True:
            known = self._counting()
            memory = Memory(self._client.settings.window_of(launch.endpoint), now)
            decision = plan(
                launch,
                known,
                self._tries,
                memory,
                is_complete=self._records is not None and self._records.is_complete,
                is_mapped=self._identity.is_mapped,
                is_redone_on_clear=self._is_redone_on_clear,
            )
            if isinstance(decision, Stop):
                raise conflicts.other_content(launch, decision.record)
            if isinstance(decision, Probe):
                decision = self._looked(launch, decision, look_up)
            if isinstance(decision, Resume):
                return self._resumed(launch, decision.record)
            theirs = self._untold(launch, decision.record, memory)
            if theirs is not None:
                return self._launched_by(theirs, launch, decision.record, now)
            launched = self._sent(launch, decision, known, now, look_up, dict(mark) if mark is not None else None)
            if launched is not None:
                return launched

    def _counting(self) -> list[LaunchRecord]:
        """What earlier tries kept of this launch, as it is now."""
        return [] if self._records is None else [record for record in self._records.all() if self._counts(record)]

    def _looked(self, launch: Launch, decision: Probe, look_up: LookUp) -> Resume | Send:
        """What to do once it was looked whether an earlier try launched it.

        Without a record, a start in the log may be anybody's.

        :raises AltcraftOutcomeUnknown: if nothing can tell.
        """
        record = decision.record
        if record is not None:
            until = (record.last_sent or decision.earlier) + STILL_UNDERWAY
            if look_up(Sighting(record.params, decision.earlier, until, record.mark)):
                return Resume(self._keep(replace(record, stage=Stage.ANSWERED)))
        if decision.otherwise is None:
            raise conflicts.unknown(launch, record, None)
        return decision.otherwise

    def _untold(self, launch: Launch, record: LaunchRecord | None, memory: Memory) -> Announced | None:
        """What another mapped instance has launched, where Altcraft would not say so.

        It may have forgotten that, and a list that has shifted asks one instance for what another launched. What was
        refused with other content is asked for under another id.

        :param record: of this launch.
        :raises AltcraftOutcomeUnknown: if one may have, and does not know.
        """
        if launch.converges or launch.is_repeatable or (record is not None and record.may_have_happened):
            return None
        if not (memory.is_over(self._tries.run_since or EPOCH) or _attempt(launch, record)):
            return None
        theirs = self._sibling(launch, is_patient=True)
        if theirs is not None and theirs.content is None:
            raise conflicts.unknown(launch, None, None, by_sibling=True)
        return theirs

    def _launched_by(self, theirs: Announced, launch: Launch, record: LaunchRecord | None, now: datetime) -> Launched:
        """What another mapped instance launched."""
        intent = replace(self._intent(launch, record, now, theirs.mark), began=theirs.began)
        self._check(whose(launch.content, theirs, has_asked=False), launch, intent)
        kept = self._keep(replace(intent, stage=Stage.ANSWERED))
        return Launched(launch.params, None, None, kept.request_id, True, mark=kept.mark, began=kept.first_sent)

    def _counts(self, record: LaunchRecord) -> bool:
        """Whether a record is of this launch: after a clear, another Request-ID of the user's own is another."""
        if self._identity.given is None or record.max_tries == self._tries.max_tries:
            return True
        return record.request_id == self._identity.launch_id(record, attempt=record.attempt)

    def id_of(self, launch: Launch | LaunchRecord) -> str:
        """The Request-ID that a launch has before any remembered answer is passed over, for others."""
        return self._identity.launch_id(launch)

    def known(self) -> dict[str, Announced]:
        """What this task instance has launched or begun to, by Request-ID, for others."""
        return {
            self.id_of(record): Announced(
                record.endpoint,
                record.target,
                record.content if record.stage is Stage.ANSWERED else None,
                record.began,
                record.mark,
            )
            for record in (() if self._records is None else self._records.all())
            if record.may_have_happened and not self._is_outlived(record)
        }

    def _sent(
        self,
        launch: Launch,
        decision: Send,
        known: Sequence[LaunchRecord],
        now: datetime,
        look_up: LookUp,
        mark: dict[str, Any] | None,
    ) -> Launched | None:
        """Send it, and understand what comes back.

        :param known: the records that the decision was made by.
        :returns: ``None`` if another try of the task instance, which still runs, began it in the meantime.
        """
        earlier = decision.earlier
        record = decision.record if decision.record is not None and decision.record.may_have_happened else None
        if record is not None:
            self._tell_difference(launch, record)
            launch, mark = record.launch(launch) or launch, record.mark
        intent = self._intent(launch, decision.record, now, mark)
        while True:
            if self._is_overtaken(known, intent):
                return None
            self._keep(intent)
            try:
                reply = launch.send(self._client, intent.request_id)
            except (AltcraftRejected, AltcraftTransportError) as error:
                if self._passes_over(launch, error, intent, record.last_sent if record else None):
                    intent = self._next(launch, intent)
                    continue
                return self._failed(launch, error, intent, look_up, earlier)
            if not reply.replayed:
                return self._answered(launch, intent, reply)
            has_asked = self._has_asked(reply, decision)
            if not has_asked:
                if self._is_overtaken(known, intent):
                    return None
                if intent.attempt < PASSED_OVER and (launch.converges or launch.is_repeatable):
                    intent = self._next(launch, intent)
                    continue
            return self._answered(launch, self._weighed(launch, intent, decision, has_asked=has_asked), reply)

    def _passes_over(
        self,
        launch: Launch,
        error: AltcraftRejected | AltcraftTransportError,
        intent: LaunchRecord,
        last: datetime | None,
    ) -> bool:
        """Whether an answer is an old refusal from memory, so that the next derived id is asked.

        :param last: when an earlier try sent it, if that was kept.
        """
        if not isinstance(error, AltcraftRejected) or intent.attempt >= PASSED_OVER:
            return False
        if not is_old_refusal(error, datetime.fromisoformat(intent.last), last):
            return False
        self._log(f"{launch.endpoint}: Altcraft repeated an old refusal ({error}); asking anew.")
        return True

    def _failed(
        self,
        launch: Launch,
        error: AltcraftRejected | AltcraftTransportError,
        intent: LaunchRecord,
        look_up: LookUp,
        earlier: datetime | None,
    ) -> Launched:
        if earlier is not None and type(error) is AltcraftRejected:
            # An earlier try's request may still be worked on, and this be the answer to a repeat.
            error.in_doubt = True
        return self._doubted(launch, error, intent, look_up, settled=earlier is None)

    def _answered(self, launch: Launch, intent: LaunchRecord, reply: Reply) -> Launched:
        """Keep the answer."""
        self._keep(replace(intent, stage=Stage.ANSWERED, data=_kept_data(reply), task_id=reply.task_id))
        return Launched(
            launch.params,
            reply.data,
            reply.task_id,
            intent.request_id,
            reply.replayed,
            mark=intent.mark,
            began=intent.first_sent,
        )

    def _is_overtaken(self, known: Sequence[LaunchRecord], intent: LaunchRecord) -> bool:
        """Whether another try of this task instance, which runs beside this one, has begun it in the meantime.

        :param known: the records that this try decided by.
        """
        return self._records is not None and any(
            record.may_have_happened
            and (record.endpoint, record.target) == (intent.endpoint, intent.target)
            and record != intent
            and record not in known
            and self._counts(record)
            for record in self._records.all()
        )

    def _intent(
        self, launch: Launch, before: LaunchRecord | None, now: datetime, mark: dict[str, Any] | None
    ) -> LaunchRecord:
        """What is kept before a request goes out."""
        attempt, began, request_id = _attempt(launch, before), now.isoformat(), ""
        # Until its own request was answered, another's stays another's.
        stage = Stage.FOREIGN if before is not None and before.stage is Stage.FOREIGN else Stage.SENT
        if before is not None and before.may_have_happened:
            # Whatever an id would be made of now: a second one would be a second launch.
            began, request_id = before.began, before.request_id
        return LaunchRecord(
            request_id=request_id or self._identity.launch_id(launch, attempt=attempt),
            attempt=attempt,
            endpoint=launch.endpoint,
            subject=launch.subject,
            target=launch.target,
            content=launch.content,
            **kept_params(launch),
            hidden=hidden_print(launch),
            began=began,
            last=now.isoformat(),
            max_tries=self._tries.max_tries,
            stage=stage,
            mark=mark,
        )

    def _next(self, launch: Launch, intent: LaunchRecord) -> LaunchRecord:
        """The same launch under the next derived id: Altcraft remembers another answer under this one."""
        attempt = intent.attempt + 1
        return replace(intent, attempt=attempt, request_id=self._identity.launch_id(launch, attempt=attempt))

    def _keep(self, record: LaunchRecord) -> LaunchRecord:
        if self._records is not None:
            self._records.keep(record, drop=self._is_outlived)
        return record

    def _is_outlived(self, record: LaunchRecord) -> bool:
        """Whether it is of a launch before a clear that launches again."""
        return self._is_redone_on_clear and record.max_tries != self._tries.max_tries

    def _has_asked(self, reply: Reply, decision: Send) -> bool:
        """Whether an earlier request of this task may have done what Altcraft remembers, as far as anybody knows."""
        record = decision.record
        if record is not None and record.may_have_happened:
            return True
        if decision.earlier is not None:
            # After a clear of which nothing is kept, it may be its own, and nothing says with which content.
            return not self._tries.cleared
        # A call that lost an answer gets it at its repeat; what was another's before stays so.
        return reply.repeated and (record is None or record.stage is not Stage.FOREIGN)

    def _weighed(self, launch: Launch, intent: LaunchRecord, decision: Send, *, has_asked: bool) -> LaunchRecord:
        """What to keep of a launch that Altcraft remembers, if it is what was asked for.

        :raises AltcraftLaunchConflict: if it is another's, or may be.
        """
        theirs = None
        # Where one target has one content, whose it was makes no difference.
        if launch.varies or not has_asked:
            theirs = self._sibling(launch, is_patient=True)
        if has_asked and theirs is not None and theirs.content is None:
            # It may be waiting for what this one says, and gives up before.
            theirs = self._sibling(launch, is_patient=True)
        found = whose(launch.content, theirs, has_asked=has_asked)
        self._check(found, launch, intent, is_cleared=decision.earlier is not None)
        if theirs is not None:
            return replace(intent, began=theirs.began, mark=theirs.mark)
        has_record = decision.record is not None and decision.record.may_have_happened
        unsaid = "" if has_record else " If its arguments render differently now, those of the first try hold."
        self._log(f"{launch.endpoint}: it happened before (Request-ID {intent.request_id}); taking it up.{unsaid}")
        if not has_record and decision.earlier is not None:
            # It was sent at an earlier try that kept nothing, before this mark.
            return replace(intent, mark=None, began="")
        return intent

    def _check(self, found: Whose, launch: Launch, intent: LaunchRecord, *, is_cleared: bool = False) -> None:
        """Stop at a launch that is not the one that was asked for, or may not be.

        :raises AltcraftLaunchConflict: if so.
        """
        if found is Whose.A_SIBLINGS:
            self._log(f"{launch.endpoint}: another mapped instance of this task has launched it.")
        if found is Whose.NOBODY_KNOWS:
            # Its record stays as it is: this one may have done it.
            raise conflicts.ours_or_siblings(launch, intent)
        if found is Whose.OTHER_CONTENT:
            self._keep(replace(intent, stage=Stage.FOREIGN))
            raise conflicts.siblings_content(launch, intent)
        if found is Whose.A_STRANGERS:
            self._keep(replace(intent, stage=Stage.FOREIGN))
            raise conflicts.strangers(launch, intent, is_cleared=is_cleared)

    def _sibling(self, launch: Launch, *, is_patient: bool) -> Announced | None:
        """What another mapped instance says of a launch."""
        return self._siblings(self.id_of(launch), is_patient) if self._identity.is_mapped else None

    def _resumed(self, launch: Launch, record: LaunchRecord) -> Launched:
        if record.max_tries != self._tries.max_tries:
            self._log(
                "The task was cleared since it launched. It does not launch again by that, unless it has"
                " relaunch_on_clear=True."
            )
            # From here on, a retry means this launch, whatever its arguments render to by then.
            self._keep(replace(record, max_tries=self._tries.max_tries))
        self._tell_difference(launch, record)
        return Launched(
            (record.launch(launch) or replace(launch, params=record.params)).params,
            record.data,
            record.task_id,
            record.request_id,
            True,
            mark=record.mark,
            began=record.first_sent,
        )

    def _tell_difference(self, launch: Launch, record: LaunchRecord) -> None:
        if record.content != launch.content:
            self._log(
                f"{launch.endpoint}: an earlier try of this task began it with other arguments than they render to now,"
                f" and a retry is the same launch: it is taken up as it was begun. {difference(record, launch)}"
            )

    def _doubted(
        self,
        launch: Launch,
        error: AltcraftRejected | AltcraftTransportError,
        intent: LaunchRecord,
        look_up: LookUp,
        *,
        settled: bool,
    ) -> Launched:
        """The launch after all, if a probe shows it; else the error, or its doubt where no later try could settle it.

        :param settled: whether no earlier try left anything open.
        """
        fault = isinstance(error, AltcraftRejected) and error.is_fault
        remembered = fault and isinstance(error, AltcraftRejected) and error.replayed
        lasting = remembered or not self._client.settings.window_of(launch.endpoint)
        if error.in_doubt and (lasting or fault):
            # Kept before the probe: if this process ends at it, a later try probes before it sends.
            intent = self._keep(replace(intent, fault=True))
            if look_up(Sighting(intent.params, datetime.fromisoformat(intent.began), None, intent.mark)):
                return self._resumed(launch, self._keep(replace(intent, stage=Stage.ANSWERED)))
            if lasting and not launch.converges:
                raise conflicts.unknown(launch, intent, error) from error
        elif settled and not error.in_doubt:
            self._keep(replace(intent, stage=Stage.REFUSED))
        raise error


LARGEST_DATA = 32_768
"""Bytes of an answer that are kept, as JSON. Those of launches and creations are small."""


def _attempt(launch: Launch, before: LaunchRecord | None) -> int:
    """The attempt under whose id a launch is sent.

    One id never has two bodies: what was refused and has changed since goes out under the next.
    """
    if before is None:
        return 0
    return before.attempt + (before.stage is Stage.REFUSED and before.content != launch.content)


def _kept_data(reply: Reply) -> Any:
    if reply.task_id:
        return None
    return reply.data if len(encode(reply.data)) <= LARGEST_DATA else None
