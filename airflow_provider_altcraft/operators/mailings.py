"""Mailings: create, change, copy, activate, deactivate and send them."""

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

    All tries of this task in a DAG run make the same launch: a retry picks up the one that happened. The mailing must
    be active.

    :param mailing_id: the mailing. Templated.
    :param mailing_type: ``broadcast`` or ``regular``. Templated.
    :param override_source_type: kind of audience for this run: ``list`` (a database) or ``segment``.
    :param override_source_id: id of that audience. Templated.
    :param override_limit: maximum messages in this run. Templated.
    :param content: content that differs in this run. Templated.
    :param attach: files of this run, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, except for their content.
    :param cancel_on_kill: whether killing the task stops the mailing (CONTRACT 5.4).
    :param accept_errors: whether a run whose end is logged at level ERROR still counts as a success.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``mailing_id``, ``request_id``, ``replayed``, ``launched_at`` (``None`` if it was launched at an unknown
        earlier time); after waiting, ``finished_at`` and ``ended_in_error``; without waiting, ``log_mark``, by which
        ``AltcraftMailingSensor`` recognises this run.
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
        """Whether a logged start must be ours: a regular mailing also starts on its own schedule."""
        return bool(self.mailing_type == "broadcast")

    def check_startable(self, status: Mapping[str, Any], mailing_id: int) -> None:
        """Check that it is active."""
        if is_inactive(status):
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} is not active, so it cannot be launched: activate it in Altcraft first."
            )


class AltcraftActivateMailingOperator(RunOperator):
    """Activate a mailing (CONTRACT 5.3), and with ``run_now`` send it once and wait until it is sent.

    :param mailing_id: the mailing. Templated.
    :param run_now: send it at once. Overrides of audience and content apply to this run only.
    :param override_source_type: kind of audience for this run: ``list`` (a database) or ``segment``.
    :param override_source_id: id of that audience. Templated.
    :param override_limit: maximum messages in this run. Templated.
    :param content: content that differs in this run. Templated.
    :param attach: files of this run, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, except for their content.
    :param cancel_on_kill: whether killing the task, or exceeding its ``execution_timeout``, stops the mailing: it is
        deactivated and queued messages are dropped (CONTRACT 5.4). Shutting down a worker kills its tasks too, and
        messages already sent cannot be recalled.
    :param accept_errors: whether a run whose end is logged at level ERROR still counts as a success.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param altcraft_conn_id: the connection. Templated.
    :returns: as ``AltcraftLaunchMailingOperator``; without ``run_now``, ``mailing_id`` and ``replayed``.
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
        """Whether a logged start must be ours: the type of mailing is unknown here, so it may have a schedule."""
        return False

    def work(self, context: Any) -> Any:
        """Activate it; without ``run_now``, that is all."""
        if self.run_now:
            return super().work(context)
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        if any(value is not None for value in self._overrides(context).values()):
            raise AltcraftConfigurationError(
                "override_source_type, override_source_id, override_limit, content and attach apply to a run: set"
                " run_now=True, or leave them out."
            )
        mailing_id = identifier("mailing_id", self.mailing_id)
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        if is_active(reply.data):
            self.log.info("Mailing %d is already active.", mailing_id)
            return {"mailing_id": mailing_id, "replayed": False}
        launched = self.launch(
            context,
            Launch("campaigns/activate", {"id": mailing_id}, is_repeatable=True),
            now=reply.server_time,
            look_up=lambda sighting: is_active(self.hook.mailing_status(mailing_id)) or None,
        )
        return {"mailing_id": mailing_id, "replayed": launched.replayed}


class AltcraftDeactivateMailingOperator(AltcraftOperator):
    """Deactivate a mailing (CONTRACT 5.4). Queued messages still go out unless ``abort_if_running`` is set.

    :param mailing_id: the mailing. Templated.
    :param abort_if_running: drop queued messages.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
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

    For many profiles, existing or new, use the destination ``TriggerMailing``.

    :param trigger_id: the mailing; it must be active and of type ``api_call``. Templated.
    :param recipient: what to find the profile by, such as ``{"email": ...}``; or a callable that returns it, called on
        the worker.
    :param matching: ``email``, ``phone``, ``profile_id`` or ``custom`` (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param resource_id: resource for email and phone matching. Templated.
    :param subscription_filter: which subscription gets the message.
    :param content: values for ``{apicontent.name}`` in the messages. Templated.
    :param custom_data: data for action hooks. Templated.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, except for their content.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
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
        # The documentation has a string here (CONTRACT 7.1).
        launched = self.start(context, "campaigns/triggers/start", str(trigger_id))
        return {"trigger_id": trigger_id, "request_id": launched.request_id, "replayed": launched.replayed}


class AltcraftCreateMailingOperator(MailingSettingsOperator):
    """Create a broadcast or regular mailing (CONTRACT 6.1), once per task and DAG run, however often retried.

    :param send_channel: ``email``, ``sms``, ``push`` or another channel of the installation.
    :param name: its name. Templated.
    :param data_type: kind of audience: ``list`` (a database) or ``segment``.
    :param data_id: id of the audience. Templated.
    :param content: the messages. Templated.
    :param mailing_type: ``regular`` or ``broadcast``.
    :param start_schedule: when a regular mailing starts; see ``StartSchedule.from_cron`` and ``.at``.
    :param is_active: whether to activate it at once.
    :param resource_id: resource whose subscriptions are used. Templated.
    :param subid: SubID of the mailing. Templated.
    :param limit: maximum messages per cycle.
    :param aglimit_count: how much the limit grows each cycle.
    :param aglimit_percent: the same in per cent; the API spells it with a second ``l``.
    :param policy_id: sending policy.
    :param push_sending_mode: ``fanout`` or ``last``.
    :param attributes: attributes and their values. Templated.
    :param virtual_sender_id: virtual sender; this and the next six are for Smart accounts.
    :param is_random_tracking_prefix: a random prefix for the tracking domain.
    :param custom_tracking_domains: tracking domains.
    :param blind_carbon_copy: BCC addresses.
    :param unconditional_sending: send regardless of subscription status.
    :param watched_list_id: the watchers' database.
    :param watcher_limit: maximum number of watchers.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
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
    """Change a broadcast or regular mailing (CONTRACT 6.2). Altcraft never changes its channel.

    Name, audience and content must be given again; other arguments that are not given are not sent. The documentation
    does not list the parameters for a regular mailing: they are assumed to be those of a broadcast.

    :param mailing_id: the mailing. Templated.
    :param name: its name. Templated.
    :param data_type: kind of audience: ``list`` (a database) or ``segment``.
    :param data_id: id of the audience. Templated.
    :param content: the messages. Templated.
    :param mailing_type: ``regular`` or ``broadcast``.
    :param start_schedule: when a regular mailing starts; see ``StartSchedule.from_cron`` and ``.at``.
    :param is_active: whether to activate it at once.
    :param resource_id: resource whose subscriptions are used. Templated.
    :param subid: SubID of the mailing. Templated.
    :param limit: maximum messages per cycle.
    :param aglimit_count: how much the limit grows each cycle.
    :param aglimit_percent: the same in per cent; the API spells it with a second ``l``.
    :param policy_id: sending policy.
    :param push_sending_mode: ``fanout`` or ``last``.
    :param attributes: attributes and their values. Templated.
    :param virtual_sender_id: virtual sender; this and the next six are for Smart accounts.
    :param is_random_tracking_prefix: a random prefix for the tracking domain.
    :param custom_tracking_domains: tracking domains.
    :param blind_carbon_copy: BCC addresses.
    :param unconditional_sending: send regardless of subscription status.
    :param watched_list_id: the watchers' database.
    :param watcher_limit: maximum number of watchers.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task changes it again, even if somebody has changed it since.
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
        self.log.info("Mailing %d %s.", mailing_id, "was changed by an earlier try" if launched.replayed else "changed")
        return mailing_id


class AltcraftCloneMailingOperator(AltcraftOperator):
    """Copy a mailing (CONTRACT 5.7), once per task and DAG run, however often retried.

    :param mailing_id: the mailing. Templated.
    :param name: name of the copy; by default, "Clone of ...". Templated.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
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
    operator.log.info("Mailing %d %s.", mailing_id, "was created by an earlier try" if created.replayed else "created")
    return mailing_id
