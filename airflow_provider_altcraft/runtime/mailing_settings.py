"""What a mailing is made of: its audience, its messages, when it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.base import LaunchingOperator
from airflow_provider_altcraft.runtime.mailing_run import SOURCES, content_params

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.objects import Content, StartSchedule

MAILING_TYPES = {"broadcast": "campaigns/broadcasts", "regular": "campaigns/regulars"}


def family(mailing_type: str) -> str:
    """Where the methods for mailings of a type are.

    :raises AltcraftConfigurationError: for another type.
    """
    if mailing_type not in MAILING_TYPES:
        raise AltcraftConfigurationError(f"mailing_type must be 'broadcast' or 'regular', not {mailing_type!r}.")
    return MAILING_TYPES[mailing_type]


class MailingSettingsOperator(LaunchingOperator):
    """What a broadcast or a regular mailing is made of (CONTRACT 6.1).

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

    def settings(self) -> dict[str, Any]:
        """The settings as Altcraft takes them.

        :raises AltcraftConfigurationError: for what no mailing can be.
        """
        from airflow_provider_altcraft.api.arguments import rendered
        from airflow_provider_altcraft.api.objects import StartSchedule, identifier

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
            "data_type", "is_active", "subid", "limit", "aglimit_count", "policy_id",
            "push_sending_mode", "attributes", "virtual_sender_id", "is_random_tracking_prefix",
            "custom_tracking_domains", "blind_carbon_copy", "unconditional_sending", "watched_list_id", "watcher_limit",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in as_they_are},
            "name": rendered("name", self.name),
            "data_id": identifier("data_id", self.data_id),
            "resource_id": None if self.resource_id is None else identifier("resource_id", self.resource_id),
            "content": [content_params(message) for message in self.content],
            # Spelt with two l when writing (CONTRACT 6.1).
            "agllimit_percent": self.aglimit_percent,
            "start_schedule": StartSchedule(**schedule).params
            if isinstance(schedule, Mapping)
            else schedule and schedule.params,
        }
