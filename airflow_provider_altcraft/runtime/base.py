"""What every operator is built on: the connection, work that is launched once, and being told to stop."""

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

# What only a running task needs is imported by its methods: a DAG file is parsed far more often than it runs.
if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.identity import Identity, Launch
    from airflow_provider_altcraft.launching.launcher import Launched, LookUp
    from airflow_provider_altcraft.launching.record import Store
    from airflow_provider_altcraft.launching.tries import Tries

FIRST_TRY_KEY = "altcraft_first_try"
"""What a store keeps the number of the first try under that found it."""
KILL_CHECK_SECONDS = 0.5
"""Seconds of sleep after which a wait sees that it was told to stop; SIGKILL follows SIGTERM after 5."""


class AltcraftOperator(BaseOperator):
    """Work at Altcraft that happens once per task and DAG run, however often it is tried: ``work``, in a subclass.

    The base classes declare the arguments that they read; an operator names all that it takes in its ``__init__``.
    Those that are templated are ``Any`` here: what they render to is known on the worker only.
    """

    template_fields: Sequence[str] = ("altcraft_conn_id", "request_id")
    ui_color = "#e8f1ff"

    altcraft_conn_id: str = AltcraftHook.default_conn_name
    request_id: Any = None
    relaunch_on_clear: bool | None = None
    killed = False

    @cached_property
    def hook(self) -> AltcraftHook:
        """The connection, read when it is first needed."""
        return AltcraftHook(self.altcraft_conn_id)

    def execute(self, context: Any) -> Any:
        """Note in the store that the task has begun, and do the work. An error that no retry can cure is final."""
        with final_errors():
            store = self.store(context)
            if store is not None:
                self.has_recorded_all(store, context)
            result = self.work(context)
            self.check_killed()
            return result

    @abstractmethod
    def work(self, context: Any) -> Any:
        """The work itself."""

    def depend_on(self, argument: Any) -> None:
        """Put the task behind those whose output an argument holds that is no template field.

        Airflow looks for upstream tasks in template fields only, and what is personal must not be in one.
        """
        XComArg.apply_upstream_relationship(self, argument)

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
        from airflow_provider_altcraft.runtime.storage import FolderStore, instance_folder, location

        path = self.hook.settings.record_path
        if path is not None:
            folder = instance_folder(location("record_path", path), context)
        return None if folder is None else FolderStore(folder)

    def has_recorded_all(self, store: Store, context: Any) -> bool:
        """Whether a store has been there since the first try, so that what it does not hold was never begun."""
        first = store.get(FIRST_TRY_KEY)
        if first is None:
            first = context["ti"].try_number
            store.set(FIRST_TRY_KEY, first)
        return bool(first == 1)
