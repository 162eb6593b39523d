"""Mailings: create, change and copy them, switch them on and off, send them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.base import LaunchingOperator
from airflow_provider_altcraft.runtime.mailing_run import RunOperator, is_active, is_inactive
from airflow_provider_altcraft.runtime.mailing_settings import MailingSettingsOperator, family
from airflow_provider_altcraft.runtime.recipient import RecipientOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.launcher import Launched


class AltcraftLaunchMailingOperator(RunOperator):
    """Send a broadcast, or one extra run of a regular mailing, once (CONTRACT 6.5), and wait until it is sent.

    Every try of this task in this DAG run is the same launch: a retry takes up the one that happened. The mailing
    must be active.

    :param mailing_id: the mailing. Templated.
    :param mailing_type: ``broadcast`` or ``regular``. Templated.
    :param override_source_type: audience of this run: ``list`` (a database) or ``segment``.
    :param override_source_id: id of that audience. Templated.
    :param override_limit: messages of this run at most. Templated.
    :param content: what this run says differently. Templated.
    :param attach: files of this run, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, but for their content.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param cancel_on_kill: whether killing the task stops the mailing (CONTRACT 5.4).
    :param accept_errors: whether a run whose end is logged at level ERROR is a success all the same.

    Returns ``mailing_id``, ``request_id``, ``replayed``, ``launched_at`` (``None`` if it was launched before and
    nobody knows when) and, if waited for, ``finished_at`` and ``ended_in_error``; if not, ``log_mark``, by which
    ``AltcraftMailingSensor`` knows this run. Waiting: ``WaitingOperator``.
    """

    template_fields: Sequence[str] = (*RunOperator.template_fields, "mailing_type")

    def __init__(self, *, mailing_type: str = "broadcast", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mailing_type = mailing_type

    def run_of(self, mailing_id: int) -> tuple[str, dict[str, Any]]:
        """``broadcasts/start`` or ``regulars/start``."""
        return f"{family(self.mailing_type)}/start", {}

    def starts_are_ours(self) -> bool:
        """A regular mailing also starts by its own schedule."""
        return self.mailing_type == "broadcast"

    def check_startable(self, status: Mapping[str, Any], mailing_id: int) -> None:
        """It must be active."""
        if is_inactive(status):
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} is not active, so it cannot be launched: activate it in Altcraft first."
            )


class AltcraftActivateMailingOperator(RunOperator):
    """Activate a mailing (CONTRACT 5.3), and with ``run_now`` send it once and wait until it is sent.

    :param mailing_id: the mailing. Templated.
    :param run_now: send it at once. What overrides its audience and content is for this run only.

    The other parameters: ``AltcraftLaunchMailingOperator``. Returns the same; without ``run_now``, ``mailing_id`` and
    ``replayed``.
    """

    def __init__(self, *, run_now: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_now = run_now

    def run_of(self, mailing_id: int) -> tuple[str, dict[str, Any]]:
        """``campaigns/activate``."""
        return "campaigns/activate", {"run_now": True}

    def starts_are_ours(self) -> bool:
        """What kind of mailing it is, is not known here: it may start by a schedule."""
        return False

    def work(self, context: Any) -> Any:
        """Activate it; without ``run_now``, that is all."""
        if self.run_now:
            return super().work(context)
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        if any(value is not None for value in self._overrides(context).values()):
            raise AltcraftConfigurationError(
                "override_source_type, override_source_id, override_limit, content and attach belong to a run: set"
                " run_now=True, or leave them out."
            )
        mailing_id = identifier("mailing_id", self.mailing_id)
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        if is_active(reply.data):
            self.log.info("Mailing %d is active already.", mailing_id)
            return {"mailing_id": mailing_id, "replayed": False}
        launched = self.launch(
            context,
            Launch("campaigns/activate", {"id": mailing_id}, is_repeatable=True),
            now=reply.server_time,
            look_up=lambda sighting: is_active(self.hook.mailing_status(mailing_id)) or None,
        )
        return {"mailing_id": mailing_id, "replayed": launched.replayed}


class AltcraftDeactivateMailingOperator(LaunchingOperator):
    """Deactivate a mailing (CONTRACT 5.4). Scheduled messages still go out, unless it is aborted.

    :param mailing_id: the mailing. Templated.
    :param abort_if_running: drop what is queued.

    Returns ``mailing_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (*LaunchingOperator.template_fields, "mailing_id")

    def __init__(
        self,
        *,
        mailing_id: int | str,
        abort_if_running: bool = False,
        relaunch_on_clear: bool = True,
        **kwargs: Any,
    ) -> None:
        # Doing it again is harmless, and a clear means it.
        super().__init__(relaunch_on_clear=relaunch_on_clear, **kwargs)
        self.mailing_id = mailing_id
        self.abort_if_running = abort_if_running

    def work(self, context: Any) -> dict[str, Any]:
        """Deactivate it."""
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        mailing_id = identifier("mailing_id", self.mailing_id)
        params = {"id": mailing_id, "abort_if_running": self.abort_if_running}
        launched = self.launch(context, Launch("campaigns/deactivate", params))
        return {"mailing_id": mailing_id, "replayed": launched.replayed}


class AltcraftStartTriggerMailingOperator(RecipientOperator):
    """Send a trigger mailing to one profile, once (CONTRACT 7.1).

    For many, that are there or come with it: ``TriggerMailing``, a destination of rows.

    :param trigger_id: the mailing; it must be active and of type ``api_call``. Templated.

    Whom it goes to and what it says: ``RecipientOperator``. Returns ``trigger_id``, ``request_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (*RecipientOperator.template_fields, "trigger_id")

    def __init__(self, *, trigger_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trigger_id = trigger_id

    def work(self, context: Any) -> dict[str, Any]:
        """Send it."""
        from airflow_provider_altcraft.api.objects import identifier

        trigger_id = identifier("trigger_id", self.trigger_id)
        # Documented as a text (CONTRACT 7.1).
        launched = self.start(context, "campaigns/triggers/start", str(trigger_id))
        return {"trigger_id": trigger_id, "request_id": launched.request_id, "replayed": launched.replayed}


class AltcraftCreateMailingOperator(MailingSettingsOperator):
    """Create a broadcast or a regular mailing (CONTRACT 6.1). One per task and DAG run, whatever is retried.

    :param send_channel: ``email``, ``sms``, ``push`` or another channel of the installation.
    :param relaunch_on_clear: whether clearing the task creates another mailing.

    Whom it is for, what it says and when: ``MailingSettingsOperator``. Returns the id of the mailing.
    """

    def __init__(self, *, send_channel: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.send_channel = send_channel

    def work(self, context: Any) -> int:
        """Create the mailing."""
        from airflow_provider_altcraft.launching.identity import Launch

        endpoint = f"{family(self.mailing_type)}/add"
        params = {**self.settings(), "send_channel": self.send_channel}
        if not self.send_channel:
            raise AltcraftConfigurationError("A mailing needs a send_channel.")
        return _saved(self, self.launch(context, Launch(endpoint, params, about=(), shows_values=True)))


class AltcraftUpdateMailingOperator(MailingSettingsOperator):
    """Change a broadcast or a regular mailing (CONTRACT 6.2). Its channel stays as it is: Altcraft leaves it alone.

    Name, audience and content have to be said again. What else is not given is not sent. Of a regular mailing, the
    documents show the method and not its parameters: they are taken to be those of a broadcast.

    :param mailing_id: the mailing. Templated.

    Whom it is for, what it says and when: ``MailingSettingsOperator``. Returns the id of the mailing.
    """

    template_fields: Sequence[str] = (*MailingSettingsOperator.template_fields, "mailing_id")

    def __init__(self, *, mailing_id: int | str, relaunch_on_clear: bool = True, **kwargs: Any) -> None:
        # A clear means it: the mailing may have been changed since.
        super().__init__(relaunch_on_clear=relaunch_on_clear, **kwargs)
        self.mailing_id = mailing_id

    def work(self, context: Any) -> int:
        """Change it."""
        from airflow_provider_altcraft.api.objects import identifier

        mailing_id = identifier("mailing_id", self.mailing_id)
        endpoint = f"{family(self.mailing_type)}/update"
        launched = self.launch_repeatable(context, endpoint, {"id": mailing_id, **self.settings()})
        self.log.info("Mailing %d %s.", mailing_id, "was changed at an earlier try" if launched.replayed else "changed")
        return mailing_id


class AltcraftCloneMailingOperator(LaunchingOperator):
    """Make a copy of a mailing (CONTRACT 5.7). One per task and DAG run, whatever is retried.

    :param mailing_id: the mailing. Templated.
    :param name: name of the copy; "Clone of ..." if it is not given. Templated.

    Returns the id of the copy.
    """

    template_fields: Sequence[str] = (*LaunchingOperator.template_fields, "mailing_id", "name")

    def __init__(self, *, mailing_id: int | str, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.name = name

    def work(self, context: Any) -> int:
        """Make the copy."""
        from airflow_provider_altcraft.api.arguments import rendered
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        name = None if self.name is None else rendered("name", self.name)
        params = {"id": identifier("mailing_id", self.mailing_id), "name": name}
        return _saved(self, self.launch(context, Launch("campaigns/clone", params, about=(), shows_values=True)))


def _saved(operator: LaunchingOperator, created: Launched) -> int:
    """The id of what was created."""
    mailing_id = created.saved_id
    operator.log.info("Mailing %d %s.", mailing_id, "was created at an earlier try" if created.replayed else "created")
    return mailing_id
