"""What a try does about a launch, given what earlier tries left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from airflow_provider_altcraft.launching.identity import Launch
from airflow_provider_altcraft.launching.record import LaunchRecord, Stage
from airflow_provider_altcraft.launching.tries import Tries

EPOCH = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Resume:
    """It was done: take up what came of it.

    :param record: what an earlier try kept.
    """

    record: LaunchRecord


@dataclass(frozen=True, slots=True)
class Send:
    """Send it.

    :param record: of an earlier request for the same launch, whose id and parameters hold.
    :param earlier: no later than the first request of an earlier try; ``None`` if there certainly was none, so that an
        answer from Altcraft's memory is somebody else's.
    """

    record: LaunchRecord | None = None
    earlier: datetime | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """Look whether it happened; if that cannot be told, send it, or stop.

    :param record: of the earlier request; ``None`` if none was kept, and then there is nothing to look for.
    :param earlier: no later than the earlier request.
    :param otherwise: what to do if nothing shows it.
    """

    record: LaunchRecord | None
    earlier: datetime
    otherwise: Send | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Do nothing, loudly: a user cleared the task, and its arguments say something else than what was launched.

    :param record: what was launched.
    """

    record: LaunchRecord


Plan = Resume | Send | Probe | Stop


@dataclass(frozen=True, slots=True)
class Memory:
    """How far Altcraft's memory of requests reaches.

    :param window: seconds for which a request to this endpoint is certainly remembered; 0 = not at all.
    :param now: the server's clock.
    """

    window: float
    now: datetime

    def is_over(self, earlier: datetime, *, now: datetime | None = None) -> bool:
        """Whether the memory of a request may be over; early, for clocks that differ and tell whole seconds."""
        margin = min(600.0, self.window / 10) + 1
        return self.window <= 0 or (now or self.now) - earlier >= timedelta(seconds=self.window - margin)


def plan(
    launch: Launch,
    records: Sequence[LaunchRecord],
    tries: Tries,
    memory: Memory,
    *,
    is_complete: bool,
    is_mapped: bool,
    is_redone_on_clear: bool,
) -> Plan:
    """What to do about a launch.

    :param launch: as the arguments say it now.
    :param records: of this task instance, oldest first.
    :param tries: of the task instance before this one.
    :param memory: of Altcraft.
    :param is_complete: whether what the records do not hold was never begun.
    :param is_mapped: whether the task instance is one of several.
    :param is_redone_on_clear: whether a clear is another launch.
    """
    converges = launch.converges
    known = [
        record
        for record in records
        if record.endpoint == launch.endpoint and not (is_redone_on_clear and record.max_tries != tries.max_tries)
    ]
    record = _begun(launch, known, tries, is_mapped=is_mapped)
    if isinstance(record, Stop):
        return record
    if record is None:
        return _send(None, None if is_complete else tries.since, memory, fault=False, converges=converges)
    if record.stage is Stage.ANSWERED:
        return Resume(record)
    if not record.may_have_happened:
        return Send(record)
    if record.launch(launch) is None:
        # What was begun cannot be sent again as it was.
        return Send() if converges or launch.is_repeatable else Probe(record, record.first_sent or EPOCH, None)
    return _send(record, record.first_sent or EPOCH, memory, fault=record.fault, converges=converges)


def _begun(
    launch: Launch, known: Sequence[LaunchRecord], tries: Tries, *, is_mapped: bool
) -> LaunchRecord | Stop | None:
    """The launch that this one is, if an earlier try began it."""
    latest = known[-1] if known else None
    if latest is not None and latest.max_tries == tries.max_tries and latest.may_have_happened:
        # A retry means the first try, whatever its arguments render to now. What harms nobody is done as it is now,
        # unless it was done.
        if launch.is_repeatable and latest.stage is Stage.SENT and latest.content != launch.content:
            return None
        return latest
    own = next((record for record in known if record.target == launch.target), None)
    if own is None and not is_mapped:
        own = next(
            (record for record in reversed(known) if record.subject == launch.subject and record.may_have_happened),
            None,
        )
    if own is not None and own.may_have_happened and own.content != launch.content:
        return Stop(own)
    return own


def _send(
    record: LaunchRecord | None, earlier: datetime | None, memory: Memory, *, fault: bool, converges: bool
) -> Send | Probe:
    if earlier is None or converges:
        return Send(record, earlier)
    # The moment of an earlier try is by Airflow's clock, that of a record by Altcraft's.
    forgotten = memory.is_over(earlier, now=None if record else max(memory.now, datetime.now(UTC)))
    if not forgotten and not fault:
        return Send(record, earlier)
    return Probe(record, earlier, None if forgotten else Send(record, earlier))
