"""Scenarios: switch them on and off, and send profiles into them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_altcraft.exceptions import AltcraftError, AltcraftJobFailed
from airflow_provider_altcraft.operators.profiles import ProfilesOperator
from airflow_provider_altcraft.runtime.base import LaunchingOperator
from airflow_provider_altcraft.runtime.recipient import RecipientOperator
from airflow_provider_altcraft.runtime.templates import check_one_of

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.launching.launcher import Launched
    from airflow_provider_altcraft.runtime.attachments import Attach


class AltcraftImportAndStartOperator(ProfilesOperator):
    """Import profiles and start a scenario or a trigger mailing for them, as server-side tasks (CONTRACT 3.1, 7.4).

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or
        yields them.
    :param workflow_id: the scenario. Templated. Either this or ``trigger_id``.
    :param trigger_id: the trigger mailing. Templated.
    :param matching: how the profile of a row is found (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param content: values for ``{apicontent.name}`` in templates. Templated.
    :param custom_data: data for action hooks, the same for all profiles. Templated. A profile that has ``custom_data``
        among its fields has its own; it is sent beside the profile, not in it.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, but for their content. Each request holds them.
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
        attach: Attach | None = None,
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
        self.attach = attach
        self.skip_triggers = skip_triggers
        self.skip_invalid_subscriptions = skip_invalid_subscriptions
        self.detect_geo = detect_geo
        self.depend_on_files(self)

    @property
    def destination(self) -> Destination:
        """The scenario or the trigger mailing.

        :raises AltcraftConfigurationError: if neither or both are given.
        """
        from airflow_provider_altcraft.delivery.destinations import Scenario, TriggerMailing

        check_one_of({"workflow_id": self.workflow_id, "trigger_id": self.trigger_id})
        shared: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "matching",
                "field_name",
                "content",
                "custom_data",
                "attach",
                "skip_triggers",
                "skip_invalid_subscriptions",
                "detect_geo",
            )
        }
        if self.workflow_id is not None:
            return Scenario(self.workflow_id, **shared)
        return TriggerMailing(self.trigger_id or "", **shared)


class AltcraftStartScenarioOperator(RecipientOperator):
    """Send one profile that is there into a scenario, once (CONTRACT 3.4).

    For many: ``AltcraftImportAndStartOperator``, or ``Scenario``, a destination of rows.

    :param workflow_id: the scenario; it must be active. Templated.

    Whom it is for and what its messages say: ``RecipientOperator``. Returns ``workflow_id``, ``request_id`` and
    ``replayed``.
    """

    template_fields: Sequence[str] = (*RecipientOperator.template_fields, "workflow_id")

    def __init__(self, *, workflow_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workflow_id = workflow_id

    def work(self, context: Any) -> dict[str, Any]:
        """Send it in."""
        from airflow_provider_altcraft.api.objects import identifier

        workflow_id = identifier("workflow_id", self.workflow_id)
        launched = self.start(context, "workflows/start", workflow_id)
        return {"workflow_id": workflow_id, "request_id": launched.request_id, "replayed": launched.replayed}


class _SwitchOperator(LaunchingOperator):
    """Switch a scenario. Switched so already is success without a call, where its list shows it.

    :param workflow_id: the scenario. Templated.
    """

    template_fields: Sequence[str] = (*LaunchingOperator.template_fields, "workflow_id")
    endpoint: ClassVar[str]
    target: ClassVar[bool]
    """Whether it is active afterwards."""

    def __init__(self, *, workflow_id: int | str, relaunch_on_clear: bool = True, **kwargs: Any) -> None:
        # What it is is looked at first, and a clear means it.
        super().__init__(relaunch_on_clear=relaunch_on_clear, **kwargs)
        self.workflow_id = workflow_id

    def work(self, context: Any) -> dict[str, Any]:
        """Look, and switch it where it is needed."""
        from airflow_provider_altcraft.api.objects import identifier

        workflow_id = identifier("workflow_id", self.workflow_id)
        params = {"id": workflow_id, **self.call_params()}
        if self.is_done(workflow_id):
            self.log.info("Scenario %d is %s already.", workflow_id, "active" if self.target else "inactive")
            return {"workflow_id": workflow_id, "is_active": self.target, "replayed": False}
        launched = self.switch(context, params)
        return {"workflow_id": workflow_id, "is_active": self.seen(workflow_id), "replayed": launched.replayed}

    def switch(self, context: Any, params: Mapping[str, Any]) -> Launched:
        """Make the call; again, if nothing can tell whether it was made."""
        return self.launch_repeatable(context, self.endpoint, params)

    @abstractmethod
    def call_params(self) -> Mapping[str, Any]:
        """What the call takes beside the id."""

    def is_done(self, workflow_id: int) -> bool:
        """Whether there is nothing to do."""
        return self.shown(workflow_id) is self.target

    def seen(self, workflow_id: int) -> bool | None:
        """What the scenario is after the call."""
        return self.target

    def shown(self, workflow_id: int) -> bool | None:
        """What the list of scenarios shows it as (CONTRACT 3.5); ``None`` where the token may not see it."""
        try:
            for scenario in self.hook.iterate("workflows/list"):
                if isinstance(scenario, Mapping) and str(scenario.get("id")) == str(workflow_id):
                    return {"true": True, "false": False}.get(str(scenario.get("is_active")).lower())
        except AltcraftError:
            pass
        return None


class AltcraftActivateScenarioOperator(_SwitchOperator):
    """Activate a scenario (CONTRACT 3.6). One that is active already is left alone.

    :param workflow_id: the scenario. Templated.
    :param skip_profiles: clear it of the profiles in it first: their places in it are lost. It is called even if the
        scenario is active; what that does to the profiles is not documented, so deactivate it before.

    Returns ``workflow_id``, ``is_active`` and ``replayed``.
    """

    endpoint: ClassVar[str] = "workflows/activate"
    target: ClassVar[bool] = True

    def __init__(self, *, skip_profiles: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.skip_profiles = skip_profiles

    def call_params(self) -> Mapping[str, Any]:
        """Whether it is cleared."""
        return {"skip_profiles": self.skip_profiles or None}

    def switch(self, context: Any, params: Mapping[str, Any]) -> Launched:
        """Clearing it a second time would throw out who has entered since."""
        from airflow_provider_altcraft.launching.identity import Launch

        return (
            self.launch(context, Launch(self.endpoint, params, is_idempotent=False))
            if self.skip_profiles
            else super().switch(context, params)
        )

    def is_done(self, workflow_id: int) -> bool:
        """An active one may still have profiles that are to be cleared."""
        return not self.skip_profiles and super().is_done(workflow_id)


class AltcraftDeactivateScenarioOperator(_SwitchOperator):
    """Deactivate a scenario (CONTRACT 3.7), and look whether it is.

    Of the method, the documents show no more than its name; so the list of scenarios is looked at afterwards, and one
    that is still active fails the task.

    :param workflow_id: the scenario. Templated.

    Returns ``workflow_id``, ``is_active`` (``None`` if the token cannot see it) and ``replayed``.
    """

    endpoint: ClassVar[str] = "workflows/deactivate"
    target: ClassVar[bool] = False

    def call_params(self) -> Mapping[str, Any]:
        """Nothing that is known."""
        return {}

    def seen(self, workflow_id: int) -> bool | None:
        """What the list says, not what the call did."""
        shown = self.shown(workflow_id)
        if shown:
            raise AltcraftJobFailed(
                f"Altcraft took the call that deactivates scenario {workflow_id}, and still shows it as active."
            )
        if shown is None:
            self.log.warning(
                "The list of scenarios does not show %d, so nothing says that it is inactive now.", workflow_id
            )
        return shown
