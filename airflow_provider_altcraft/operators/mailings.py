"""Mailings: create and copy them, switch them on and off, send them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.operators.base import LaunchingOperator
from airflow_provider_altcraft.operators.recipients import RecipientOperator
from airflow_provider_altcraft.operators.runs import SOURCES, RunOperator, content_params, is_active, is_inactive

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.objects import Content, StartSchedule
    from airflow_provider_altcraft.launching import Launched

MAILING_TYPES = {"broadcast": "campaigns/broadcasts", "regular": "campaigns/regulars"}


def _family(mailing_type: str) -> str:
    if mailing_type not in MAILING_TYPES:
        raise AltcraftConfigurationError(f"mailing_type must be 'broadcast' or 'regular', not {mailing_type!r}.")
    return MAILING_TYPES[mailing_type]


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
    :param request_id: a Request-ID of your own instead of the derived one. Templated.
    :param relaunch_on_clear: whether clearing the task sends the mailing again. A mailing cannot be unsent.
    :param cancel_on_kill: whether killing the task stops the mailing (CONTRACT 5.4).

    Returns ``mailing_id``, ``request_id``, ``replayed``, ``launched_at`` (``None`` if it was launched before and
    nobody knows when) and, if waited for, ``finished_at``. Waiting: ``WaitingOperator``.
    """

    template_fields: Sequence[str] = (*RunOperator.template_fields, "mailing_type")

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

        if any(value is not None for value in self._overrides(context).values()):
            raise AltcraftConfigurationError("What overrides a run goes with run_now=True (CONTRACT 5.3).")
        mailing_id = identifier("mailing_id", self.mailing_id)
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        if is_active(reply.data):
            self.log.info("Mailing %d is active already.", mailing_id)
            return {"mailing_id": mailing_id, "replayed": False}
        launched = self.launcher(context).launch(
            "campaigns/activate",
            {"id": mailing_id},
            now=reply.server_time or datetime.now(UTC),
            look=lambda since, until: is_active(self.hook.mailing_status(mailing_id)) or None,
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
            "content": [content_params(message) for message in self.content],
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
