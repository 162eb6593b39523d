"""Mailings: create and copy them, switch them on and off, send them once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftJobFailed
from airflow_provider_altcraft.operators.base import LaunchingOperator, WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.objects import Content, StartSchedule
    from airflow_provider_altcraft.launching import Launched
    from airflow_provider_altcraft.waiting import Verdict

MAILING_TYPES = {"broadcast": "campaigns/broadcasts", "regular": "campaigns/regulars"}
SOURCES = ("list", "segment")
CANCEL_SECONDS = (1.0, 2.5)
"""To connect and to answer, for the call that stops a mailing: SIGKILL comes 5 s after SIGTERM."""


def _family(mailing_type: str) -> str:
    if mailing_type not in MAILING_TYPES:
        raise AltcraftConfigurationError(f"mailing_type must be 'broadcast' or 'regular', not {mailing_type!r}.")
    return MAILING_TYPES[mailing_type]


class _RunOperator(WaitingOperator):
    """One run of a mailing: begun once, and waited for.

    :param mailing_id: the mailing. Templated.
    :param override_source_type: audience of this run: ``list`` (a database) or ``segment``.
    :param override_source_id: id of that audience. Templated.
    :param override_limit: messages of this run at most. Templated.
    :param content: what this run says differently. Templated.
    :param attach: files of this run, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6).
    :param cancel_on_kill: whether killing the task, or the end of its ``execution_timeout``, stops the mailing:
        it is deactivated, and what is queued is dropped (CONTRACT 5.4). A worker that is shut down kills its tasks,
        too; and what has gone out cannot be called back.
    """

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "mailing_id",
        "override_source_type",
        "override_source_id",
        "override_limit",
        "content",
    )

    def __init__(
        self,
        *,
        mailing_id: int | str,
        override_source_type: str | None = None,
        override_source_id: int | str | None = None,
        override_limit: int | str | None = None,
        content: Content | dict[str, Any] | None = None,
        attach: list[dict[str, Any]] | None = None,
        cancel_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.override_source_type = override_source_type
        self.override_source_id = override_source_id
        self.override_limit = override_limit
        self.content = content
        self.attach = attach
        self.cancel_on_kill = cancel_on_kill
        self._cancel: dict[str, Any] | None = None

    @abstractmethod
    def run_of(self, mailing_id: int) -> tuple[str, dict[str, Any]]:
        """The call that begins a run: endpoint and parameters beside the overrides."""

    def starts_are_ours(self) -> bool:
        """Whether a start in the log right after our request is our doing."""
        return True

    def check_startable(self, status: Mapping[str, Any], mailing_id: int) -> None:
        """Refuse what Altcraft would refuse, before anything is launched."""

    def work(self, context: Any) -> Any:
        """Begin the run, and wait for it to end."""
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.watches import MailingWatch

        self.check_waiting()
        mailing_id = identifier("mailing_id", self.mailing_id)
        endpoint, params = self.run_of(mailing_id)
        params = {"id": mailing_id, **params, **self._overrides()}
        launcher = self.launcher(context)
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        status = reply.data if isinstance(reply.data, dict) else {}
        now = self._before_the_launch(mailing_id, reply.server_time or datetime.now(UTC))
        if context["ti"].try_number <= 1:
            # A later try's launch may have happened, and a mailing that was sent need not be active any more.
            self.check_startable(status, mailing_id)
        self._cancel = self._cancel_call(context, mailing_id)
        launched = launcher.launch(
            endpoint, params, now=now, look=lambda since, until: self._started(mailing_id, since, until)
        )
        if launched.replayed and self.cancel_on_kill and _is_inactive(status):
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} was launched at an earlier try, and is not active any more: it may have been"
                " stopped when that try was killed (cancel_on_kill). Look in Altcraft how many it reached."
            )
        since, launched_at = self._moments(context, launched, mailing_id, now)
        result = {
            "mailing_id": mailing_id,
            "request_id": launched.request_id,
            "replayed": launched.replayed,
            "launched_at": launched_at.isoformat() if launched_at else None,
        }
        self.log.info(
            "Mailing %d: %s (Request-ID %s).",
            mailing_id,
            f"launched before, at {launched_at or 'a time nobody knows'}" if launched.replayed else "launched",
            launched.request_id,
        )
        if not self.wait_for_completion:
            return result
        return self.await_end(context, MailingWatch(mailing_id, since.isoformat()), result)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Stop the mailing if ``execution_timeout`` is over, as it does on a worker."""
        if verdict.cause == "execution_timeout" and self.cancel_on_kill:
            self._cancel = self._cancel_call(context, result["mailing_id"])
            self._stop_mailing()
        return super().finish(context, verdict, result)

    def on_kill(self) -> None:
        """Note it, and stop the mailing where that was asked for."""
        super().on_kill()
        if self.cancel_on_kill and self._cancel is not None:
            self._stop_mailing()

    def check_killed(self) -> None:
        """Stop, if Airflow said so. A mailing that was stopped, too, is not taken up by another try."""
        if self.killed and self.cancel_on_kill and self._cancel is not None:
            raise AltcraftJobFailed(
                f"The task was killed, and mailing {self._cancel['params']['id']} stopped with it (cancel_on_kill)."
            )
        super().check_killed()

    def cancellation(self, context: Any, result: dict[str, Any]) -> dict[str, Any] | None:
        """The call that stops the mailing, for the trigger."""
        return self._cancel_call(context, result["mailing_id"]) if self.cancel_on_kill else None

    def _cancel_call(self, context: Any, mailing_id: int) -> dict[str, Any]:
        # By try: a mailing that was activated again can be stopped again.
        endpoint, content = "campaigns/deactivate", f"try {context['ti'].try_number}"
        return {
            "endpoint": endpoint,
            "params": {"id": mailing_id, "abort_if_running": True},
            "request_id": self.identity(context).request_id(endpoint, content=content),
        }

    def _stop_mailing(self) -> None:
        """One call, within the time that a killed task has. Never raises."""
        from airflow_provider_altcraft.api.client import AltcraftClient

        call = self._cancel or {}
        connect, read = CANCEL_SECONDS
        settings = replace(self.hook.settings, connect_timeout=connect, read_timeout=read)
        try:
            with AltcraftClient(settings) as client:
                client.call(call["endpoint"], call["params"], request_id=call["request_id"], attempts=1)
        except AltcraftError as error:
            self.log.error("Mailing %s could not be stopped: %s", call["params"]["id"], error)
        else:
            self.log.warning("Mailing %s was stopped: deactivated, what was queued dropped.", call["params"]["id"])

    def _moments(
        self, context: Any, launched: Launched, mailing_id: int, now: datetime
    ) -> tuple[datetime, datetime | None]:
        """From when on the log is this run's, and when it was launched as far as that is known."""
        from airflow_provider_altcraft.launching import earliest

        if launched.since is not None:
            return launched.since, launched.since
        bound = earliest(context, now=now, window=self.hook.settings.deduplication_window)
        start = self._last_start(mailing_id, bound)
        return start or bound, start

    def _before_the_launch(self, mailing_id: int, now: datetime) -> datetime:
        """The server's clock, past any start that its whole seconds would count as later."""
        last = self._last_start(mailing_id, now)
        return now if last is None else last + timedelta(microseconds=1)

    def _last_start(self, mailing_id: int, since: datetime) -> datetime | None:
        from airflow_provider_altcraft.api.states import starts

        try:
            return max(starts(self._log_entries(mailing_id, since), since), default=None)
        except AltcraftError:
            return None

    def _started(self, mailing_id: int, since: datetime, until: datetime | None) -> bool | None:
        """Whether the mailing's log shows a run that began then; ``None`` if that cannot be told."""
        from airflow_provider_altcraft.api.states import starts

        if not self.starts_are_ours():
            return None
        try:
            return True if list(starts(self._log_entries(mailing_id, since), since, until)) else None
        except AltcraftError:
            return None

    def _log_entries(self, mailing_id: int, since: datetime) -> list[Mapping[str, Any]]:
        reply = self.hook.call("campaigns/log_v2", {"id": mailing_id, "from_time": since.isoformat()})
        return [entry for entry in reply.data or [] if isinstance(entry, Mapping)]

    def _overrides(self) -> dict[str, Any]:
        from airflow_provider_altcraft.api.objects import identifier

        if (self.override_source_type is None) != (self.override_source_id is None):
            raise AltcraftConfigurationError("override_source_type and override_source_id go together.")
        if self.override_source_type not in (None, *SOURCES):
            raise AltcraftConfigurationError(
                f"override_source_type must be 'list' or 'segment', not {self.override_source_type!r}."
            )
        ids = {
            name: identifier(name, value)
            for name, value in (
                ("override_source_id", self.override_source_id),
                ("override_limit", self.override_limit),
            )
            if value is not None
        }
        content = _content(self.content) if self.content is not None else None
        return {"override_source_type": self.override_source_type, "content": content, "attach": self.attach, **ids}


class AltcraftLaunchMailingOperator(_RunOperator):
    """Send a broadcast, or one extra run of a regular mailing, once (CONTRACT 6.5), and wait until it is sent.

    Every try of this task in this DAG run is the same launch: a retry takes up the one that happened. The mailing
    must be active.

    :param mailing_id: the mailing. Templated.
    :param mailing_type: ``broadcast`` or ``regular``. Templated.
    :param override_source_type: audience of this run: ``list`` (a database) or ``segment``.
    :param override_source_id: id of that audience. Templated.
    :param override_limit: messages of this run at most. Templated.
    :param content: what this run says differently. Templated.
    :param attach: files of this run, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6).
    :param request_id: a Request-ID of your own instead of the derived one. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param cancel_on_kill: whether killing the task stops the mailing (CONTRACT 5.4).

    Returns ``mailing_id``, ``request_id``, ``replayed``, ``launched_at`` (``None`` if it was launched before and
    nobody knows when) and, if waited for, ``finished_at``. Waiting: ``WaitingOperator``.
    """

    template_fields: Sequence[str] = (*_RunOperator.template_fields, "mailing_type")

    def __init__(self, *, mailing_type: str = "broadcast", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mailing_type = mailing_type

    def run_of(self, mailing_id: int) -> tuple[str, dict[str, Any]]:
        """``broadcasts/start`` or ``regulars/start``."""
        return f"{_family(self.mailing_type)}/start", {}

    def starts_are_ours(self) -> bool:
        """A regular mailing also starts by its own schedule."""
        return self.mailing_type == "broadcast"

    def check_startable(self, status: Mapping[str, Any], mailing_id: int) -> None:
        """It must be active."""
        if _is_inactive(status):
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} is not active, so it cannot be launched: activate it in Altcraft first."
            )


class AltcraftActivateMailingOperator(_RunOperator):
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

        if any(value is not None for value in self._overrides().values()):
            raise AltcraftConfigurationError("What overrides a run goes with run_now=True (CONTRACT 5.3).")
        mailing_id = identifier("mailing_id", self.mailing_id)
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        if _is_active(reply.data):
            self.log.info("Mailing %d is active already.", mailing_id)
            return {"mailing_id": mailing_id, "replayed": False}
        launched = self.launcher(context).launch(
            "campaigns/activate",
            {"id": mailing_id},
            now=reply.server_time or datetime.now(UTC),
            look=lambda since, until: _is_active(self.hook.mailing_status(mailing_id)) or None,
        )
        return {"mailing_id": mailing_id, "replayed": launched.replayed}


class AltcraftDeactivateMailingOperator(LaunchingOperator):
    """Deactivate a mailing (CONTRACT 5.4). Scheduled messages still go out, unless it is aborted.

    :param mailing_id: the mailing. Templated.
    :param abort_if_running: drop what is queued.

    Returns ``mailing_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (*LaunchingOperator.template_fields, "mailing_id")

    def __init__(self, *, mailing_id: int | str, abort_if_running: bool = False, **kwargs: Any) -> None:
        # Doing it again is harmless, and a clear means it.
        super().__init__(relaunch_on_clear=True, **kwargs)
        self.mailing_id = mailing_id
        self.abort_if_running = abort_if_running

    def work(self, context: Any) -> dict[str, Any]:
        """Deactivate it."""
        from airflow_provider_altcraft.api.objects import identifier

        mailing_id = identifier("mailing_id", self.mailing_id)
        params = {"id": mailing_id, "abort_if_running": self.abort_if_running}
        launched = self.launcher(context).launch("campaigns/deactivate", params, now=datetime.now(UTC))
        return {"mailing_id": mailing_id, "replayed": launched.replayed}


class AltcraftStartTriggerMailingOperator(LaunchingOperator):
    """Send a trigger mailing to one profile, once (CONTRACT 7.1). For many: ``AltcraftImportAndStartOperator``.

    The recipient is no template field: personal data never lands in Airflow's rendered templates.

    :param trigger_id: the mailing; it must be active and of type ``api_call``. Templated.
    :param recipient: what the profile is found by, such as ``{"email": ...}``; or a callable that returns it, called on
        the worker.
    :param matching: ``email``, ``phone``, ``profile_id`` or ``custom`` (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param resource_id: resource for email and phone matching. Templated.
    :param subscription_filter: which subscription gets the message.
    :param content: values for ``{apicontent.name}`` in the message. Templated.
    :param custom_data: data for action hooks. Templated.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6).

    Returns ``trigger_id``, ``request_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (
        *LaunchingOperator.template_fields,
        "trigger_id",
        "resource_id",
        "content",
        "custom_data",
    )

    def __init__(
        self,
        *,
        trigger_id: int | str,
        recipient: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        matching: str = "email",
        field_name: str | None = None,
        resource_id: int | str | None = None,
        subscription_filter: dict[str, Any] | None = None,
        content: dict[str, Any] | None = None,
        custom_data: dict[str, Any] | None = None,
        attach: list[dict[str, Any]] | None = None,
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

    def work(self, context: Any) -> dict[str, Any]:
        """Send it."""
        from airflow_provider_altcraft.api.objects import identifier

        trigger_id = identifier("trigger_id", self.trigger_id)
        params = {
            # Documented as a text (CONTRACT 7.1).
            "id": str(trigger_id),
            **self._matched(),
            "resource_id": None if self.resource_id is None else identifier("resource_id", self.resource_id),
            "subscription_filter": self.subscription_filter,
            "content": self.content,
            "custom_data": self.custom_data,
            "attach": self.attach,
        }
        launched = self.launcher(context).launch("campaigns/triggers/start", params, now=datetime.now(UTC))
        return {"trigger_id": trigger_id, "request_id": launched.request_id, "replayed": launched.replayed}

    def _matched(self) -> dict[str, Any]:
        from airflow_provider_altcraft.api.objects import Matching

        if self.matching not in TRIGGER_MATCHING:
            raise AltcraftConfigurationError(
                f"matching must be one of {', '.join(TRIGGER_MATCHING)} here, not {self.matching!r} (CONTRACT 7.1)."
            )
        matching = Matching(self.matching, self.field_name)
        recipient = self.recipient() if callable(self.recipient) else self.recipient
        (key,) = matching.key_fields
        value = recipient.get(key)
        if value in (None, ""):
            raise AltcraftConfigurationError(f"The recipient has no {key} to be found by.")
        return {**matching.params, ("field_value" if self.matching == "custom" else key): value}


TRIGGER_MATCHING = ("email", "phone", "profile_id", "custom")


class AltcraftCreateMailingOperator(LaunchingOperator):
    """Create a broadcast or a regular mailing (CONTRACT 6.1). One per task and DAG run, whatever is retried.

    :param name: its name. Templated.
    :param data_type: where the audience comes from: ``list`` (a database) or ``segment``.
    :param data_id: id of the audience. Templated.
    :param content: the messages. Templated.
    :param send_channel: ``email``, ``sms``, ``push`` or another channel of the installation.
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
    :param request_id: a Request-ID of your own instead of the derived one. Templated.
    :param relaunch_on_clear: whether clearing the task creates another mailing.

    Returns the id of the mailing.
    """

    template_fields: Sequence[str] = (
        *LaunchingOperator.template_fields,
        "name",
        "data_id",
        "content",
        "resource_id",
        "subid",
        "attributes",
    )

    def __init__(
        self,
        *,
        name: str,
        data_type: str,
        data_id: int | str,
        content: Sequence[Content | dict[str, Any]],
        send_channel: str,
        mailing_type: str = "regular",
        start_schedule: StartSchedule | dict[str, list[int]] | None = None,
        is_active: bool | None = None,
        resource_id: int | str | None = None,
        subid: str | None = None,
        limit: int | None = None,
        aglimit_count: int | None = None,
        aglimit_percent: float | None = None,
        policy_id: int | None = None,
        push_sending_mode: str | None = None,
        attributes: dict[str, Any] | None = None,
        virtual_sender_id: int | None = None,
        is_random_tracking_prefix: bool | None = None,
        custom_tracking_domains: list[str] | None = None,
        blind_carbon_copy: list[str] | None = None,
        unconditional_sending: bool | None = None,
        watched_list_id: int | None = None,
        watcher_limit: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.data_type = data_type
        self.data_id = data_id
        self.content = content
        self.send_channel = send_channel
        self.mailing_type = mailing_type
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

    def work(self, context: Any) -> int:
        """Create the mailing."""
        endpoint = f"{_family(self.mailing_type)}/add"
        params = self._params()
        return _saved(self, self.launcher(context).launch(endpoint, params, now=datetime.now(UTC)))

    def _params(self) -> dict[str, Any]:
        from airflow_provider_altcraft.api.objects import StartSchedule, identifier

        if not self.name or not self.send_channel:
            raise AltcraftConfigurationError("A mailing needs a name and a send_channel.")
        if self.data_type not in SOURCES:
            raise AltcraftConfigurationError(f"data_type must be 'list' or 'segment', not {self.data_type!r}.")
        if self.push_sending_mode not in (None, "fanout", "last"):
            raise AltcraftConfigurationError(
                f"push_sending_mode must be 'fanout' or 'last', not {self.push_sending_mode!r}."
            )
        if not self.content:
            raise AltcraftConfigurationError("A mailing needs content: at least one message.")
        schedule = self.start_schedule
        as_they_are = (
            "name", "data_type", "send_channel", "is_active", "subid", "limit", "aglimit_count", "policy_id",
            "push_sending_mode", "attributes", "virtual_sender_id", "is_random_tracking_prefix",
            "custom_tracking_domains", "blind_carbon_copy", "unconditional_sending", "watched_list_id", "watcher_limit",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in as_they_are},
            "data_id": identifier("data_id", self.data_id),
            "resource_id": None if self.resource_id is None else identifier("resource_id", self.resource_id),
            "content": [_content(message) for message in self.content],
            # Spelt with two l when writing (CONTRACT 6.1).
            "agllimit_percent": self.aglimit_percent,
            "start_schedule": StartSchedule(**schedule).params
            if isinstance(schedule, Mapping)
            else schedule and schedule.params,
        }


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
        from airflow_provider_altcraft.api.objects import identifier

        params = {"id": identifier("mailing_id", self.mailing_id), "name": self.name}
        return _saved(self, self.launcher(context).launch("campaigns/clone", params, now=datetime.now(UTC)))


def _saved(operator: LaunchingOperator, created: Launched) -> int:
    """The id of what was created."""
    from airflow_provider_altcraft.api.objects import identifier

    saved = created.data.get("saved_id") if isinstance(created.data, dict) else None
    mailing_id = identifier("the saved_id of Altcraft's answer", saved)
    operator.log.info("Mailing %d %s.", mailing_id, "was created at an earlier try" if created.replayed else "created")
    return mailing_id


def _is_active(status: Any) -> bool:
    return isinstance(status, Mapping) and str(status.get("is_active")).lower() == "true"


def _is_inactive(status: Any) -> bool:
    # Only a clear "no" counts: what the answer for a launched mailing says is not documented (CONTRACT 5.1).
    return isinstance(status, Mapping) and str(status.get("is_active")).lower() == "false"


def _content(message: Content | dict[str, Any]) -> dict[str, Any]:
    from airflow_provider_altcraft.api.objects import Content

    if isinstance(message, Mapping):
        try:
            return Content(**message).params
        except TypeError as error:
            raise AltcraftConfigurationError(f"content takes the fields of a content object: {error}.") from None
    return message.params
