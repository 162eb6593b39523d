"""The settings of a mailing: its audience, messages and schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.runtime.mailing_run import SOURCES, content_params

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.objects import StartSchedule

MAILING_TYPES = {"broadcast": "campaigns/broadcasts", "regular": "campaigns/regulars"}


def family(mailing_type: str) -> str:
    """The path of the API methods for a type of mailing.

    :raises AltcraftConfigurationError: for an unknown type.
    """
    if mailing_type not in MAILING_TYPES:
        raise AltcraftConfigurationError(f"mailing_type must be 'broadcast' or 'regular', not {mailing_type!r}.")
    return MAILING_TYPES[mailing_type]


class MailingSettingsOperator(AltcraftOperator):
    """The settings of a broadcast or regular mailing (CONTRACT 6.1)."""

    template_fields: Sequence[str] = (
        *AltcraftOperator.template_fields,
        "name",
        "data_id",
        "content",
        "resource_id",
        "subid",
        "attributes",
    )

    name: Any
    data_type: str
    data_id: Any
    content: Any
    mailing_type: str
    start_schedule: StartSchedule | dict[str, list[int]] | None
    is_active: bool | None
    resource_id: Any
    subid: Any
    limit: int | None
    aglimit_count: int | None
    aglimit_percent: float | None
    policy_id: int | None
    push_sending_mode: str | None
    attributes: Any
    virtual_sender_id: int | None
    is_random_tracking_prefix: bool | None
    custom_tracking_domains: list[str] | None
    blind_carbon_copy: list[str] | None
    unconditional_sending: bool | None
    watched_list_id: int | None
    watcher_limit: int | None

    def settings(self) -> dict[str, Any]:
        """The settings in Altcraft's format.

        :raises AltcraftConfigurationError: for settings that no mailing can have.
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
        passed_through = (
            "data_type", "is_active", "subid", "limit", "aglimit_count", "policy_id",
            "push_sending_mode", "attributes", "virtual_sender_id", "is_random_tracking_prefix",
            "custom_tracking_domains", "blind_carbon_copy", "unconditional_sending", "watched_list_id", "watcher_limit",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in passed_through},
            "name": rendered("name", self.name),
            "data_id": identifier("data_id", self.data_id),
            "resource_id": None if self.resource_id is None else identifier("resource_id", self.resource_id),
            "content": [content_params(message) for message in self.content],
            # Altcraft spells it with two l's in this call (CONTRACT 6.1).
            "agllimit_percent": self.aglimit_percent,
            "start_schedule": StartSchedule(**schedule).params
            if isinstance(schedule, Mapping)
            else schedule and schedule.params,
        }
