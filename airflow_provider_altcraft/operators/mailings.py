"""Mailings: create them, launch them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftJobFailed
from airflow_provider_altcraft.operators.base import AltcraftOperator, WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.objects import Content, StartSchedule

MAILING_TYPES = {"broadcast": "campaigns/broadcasts", "regular": "campaigns/regulars"}
SOURCES = ("list", "segment")


def _family(mailing_type: str) -> str:
    if mailing_type not in MAILING_TYPES:
        raise AltcraftConfigurationError(f"mailing_type must be 'broadcast' or 'regular', not {mailing_type!r}.")
    return MAILING_TYPES[mailing_type]


class AltcraftLaunchMailingOperator(WaitingOperator):
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

    Returns ``mailing_id``, ``request_id``, ``replayed``, ``launched_at`` and, if waited for, ``finished_at``.
    Waiting: ``WaitingOperator``.
    """

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "mailing_id",
        "mailing_type",
        "override_source_type",
        "override_source_id",
        "override_limit",
        "content",
        "request_id",
    )

    def __init__(
        self,
        *,
        mailing_id: int | str,
        mailing_type: str = "broadcast",
        override_source_type: str | None = None,
        override_source_id: int | str | None = None,
        override_limit: int | str | None = None,
        content: Content | dict[str, Any] | None = None,
        attach: list[dict[str, Any]] | None = None,
        request_id: str | None = None,
        relaunch_on_clear: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.mailing_type = mailing_type
        self.override_source_type = override_source_type
        self.override_source_id = override_source_id
        self.override_limit = override_limit
        self.content = content
        self.attach = attach
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear

    def work(self, context: Any) -> Any:
        """Launch, and wait for the run to end."""
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching import earliest
        from airflow_provider_altcraft.watches import MailingWatch

        self.check_waiting()
        endpoint = f"{_family(self.mailing_type)}/start"
        mailing_id = identifier("mailing_id", self.mailing_id)
        params = {"id": mailing_id, **self._overrides()}
        now = self._check_active(mailing_id)
        launcher = self.launcher(context, relaunch_on_clear=self.relaunch_on_clear, request_id=self.request_id)
        launched = launcher.launch(endpoint, params, since=now, look=lambda since: self._started(mailing_id, since))
        since = launched.since or earliest(context, now=now, window=self.hook.settings.deduplication_window)
        result = {
            "mailing_id": mailing_id,
            "request_id": launched.request_id,
            "replayed": launched.replayed,
            "launched_at": since.isoformat(),
        }
        self.log.info(
            "Mailing %d: %s (Request-ID %s).",
            mailing_id,
            "launched at an earlier try" if launched.replayed else "launched",
            launched.request_id,
        )
        if not self.wait_for_completion:
            return result
        return self.await_end(context, MailingWatch(mailing_id, since.isoformat()), result)

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

    def _check_active(self, mailing_id: int) -> datetime:
        """Refuse to launch a mailing that is not active; the server's clock just before the launch."""
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        # Only a clear "no" counts: what the answer for a launched mailing says is not documented (CONTRACT 5.1).
        if isinstance(reply.data, dict) and str(reply.data.get("is_active")).lower() == "false":
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} is not active, so it cannot be launched: activate it in Altcraft first."
            )
        return reply.server_time or datetime.now(UTC)

    def _started(self, mailing_id: int, since: datetime | None) -> bool | None:
        """Whether the mailing's log shows a run that began since then; ``None`` if it cannot be seen."""
        from airflow_provider_altcraft.api.states import latest_mark

        if since is None:
            return None
        try:
            reply = self.hook.call("campaigns/log_v2", {"id": mailing_id, "from_time": since.isoformat()})
        except AltcraftError:
            return None
        entries = [entry for entry in reply.data or [] if isinstance(entry, Mapping)]
        return True if latest_mark(entries, since) else None


class AltcraftCreateMailingOperator(AltcraftOperator):
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
        *AltcraftOperator.template_fields,
        "name",
        "data_id",
        "content",
        "resource_id",
        "subid",
        "attributes",
        "request_id",
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
        request_id: str | None = None,
        relaunch_on_clear: bool = False,
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
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear

    def work(self, context: Any) -> int:
        """Create the mailing."""
        from airflow_provider_altcraft.api.objects import identifier

        endpoint = f"{_family(self.mailing_type)}/add"
        params = self._params()
        launcher = self.launcher(context, relaunch_on_clear=self.relaunch_on_clear, request_id=self.request_id)
        created = launcher.launch(endpoint, params)
        saved = created.data.get("saved_id") if isinstance(created.data, dict) else None
        mailing_id = identifier("the saved_id of Altcraft's answer", saved)
        self.log.info("Mailing %d %s.", mailing_id, "was created at an earlier try" if created.replayed else "created")
        return mailing_id

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


def _content(message: Content | dict[str, Any]) -> dict[str, Any]:
    from airflow_provider_altcraft.api.objects import Content

    if isinstance(message, Mapping):
        try:
            return Content(**message).params
        except TypeError as error:
            raise AltcraftConfigurationError(f"content takes the fields of a content object: {error}.") from None
    return message.params
