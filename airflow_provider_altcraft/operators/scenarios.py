"""Profiles into a scenario or a trigger mailing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.operators.profiles import ProfilesOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination


class AltcraftImportAndStartOperator(ProfilesOperator):
    """Import profiles and start a scenario or a trigger mailing for them, as server-side tasks (CONTRACT 3.1, 7.4).

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or
        yields them.
    :param workflow_id: the scenario. Templated. Either this or ``trigger_id``.
    :param trigger_id: the trigger mailing. Templated.
    :param matching: how the profile of a row is found (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param content: values for ``{apicontent.name}`` in templates. Templated.
    :param custom_data: data for action hooks. Templated.
    :param skip_triggers: do not fire the triggers and scenarios that an import or update would.
    :param skip_invalid_subscriptions: take a profile without its invalid subscriptions.
    :param detect_geo: find the place by the profile's IP address.

    Returns counters, task ids and where rejects are kept. Sending rows, waiting and rejects: ``DeliveringOperator``.
    """

    template_fields: Sequence[str] = (
        *ProfilesOperator.template_fields,
        "workflow_id",
        "trigger_id",
        "content",
        "custom_data",
    )

    def __init__(
        self,
        *,
        workflow_id: int | str | None = None,
        trigger_id: int | str | None = None,
        matching: str = "email",
        field_name: str | None = None,
        content: dict[str, Any] | None = None,
        custom_data: dict[str, Any] | None = None,
        skip_triggers: bool | None = None,
        skip_invalid_subscriptions: bool | None = None,
        detect_geo: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workflow_id = workflow_id
        self.trigger_id = trigger_id
        self.matching = matching
        self.field_name = field_name
        self.content = content
        self.custom_data = custom_data
        self.skip_triggers = skip_triggers
        self.skip_invalid_subscriptions = skip_invalid_subscriptions
        self.detect_geo = detect_geo

    @property
    def destination(self) -> Destination:
        """The scenario or the trigger mailing.

        :raises AltcraftConfigurationError: if neither or both are given.
        """
        from airflow_provider_altcraft.delivery.destinations import Scenario, TriggerMailing

        if (self.workflow_id is None) == (self.trigger_id is None):
            raise AltcraftConfigurationError("Give either workflow_id (a scenario) or trigger_id (a trigger mailing).")
        shared: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "matching",
                "field_name",
                "content",
                "custom_data",
                "skip_triggers",
                "skip_invalid_subscriptions",
                "detect_geo",
            )
        }
        if self.workflow_id is not None:
            return Scenario(self.workflow_id, **shared)
        return TriggerMailing(self.trigger_id or "", **shared)
