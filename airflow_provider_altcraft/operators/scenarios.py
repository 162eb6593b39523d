"""Profiles into a scenario or a trigger mailing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.operators.base import DeliveringOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination

Profiles = Iterable[Mapping[str, Any]]


class AltcraftImportAndStartOperator(DeliveringOperator):
    """Import profiles and start a scenario or a trigger mailing for them, as server-side tasks (CONTRACT 3.1, 7.4).

    The profiles are no template field: they never land in Airflow's rendered templates.

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or
        yields them; it is called on the worker, so that nothing is read when the DAG is parsed.
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
        *(name for name in DeliveringOperator.template_fields if name != "destination"),
        "workflow_id",
        "trigger_id",
        "content",
        "custom_data",
    )

    def __init__(
        self,
        *,
        profiles: Profiles | Callable[[], Profiles] | XComArg,
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
        self.profiles = profiles
        self.workflow_id = workflow_id
        self.trigger_id = trigger_id
        self.matching = matching
        self.field_name = field_name
        self.content = content
        self.custom_data = custom_data
        self.skip_triggers = skip_triggers
        self.skip_invalid_subscriptions = skip_invalid_subscriptions
        self.detect_geo = detect_geo
        # Airflow looks for upstream tasks in template fields only.
        XComArg.apply_upstream_relationship(self, profiles)

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

    def work(self, context: Any) -> Any:
        """Send the profiles, wait for their tasks, account for each."""
        delivery = self.delivery(context, self.destination)
        profiles = self._resolved(context)
        if isinstance(profiles, list | tuple):
            # They are all here, so all can be checked before the first call.
            delivery.check(profiles)
        delivery.run(profiles)
        return self.conclude(context, delivery)

    def _resolved(self, context: Any) -> Profiles:
        profiles = self.profiles
        if isinstance(profiles, XComArg):
            profiles = profiles.resolve(context)
        elif callable(profiles):
            profiles = profiles()
        if isinstance(profiles, str | bytes | Mapping) or not isinstance(profiles, Iterable):
            raise AltcraftConfigurationError(
                f"profiles must be a list of profiles, the output of a task or a callable, not"
                f" {type(profiles).__name__}. It is no template: write extract.output instead of '{{{{ ... }}}}'."
            )
        return profiles
