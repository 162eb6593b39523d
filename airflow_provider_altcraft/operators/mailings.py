"""Mailings: create, change and copy them, switch them on and off, send them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.mailing_run import RunOperator, is_active, is_inactive
from airflow_provider_altcraft.runtime.mailing_settings import MailingSettingsOperator, family
from airflow_provider_altcraft.runtime.recipient import Recipient, RecipientOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.objects import Content, StartSchedule
    from airflow_provider_altcraft.launching.launcher import Launched
    from airflow_provider_altcraft.runtime.attachments import Attach


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
    :param cancel_on_kill: whether killing the task stops the mailing (CONTRACT 5.4).
    :param accept_errors: whether a run whose end is logged at level ERROR is a success all the same.
    :param wait_for_completion: wait for the end, or return once Altcraft has begun.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, give or take a fifth.
    :param timeout: seconds to wait in all; Altcraft goes on when they are over.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``mailing_id``, ``request_id``, ``replayed``, ``launched_at`` (``None`` if it was launched before and
        nobody knows when) and, if waited for, ``finished_at`` and ``ended_in_error``; if not, ``log_mark``, by which
        ``AltcraftMailingSensor`` knows this run.
    """

    template_fields: Sequence[str] = (*RunOperator.template_fields, "mailing_type")

    def __init__(
        self,
        *,
        mailing_id: int | str | XComArg,
        mailing_type: str | XComArg = "broadcast",
        override_source_type: str | None = None,
        override_source_id: int | str | XComArg | None = None,
        override_limit: int | str | XComArg | None = None,
        content: Content | dict[str, Any] | XComArg | None = None,
        attach: Attach | None = None,
        cancel_on_kill: bool = False,
        accept_errors: bool = False,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 30,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.mailing_type: Any = mailing_type
        self.override_source_type = override_source_type
        self.override_source_id = override_source_id
        self.override_limit = override_limit
        self.content = content
        self.attach = attach
        self.depend_on(attach)
        self.cancel_on_kill = cancel_on_kill
        self.accept_errors = accept_errors
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def run_of(self, mailing_id: int) -> tuple[str, dict[str, Any]]:
        """``broadcasts/start`` or ``regulars/start``."""
        return f"{family(self.mailing_type)}/start", {}

    def starts_are_ours(self) -> bool:
        """A regular mailing also starts by its own schedule."""
        return bool(self.mailing_type == "broadcast")

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
    :param override_source_type: audience of this run: ``list`` (a database) or ``segment``.
    :param override_source_id: id of that audience. Templated.
    :param override_limit: messages of this run at most. Templated.
    :param content: what this run says differently. Templated.
    :param attach: files of this run, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, but for their content.
    :param cancel_on_kill: whether killing the task, or the end of its ``execution_timeout``, stops the mailing: it is
        deactivated, and what is queued is dropped (CONTRACT 5.4). A worker that is shut down kills its tasks, too; and
        what has gone out cannot be called back.
    :param accept_errors: whether a run whose end is logged at level ERROR is a success all the same.
    :param wait_for_completion: wait for the end, or return once Altcraft has begun.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, give or take a fifth.
    :param timeout: seconds to wait in all; Altcraft goes on when they are over.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the same; without ``run_now``, ``mailing_id`` and ``replayed``.
    """

    def __init__(
        self,
        *,
        mailing_id: int | str | XComArg,
        run_now: bool = False,
        override_source_type: str | None = None,
        override_source_id: int | str | XComArg | None = None,
        override_limit: int | str | XComArg | None = None,
        content: Content | dict[str, Any] | XComArg | None = None,
        attach: Attach | None = None,
        cancel_on_kill: bool = False,
        accept_errors: bool = False,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 30,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.run_now = run_now
        self.override_source_type = override_source_type
        self.override_source_id = override_source_id
        self.override_limit = override_limit
        self.content = content
        self.attach = attach
        self.depend_on(attach)
        self.cancel_on_kill = cancel_on_kill
        self.accept_errors = accept_errors
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

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


class AltcraftDeactivateMailingOperator(AltcraftOperator):
    """Deactivate a mailing (CONTRACT 5.4). Scheduled messages still go out, unless it is aborted.

    :param mailing_id: the mailing. Templated.
    :param abort_if_running: drop what is queued.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task deactivates it again.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``mailing_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "mailing_id")

    def __init__(
        self,
        *,
        mailing_id: int | str | XComArg,
        abort_if_running: bool = False,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.abort_if_running = abort_if_running
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

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
    :param recipient: what the profile is found by, such as ``{"email": ...}``; or a callable that returns it, called on
        the worker.
    :param matching: ``email``, ``phone``, ``profile_id`` or ``custom`` (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param resource_id: resource for email and phone matching. Templated.
    :param subscription_filter: which subscription gets the message.
    :param content: values for ``{apicontent.name}`` in the messages. Templated.
    :param custom_data: data for action hooks. Templated.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, but for their content.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends it again.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``trigger_id``, ``request_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (*RecipientOperator.template_fields, "trigger_id")

    def __init__(
        self,
        *,
        trigger_id: int | str | XComArg,
        recipient: Recipient,
        matching: str = "email",
        field_name: str | None = None,
        resource_id: int | str | XComArg | None = None,
        subscription_filter: dict[str, Any] | None = None,
        content: dict[str, Any] | XComArg | None = None,
        custom_data: dict[str, Any] | XComArg | None = None,
        attach: Attach | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trigger_id = trigger_id
        self.recipient = recipient
        self.matching = matching
        self.field_name = field_name
        self.resource_id = resource_id
        self.subscription_filter = subscription_filter
        self.content = content
        self.custom_data = custom_data
        self.attach = attach
        self.depend_on(attach)
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

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
    :param name: its name. Templated.
    :param data_type: where the audience comes from: ``list`` (a database) or ``segment``.
    :param data_id: id of the audience. Templated.
    :param content: the messages. Templated.
    :param mailing_type: ``regular`` or ``broadcast``.
    :param start_schedule: when a regular mailing starts; see ``StartSchedule.from_cron`` and ``.at``.
    :param is_active: activate it at once.
    :param resource_id: resource whose subscriptions are used. Templated.
    :param subid: SubID of the mailing. Templated.
    :param limit: messages per cycle at most.
    :param aglimit_count: by how many the limit grows each cycle.
    :param aglimit_percent: by how many per cent; the API's own name for it has a second ``l``.
    :param policy_id: sending policy.
    :param push_sending_mode: ``fanout`` or ``last``.
    :param attributes: attributes and their values. Templated.
    :param virtual_sender_id: Smart accounts, like all that follow.
    :param is_random_tracking_prefix: a random prefix for the tracking domain.
    :param custom_tracking_domains: tracking domains.
    :param blind_carbon_copy: hidden copies.
    :param unconditional_sending: send whatever the status of the subscription.
    :param watched_list_id: database of the watchers.
    :param watcher_limit: watchers at most.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task creates another mailing.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the id of the mailing.
    """

    def __init__(
        self,
        *,
        send_channel: str,
        name: str | XComArg,
        data_type: str,
        data_id: int | str | XComArg,
        content: Sequence[Content | dict[str, Any]] | XComArg,
        mailing_type: str = "regular",
        start_schedule: StartSchedule | dict[str, list[int]] | None = None,
        is_active: bool | None = None,
        resource_id: int | str | XComArg | None = None,
        subid: str | XComArg | None = None,
        limit: int | None = None,
        aglimit_count: int | None = None,
        aglimit_percent: float | None = None,
        policy_id: int | None = None,
        push_sending_mode: str | None = None,
        attributes: dict[str, Any] | XComArg | None = None,
        virtual_sender_id: int | None = None,
        is_random_tracking_prefix: bool | None = None,
        custom_tracking_domains: list[str] | None = None,
        blind_carbon_copy: list[str] | None = None,
        unconditional_sending: bool | None = None,
        watched_list_id: int | None = None,
        watcher_limit: int | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.send_channel = send_channel
        self.name = name
        self.data_type = data_type
        self.data_id = data_id
        self.content = content
        self.mailing_type: Any = mailing_type
        self.start_schedule = start_schedule
        self.is_active = is_active
        self.resource_id = resource_id
        self.subid = subid
        self.limit = limit
        self.aglimit_count = aglimit_count
        self.aglimit_percent = aglimit_percent
        self.policy_id = policy_id
        self.push_sending_mode = push_sending_mode
        self.attributes = attributes
        self.virtual_sender_id = virtual_sender_id
        self.is_random_tracking_prefix = is_random_tracking_prefix
        self.custom_tracking_domains = custom_tracking_domains
        self.blind_carbon_copy = blind_carbon_copy
        self.unconditional_sending = unconditional_sending
        self.watched_list_id = watched_list_id
        self.watcher_limit = watcher_limit
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

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
    :param name: its name. Templated.
    :param data_type: where the audience comes from: ``list`` (a database) or ``segment``.
    :param data_id: id of the audience. Templated.
    :param content: the messages. Templated.
    :param mailing_type: ``regular`` or ``broadcast``.
    :param start_schedule: when a regular mailing starts; see ``StartSchedule.from_cron`` and ``.at``.
    :param is_active: activate it at once.
    :param resource_id: resource whose subscriptions are used. Templated.
    :param subid: SubID of the mailing. Templated.
    :param limit: messages per cycle at most.
    :param aglimit_count: by how many the limit grows each cycle.
    :param aglimit_percent: by how many per cent; the API's own name for it has a second ``l``.
    :param policy_id: sending policy.
    :param push_sending_mode: ``fanout`` or ``last``.
    :param attributes: attributes and their values. Templated.
    :param virtual_sender_id: Smart accounts, like all that follow.
    :param is_random_tracking_prefix: a random prefix for the tracking domain.
    :param custom_tracking_domains: tracking domains.
    :param blind_carbon_copy: hidden copies.
    :param unconditional_sending: send whatever the status of the subscription.
    :param watched_list_id: database of the watchers.
    :param watcher_limit: watchers at most.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task changes it again: it may have been changed since.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the id of the mailing.
    """

    template_fields: Sequence[str] = (*MailingSettingsOperator.template_fields, "mailing_id")

    def __init__(
        self,
        *,
        mailing_id: int | str | XComArg,
        name: str | XComArg,
        data_type: str,
        data_id: int | str | XComArg,
        content: Sequence[Content | dict[str, Any]] | XComArg,
        mailing_type: str = "regular",
        start_schedule: StartSchedule | dict[str, list[int]] | None = None,
        is_active: bool | None = None,
        resource_id: int | str | XComArg | None = None,
        subid: str | XComArg | None = None,
        limit: int | None = None,
        aglimit_count: int | None = None,
        aglimit_percent: float | None = None,
        policy_id: int | None = None,
        push_sending_mode: str | None = None,
        attributes: dict[str, Any] | XComArg | None = None,
        virtual_sender_id: int | None = None,
        is_random_tracking_prefix: bool | None = None,
        custom_tracking_domains: list[str] | None = None,
        blind_carbon_copy: list[str] | None = None,
        unconditional_sending: bool | None = None,
        watched_list_id: int | None = None,
        watcher_limit: int | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.name = name
        self.data_type = data_type
        self.data_id = data_id
        self.content = content
        self.mailing_type: Any = mailing_type
        self.start_schedule = start_schedule
        self.is_active = is_active
        self.resource_id = resource_id
        self.subid = subid
        self.limit = limit
        self.aglimit_count = aglimit_count
        self.aglimit_percent = aglimit_percent
        self.policy_id = policy_id
        self.push_sending_mode = push_sending_mode
        self.attributes = attributes
        self.virtual_sender_id = virtual_sender_id
        self.is_random_tracking_prefix = is_random_tracking_prefix
        self.custom_tracking_domains = custom_tracking_domains
        self.blind_carbon_copy = blind_carbon_copy
        self.unconditional_sending = unconditional_sending
        self.watched_list_id = watched_list_id
        self.watcher_limit = watcher_limit
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> int:
        """Change it."""
        from airflow_provider_altcraft.api.objects import identifier

        mailing_id = identifier("mailing_id", self.mailing_id)
        endpoint = f"{family(self.mailing_type)}/update"
        launched = self.launch_repeatable(context, endpoint, {"id": mailing_id, **self.settings()})
        self.log.info("Mailing %d %s.", mailing_id, "was changed at an earlier try" if launched.replayed else "changed")
        return mailing_id


class AltcraftCloneMailingOperator(AltcraftOperator):
    """Make a copy of a mailing (CONTRACT 5.7). One per task and DAG run, whatever is retried.

    :param mailing_id: the mailing. Templated.
    :param name: name of the copy; "Clone of ..." if it is not given. Templated.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task makes another copy.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the id of the copy.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "mailing_id", "name")

    def __init__(
        self,
        *,
        mailing_id: int | str | XComArg,
        name: str | XComArg | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.name = name
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> int:
        """Make the copy."""
        from airflow_provider_altcraft.api.arguments import rendered
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        name = None if self.name is None else rendered("name", self.name)
        params = {"id": identifier("mailing_id", self.mailing_id), "name": name}
        return _saved(self, self.launch(context, Launch("campaigns/clone", params, about=(), shows_values=True)))


def _saved(operator: AltcraftOperator, created: Launched) -> int:
    """The id of what was created."""
    mailing_id = created.saved_id
    operator.log.info("Mailing %d %s.", mailing_id, "was created at an earlier try" if created.replayed else "created")
    return mailing_id
