"""What the operators share: the connection, launching once, waiting here or deferred."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftKilled,
    AltcraftOutcomeUnknown,
)
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.runtime.compatibility import (
    default_deferrable,
    execution_deadline,
    final_errors,
    task_state_store,
)

# What only a running task needs is imported by its methods: a DAG file is parsed far more often than it runs.
if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.identity import Identity, Launch
    from airflow_provider_altcraft.launching.launcher import Launched, LookUp
    from airflow_provider_altcraft.launching.record import Store
    from airflow_provider_altcraft.launching.tries import Tries
    from airflow_provider_altcraft.waiting.policy import Verdict
    from airflow_provider_altcraft.waiting.targets import Target

DAY = 86_400.0
LONGEST_FOLDER_NAME = 200
"""Bytes; disks take 255."""
FIRST_TRY_KEY = "altcraft_first_try"
"""What a store keeps the number of the first try under that found it."""
KILL_CHECK_SECONDS = 0.5
"""Seconds of sleep after which a wait sees that it was told to stop; SIGKILL follows SIGTERM after 5."""


def instance_folder(folder: Any, context: Any) -> Any:
    """The folder of a task instance below another.

    :param folder: an ``ObjectStoragePath``.
    """
    ti = context["ti"]
    index = getattr(ti, "map_index", -1)
    for name in (ti.dag_id, ti.run_id, ti.task_id):
        folder = folder / folder_name(name)
    # As in Airflow's logs. No task can be called so, since no task has a folder below another's.
    return folder if index < 0 else folder / f"map_index={index}"


def folder_name(name: str) -> str:
    """A name of Airflow's as that of a folder: what paths and URLs read otherwise is escaped, letters are not.

    One of dots alone, or one that no disk takes, gets a digest instead of the rest.
    """
    safe = "".join(sign if sign.isalnum() or sign in "-_.~" else quote(sign, safe="") for sign in name)
    if safe.strip(".") and len(safe.encode()) <= LONGEST_FOLDER_NAME:
        return safe
    digest = blake2b(name.encode(), digest_size=8).hexdigest()
    head = safe.encode()[: LONGEST_FOLDER_NAME - 20].decode(errors="ignore").strip(".")
    return f"{head}~{digest}"


class AltcraftOperator(BaseOperator):
    """Work at Altcraft. Subclasses say what in ``work``.

    :param altcraft_conn_id: the connection.
    """

    template_fields: Sequence[str] = ("altcraft_conn_id",)
    ui_color = "#e8f1ff"

    killed = False

    def __init__(self, *, altcraft_conn_id: str = AltcraftHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.altcraft_conn_id = altcraft_conn_id

    @cached_property
    def hook(self) -> AltcraftHook:
        """The connection, read when it is first needed."""
        return AltcraftHook(self.altcraft_conn_id)

    def execute(self, context: Any) -> Any:
        """Do the work; an error that no retry can cure fails the task at once."""
        with final_errors():
            result = self.work(context)
            self.check_killed()
            return result

    @abstractmethod
    def work(self, context: Any) -> Any:
        """The work itself."""

    def on_kill(self) -> None:
        """Note that Airflow told the task to stop: what is running then must not end green."""
        self.killed = True

    def check_killed(self) -> None:
        """Stop, if Airflow said so.

        :raises AltcraftKilled: if it did.
        """
        if self.killed:
            raise AltcraftKilled("Airflow told the task to stop. What it began at Altcraft goes on.")

    def sleep(self, seconds: float) -> None:
        """Let time pass on the worker, unless told to stop.

        :raises AltcraftKilled: if it was.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check_killed()
            time.sleep(min(left, KILL_CHECK_SECONDS))
        self.check_killed()


class LaunchingOperator(AltcraftOperator):
    """Work that must happen once per task and DAG run, however often it is tried.

    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task: launches of
        one target under one id are one launch, whichever task makes them. Templated.
    :param relaunch_on_clear: whether clearing the task does it again. If it is not said: what can be done again without
        harm is, and what reaches people, creates something or cannot be undone is not.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "request_id")

    def __init__(self, *, request_id: str | None = None, relaunch_on_clear: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear

    def launch(
        self,
        context: Any,
        launch: Launch,
        *,
        now: datetime | None = None,
        look_up: LookUp | None = None,
        mark: Mapping[str, Any] | None = None,
    ) -> Launched:
        """Make a call that must happen once.

        :param now: the server's clock, where it was asked; else this worker's.
        :param look_up: how to find out whether it happened, where Altcraft's memory does not help.
        :param mark: where the mailing's log stands now.
        :raises AltcraftError: see ``Launcher.launch``.
        """
        from airflow_provider_altcraft.launching.launcher import Announced, Launcher, nothing_can_tell
        from airflow_provider_altcraft.launching.record import Records
        from airflow_provider_altcraft.runtime.announcements import Announcements

        store = self.store(context)
        is_redone = self.is_redone_on_clear(launch.converges)
        said = Announcements(context, self.sleep)
        launcher = Launcher(
            self.hook.client,
            self.identity(context, is_redone_on_clear=is_redone),
            tries=self.tries(context, is_redone_on_clear=is_redone),
            records=None if store is None else Records(store, is_complete=self.has_recorded_all(store, context)),
            siblings=said.sibling,
            is_redone_on_clear=is_redone,
            log=self.log.info,
        )
        if not (launch.converges or launch.is_repeatable or self._is_relaunched(context)):
            said.check_removed(launch.endpoint, launch.target)
        begun = Announced(launch.endpoint, launch.target)
        said.tell({launcher.id_of(launch): begun, **launcher.known()})
        try:
            launched = launcher.launch(
                launch, now=now or datetime.now(UTC), look_up=look_up or nothing_can_tell, mark=mark
            )
        except AltcraftError as error:
            if not (error.in_doubt or isinstance(error, AltcraftOutcomeUnknown)):
                said.tell(launcher.known())
            raise
        began = launched.began.isoformat() if launched.began else ""
        done = replace(begun, content=launch.content, began=began, mark=launched.mark)
        said.tell({launcher.id_of(launch): done, **launcher.known()})
        return launched

    def announce_delivery(self, context: Any, endpoint: str, target: str, *, has_begun: bool) -> None:
        """Say that rows are delivered, before they are.

        :param target: fingerprint of where they go, and what stands around them.
        :param has_begun: whether an earlier try of this task did.
        :raises AltcraftLaunchConflict: if a task that the DAG does not have any more delivered there.
        """
        from airflow_provider_altcraft.launching.launcher import Announced
        from airflow_provider_altcraft.runtime.announcements import Announcements

        said = Announcements(context, self.sleep)
        if not (has_begun or self._is_relaunched(context)):
            said.check_removed(endpoint, target)
        said.tell({"": Announced(endpoint, target)})

    def _is_relaunched(self, context: Any) -> bool:
        """Whether a user's clear means that it is to go out again."""
        return bool(self.relaunch_on_clear) and self.tries(context, is_redone_on_clear=False).cleared

    def launch_repeatable(
        self, context: Any, endpoint: str, params: Mapping[str, Any], *, private: Collection[str] = ()
    ) -> Launched:
        """Make a call that does no harm if it is made twice: if nothing can tell whether it was, it is made again.

        :param private: names of parameters that are kept nowhere.
        """
        from airflow_provider_altcraft.launching.identity import Launch
        from airflow_provider_altcraft.launching.launcher import Launched

        try:
            return self.launch(context, Launch(endpoint, params, private=private, is_repeatable=True))
        except AltcraftOutcomeUnknown:
            request_id = str(uuid4())
            reply = self.hook.call(endpoint, params, request_id)
            return Launched(params, reply.data, reply.task_id, request_id, replayed=False)

    def is_redone_on_clear(self, converges: bool) -> bool:
        """Whether a clear does something again.

        :param converges: whether doing it twice ends where doing it once does.
        """
        return converges if self.relaunch_on_clear is None else self.relaunch_on_clear

    def identity(self, context: Any, *, is_redone_on_clear: bool = False) -> Identity:
        """What makes a launch of this task the same launch."""
        from airflow_provider_altcraft.launching.identity import Identity

        return Identity.of(
            context,
            deployment=self.hook.settings.deployment,
            relaunch_on_clear=is_redone_on_clear,
            given=self.request_id,
        )

    def tries(self, context: Any, *, is_redone_on_clear: bool) -> Tries:
        """What Airflow says of the tries before this one."""
        from airflow_provider_altcraft.launching.tries import Tries

        return Tries.before(context, retries=self.retries or 0, relaunch_on_clear=is_redone_on_clear)

    def store(self, context: Any, *, folder: Any = None) -> Store | None:
        """Where tries leave what the next one must know: Airflow's task state store, else a folder, else nowhere.

        :param folder: of the task instance, if the connection names none.
        """
        store: Store | None = task_state_store(context)
        if store is not None:
            return store
        from airflow_provider_altcraft.runtime.storage import FolderStore, location

        path = self.hook.settings.record_path
        if path is not None:
            folder = instance_folder(location("record_path", path), context)
        return None if folder is None else FolderStore(folder)

    def execute(self, context: Any) -> Any:
        """Note in the store that the task has begun, and do the work."""
        with final_errors():
            store = self.store(context)
            if store is not None:
                self.has_recorded_all(store, context)
        return super().execute(context)

    def has_recorded_all(self, store: Store, context: Any) -> bool:
        """Whether a store has been there since the first try, so that what it does not hold was never begun."""
        first = store.get(FIRST_TRY_KEY)
        if first is None:
            first = context["ti"].try_number
            store.set(FIRST_TRY_KEY, first)
        return bool(first == 1)


class WaitingOperator(LaunchingOperator):
    """Work that takes Altcraft a while.

    :param wait_for_completion: wait for the end, or return once Altcraft has begun.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between looks, give or take a fifth.
    :param timeout: seconds to wait in all; Altcraft goes on when they are over.
    """

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 30,
        timeout: float = DAY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self._target: Target | None = None

    def check_waiting(self) -> None:
        """Refuse a wait that cannot be, before anything is launched.

        :raises AltcraftConfigurationError: naming the argument.
        """
        for name, value in (("poll_interval", self.poll_interval), ("timeout", self.timeout)):
            if not isinstance(value, int | float) or value <= 0:
                raise AltcraftConfigurationError(f"{name} must be a number of seconds above 0, not {value!r}.")

    def await_end(self, context: Any, target: Target, result: dict[str, Any]) -> Any:
        """Wait for the end, here or deferred, and ``finish``.

        :param result: what is known so far, as JSON; travels with the deferral.
        """
        from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger
        from airflow_provider_altcraft.waiting.policy import LONGEST_PAUSE, Deadlines
        from airflow_provider_altcraft.waiting.polling import Poller, poll, wait

        now, self._target = time.time(), target
        deadlines = Deadlines(timeout=now + self.timeout, execution=execution_deadline(self, context, now))
        poller = Poller(target, self.hook.settings, deadlines, poll_interval=self.poll_interval, log=self.log.info)
        if not self.deferrable:
            return self.finish(context, wait(poller, self.hook.client, sleep=self.sleep), result)
        verdict = poll(poller, self.hook.client)
        if verdict is not None:
            return self.finish(context, verdict, result)
        backstop = (deadlines.first or now) - now + 2 * LONGEST_PAUSE + self.poll_interval
        return self.defer(
            trigger=AltcraftTrigger(
                self.altcraft_conn_id,
                target.to_dict(),
                self.poll_interval,
                deadlines.timeout,
                deadlines.execution,
                carried=result,
                cancel=self.cancellation(context, result),
                next_poll_at=poller.next_poll_at,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=backstop),
        )

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """Go on after the trigger's event, as if the wait had been here."""
        from airflow_provider_altcraft.waiting.policy import Verdict

        with final_errors():
            verdict = Verdict.from_event(event)
            finished = self.finish(context, verdict, event["carried"] if isinstance(event, dict) else {})
            self.check_killed()
            return finished

    def task_result(self, altcraft_task_id: str) -> Any:
        """The result of a task that was waited for: as it was seen, or asked for again where that was elsewhere."""
        seen = getattr(self._target, "results", {})
        if altcraft_task_id in seen:
            return seen[altcraft_task_id]
        return self.hook.task_status(altcraft_task_id).get("result")

    def cancellation(self, context: Any, result: dict[str, Any]) -> dict[str, Any] | None:
        """The call that a trigger makes when a user ends the task while it is deferred; ``None`` for none."""
        return None

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """What the task returns after the wait.

        :raises AltcraftError: if it did not end well.
        """
        verdict.raise_for_failure()
        return {**result, **verdict.result}
