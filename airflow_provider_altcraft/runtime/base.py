"""The base of every operator: the connection, launching work exactly once, and stopping when killed."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow.providers.common.compat.sdk import BaseOperator, XComArg

from airflow_provider_altcraft.exceptions import AltcraftError, AltcraftKilled, AltcraftOutcomeUnknown
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.runtime.compatibility import final_errors, task_state_store

# Methods import what only a running task needs: a DAG file is parsed far more often than it runs.
if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.identity import Identity, Launch
    from airflow_provider_altcraft.launching.launcher import Launched, LookUp
    from airflow_provider_altcraft.launching.record import Store
    from airflow_provider_altcraft.launching.tries import Tries

FIRST_TRY_KEY = "altcraft_first_try"
"""Key in the store: the number of the first try that used it."""
KILL_CHECK_SECONDS = 0.5
"""How often a sleeping task checks whether it was killed; SIGKILL follows SIGTERM after 5 seconds."""


class AltcraftOperator(BaseOperator):
    """Work in Altcraft done once per task and DAG run, however often it is tried; subclasses implement ``work``.

    Base classes declare the arguments they read; each operator lists all its arguments in its ``__init__``. Templated
    ones are ``Any`` here: what they render to is only known on the worker.
    """

    template_fields: Sequence[str] = ("altcraft_conn_id", "request_id")
    ui_color = "#e8f1ff"

    altcraft_conn_id: str = AltcraftHook.default_conn_name
    request_id: Any = None
    relaunch_on_clear: bool | None = None
    killed = False

    @cached_property
    def hook(self) -> AltcraftHook:
        """The hook, whose connection is read on first use."""
        return AltcraftHook(self.altcraft_conn_id)

    def execute(self, context: Any) -> Any:
        """Record in the store that the task has started, and do the work. Errors that no retry can fix are final."""
        with final_errors():
            store = self.store(context)
            if store is not None:
                self.has_recorded_all(store, context)
            result = self.work(context)
            self.check_killed()
            return result

    @abstractmethod
    def work(self, context: Any) -> Any:
        """Do the work."""

    def depend_on(self, argument: Any) -> None:
        """Set the tasks whose output an argument contains upstream, although it is not a template field.

        Airflow only looks for upstream tasks in template fields, and personal data must not be in one.
        """
        XComArg.apply_upstream_relationship(self, argument)

    def on_kill(self) -> None:
        """Remember that Airflow stopped the task: whatever is running must not end in success."""
        self.killed = True

    def check_killed(self) -> None:
        """Stop if Airflow killed the task.

        :raises AltcraftKilled: if it did.
        """
        if self.killed:
            raise AltcraftKilled("Airflow stopped the task. What it started in Altcraft continues.")

    def sleep(self, seconds: float) -> None:
        """Sleep on the worker until the time is over or the task is killed.

        :raises AltcraftKilled: if it is killed.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check_killed()
            time.sleep(min(left, KILL_CHECK_SECONDS))
        self.check_killed()

    def launch(
        self,
        context: Any,
        launch: Launch,
        *,
        now: datetime | None = None,
        look_up: LookUp | None = None,
        mark: Mapping[str, Any] | None = None,
    ) -> Launched:
        """Make a call that must happen exactly once.

        :param now: the time on the server's clock if known, else on the worker's.
        :param look_up: how to find out whether the call happened once Altcraft no longer remembers it.
        :param mark: the current position in the mailing's log.
        :raises AltcraftError: see ``Launcher.launch``.
        """
        from airflow_provider_altcraft.launching.launcher import Announced, Launcher, nothing_can_tell
        from airflow_provider_altcraft.launching.record import Records
        from airflow_provider_altcraft.runtime.announcements import Announcements

        store = self.store(context)
        is_redone = self.is_redone_on_clear(launch.converges)
        announcements = Announcements(context, self.sleep)
        launcher = Launcher(
            self.hook.client,
            self.identity(context, is_redone_on_clear=is_redone),
            tries=self.tries(context, is_redone_on_clear=is_redone),
            records=None if store is None else Records(store, is_complete=self.has_recorded_all(store, context)),
            siblings=announcements.sibling,
            is_redone_on_clear=is_redone,
            log=self.log.info,
        )
        if not (launch.converges or launch.is_repeatable or self._is_relaunched(context)):
            announcements.check_removed(launch.endpoint, launch.target)
        # Announced before the call: if this try dies in it, its siblings know that the launch may have happened.
        begun = Announced(launch.endpoint, launch.target)
        announcements.tell({launcher.id_of(launch): begun, **launcher.known()})
        try:
            launched = launcher.launch(
                launch, now=now or datetime.now(UTC), look_up=look_up or nothing_can_tell, mark=mark
            )
        except AltcraftError as error:
            if not (error.in_doubt or isinstance(error, AltcraftOutcomeUnknown)):
                announcements.tell(launcher.known())
            raise
        began = launched.began.isoformat() if launched.began else ""
        done = replace(begun, content=launch.content, began=began, mark=launched.mark)
        announcements.tell({launcher.id_of(launch): done, **launcher.known()})
        return launched

    def announce_delivery(self, context: Any, endpoint: str, target: str, *, has_begun: bool) -> None:
        """Announce a delivery of rows before it begins.

        :param target: fingerprint of the destination and the parameters around the rows.
        :param has_begun: whether an earlier try of this task began it.
        :raises AltcraftLaunchConflict: if a task since removed from the DAG delivered there.
        """
        from airflow_provider_altcraft.launching.launcher import Announced
        from airflow_provider_altcraft.runtime.announcements import Announcements

        announcements = Announcements(context, self.sleep)
        if not (has_begun or self._is_relaunched(context)):
            announcements.check_removed(endpoint, target)
        announcements.tell({"": Announced(endpoint, target)})

    def _is_relaunched(self, context: Any) -> bool:
        """Whether a user cleared the task to launch again."""
        return bool(self.relaunch_on_clear) and self.tries(context, is_redone_on_clear=False).cleared

    def launch_repeatable(
        self, context: Any, endpoint: str, params: Mapping[str, Any], *, private: Collection[str] = ()
    ) -> Launched:
        """Make a call that is safe to repeat: if it is unknown whether it happened, it is made again.

        :param private: names of parameters that must not be stored.
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
        """Whether clearing the task repeats the call.

        :param converges: whether repeating it has no further effect.
        """
        return converges if self.relaunch_on_clear is None else self.relaunch_on_clear

    def identity(self, context: Any, *, is_redone_on_clear: bool = False) -> Identity:
        """What identifies a launch of this task across its tries."""
        from airflow_provider_altcraft.launching.identity import Identity

        return Identity.of(
            context,
            deployment=self.hook.settings.deployment,
            relaunch_on_clear=is_redone_on_clear,
            given=self.request_id,
        )

    def tries(self, context: Any, *, is_redone_on_clear: bool) -> Tries:
        """What Airflow knows about the tries before this one."""
        from airflow_provider_altcraft.launching.tries import Tries

        return Tries.before(context, retries=self.retries or 0, relaunch_on_clear=is_redone_on_clear)

    def store(self, context: Any, *, folder: Any = None) -> Store | None:
        """Where a try records what the next one must know: Airflow's task state store, else a folder, else nowhere.

        :param folder: the task instance's folder, used if the connection has no ``record_path``.
        """
        store: Store | None = task_state_store(context)
        if store is not None:
            return store
        from airflow_provider_altcraft.runtime.storage import FolderStore, instance_folder, location

        path = self.hook.settings.record_path
        if path is not None:
            folder = instance_folder(location("record_path", path), context)
        return None if folder is None else FolderStore(folder)

    def has_recorded_all(self, store: Store, context: Any) -> bool:
        """Whether the store has been in use since the first try: what it lacks was then never begun."""
        first = store.get(FIRST_TRY_KEY)
        if first is None:
            first = context["ti"].try_number
            store.set(FIRST_TRY_KEY, first)
        return bool(first == 1)
