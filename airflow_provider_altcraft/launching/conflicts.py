"""The errors with which a launch stops rather than happen twice or be called what it is not, for people."""

from __future__ import annotations

from airflow_provider_altcraft.exceptions import AltcraftLaunchConflict, AltcraftOutcomeUnknown
from airflow_provider_altcraft.launching.differences import difference
from airflow_provider_altcraft.launching.identity import Launch
from airflow_provider_altcraft.launching.record import LaunchRecord, Stage

WAYS_OUT = (
    "To launch what they say now, set relaunch_on_clear=True on the task and clear it; to leave it at what was"
    " launched, put the arguments back and clear the task, or mark it as successful."
)


def other_content(launch: Launch, record: LaunchRecord) -> AltcraftLaunchConflict:
    """A clear with other arguments than this task instance has launched.

    :param record: what it launched, or began to.
    """
    done = "launched" if record.stage is Stage.ANSWERED else "began to launch"
    return AltcraftLaunchConflict(
        f"{launch.endpoint}: this task {done} something else in this DAG run (Request-ID {record.request_id}) than"
        f" its arguments say since it was cleared. {difference(record, launch)} Nothing was sent. {WAYS_OUT}"
    )


def siblings_content(launch: Launch, intent: LaunchRecord) -> AltcraftLaunchConflict:
    """Another mapped instance launched the target with other content."""
    return AltcraftLaunchConflict(
        f"{launch.endpoint}: another mapped instance of this task has launched the same"
        f" (Request-ID {intent.request_id}), with other content or settings than the arguments of this one say."
        f" Nothing was sent. {WAYS_OUT}"
    )


def ours_or_siblings(launch: Launch, intent: LaunchRecord) -> AltcraftLaunchConflict:
    """Either this task instance or another launched the target, and neither knows whose content went out.

    It stays in doubt: who comes later must still hear that this one has asked for it.
    """
    error = AltcraftLaunchConflict(
        f"{launch.endpoint}: another mapped instance of this task has launched the same, or this one has (Request-ID"
        f" {intent.request_id}): the answers to both were lost, and Altcraft remembers one launch. If they differ in"
        " content or settings, look in Altcraft which of them went out. If it is what this one says, mark this task as"
        " successful; to launch that again, set relaunch_on_clear=True on the task and clear it."
    )
    error.in_doubt = True
    return error


def strangers(launch: Launch, intent: LaunchRecord, *, is_cleared: bool) -> AltcraftLaunchConflict:
    """Altcraft remembers a launch of which nobody here says that it is his.

    :param is_cleared: whether it may be of this task before it was cleared.
    """
    if is_cleared:
        why = (
            "the task was cleared since, and nothing kept says with which content and settings it was launched. If"
            " they are the same, mark this task as successful; if it is to go out again, set relaunch_on_clear=True"
            " and clear it. With record_path in the connection's extra, Airflow before 3.3 can tell."
        )
    else:
        why = (
            "though this task has never asked for it. Another Airflow with the same token, dag, run and task ids"
            " made it, a DAG run that was deleted since, or another mapped instance that does not say so. Give each"
            " deployment a name of its own (deployment in the connection's extra) and clear the task; if it was"
            " meant to be the same launch, mark the task as successful."
        )
    return AltcraftLaunchConflict(
        f"{launch.endpoint}: Altcraft remembers this launch (Request-ID {intent.request_id}), {why} Nothing was sent."
    )


def unknown(
    launch: Launch, record: LaunchRecord | None, error: Exception | None, *, by_sibling: bool = False
) -> AltcraftOutcomeUnknown:
    """Nobody can tell whether it happened.

    :param record: of the request that may have done it.
    :param error: what it was answered with.
    :param by_sibling: whether another mapped instance sent it.
    """
    why = f" {error}" if error else " An earlier try ended before its answer was kept, and Altcraft forgets."
    if by_sibling:
        why = " Another mapped instance of this task has sent it, and does not know whether it was done."
    if record is not None and record.content != launch.content:
        why = f" An earlier try ended before its answer was kept. {difference(record, launch)}"
    under = f" (Request-ID {record.request_id})" if record else ""
    return AltcraftOutcomeUnknown(
        f"{launch.endpoint}: it is not known whether Altcraft did it, and it was not sent again{under}.{why}"
        " Look in Altcraft whether it happened. If it did, mark this task as successful. If it did not, start a"
        " new DAG run, or set relaunch_on_clear=True on the task and clear it."
    )
