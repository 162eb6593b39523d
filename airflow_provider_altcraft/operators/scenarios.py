"""Scenarios: switch them on and off, and send profiles into them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.profiles import Profiles, ProfilesOperator
from airflow_provider_altcraft.runtime.recipient import Recipient, RecipientOperator
from airflow_provider_altcraft.runtime.templates import check_one_of

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination, Scenario, TriggerMailing
    from airflow_provider_altcraft.delivery.encoding import NullPolicy
    from airflow_provider_altcraft.launching.launcher import Launched
    from airflow_provider_altcraft.runtime.attachments import Attach


class AltcraftImportAndStartOperator(ProfilesOperator):
    """Import profiles and start a scenario or a trigger mailing for them, as server-side tasks (CONTRACT 3.1, 7.4).

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or yields
        them.
    :param workflow_id: the scenario. Templated. Either this, ``trigger_id`` or ``destination``.
    :param trigger_id: the trigger mailing. Templated.
    :param matching: how to find a row's profile (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param resource_id: for a trigger mailing, the resource whose subscriptions are searched, for matching by email or
        phone. Templated.
    :param content: values for ``{apicontent.name}`` in templates. Templated.
    :param custom_data: data for action hooks, the same for all profiles. Templated. A profile may override it with a
        field ``custom_data``, which is sent beside the profile, not in it.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, except for their content. Every request carries them.
    :param skip_triggers: do not fire triggers and scenarios on import or update.
    :param skip_invalid_subscriptions: accept a profile without its invalid subscriptions.
    :param detect_geo: detect the location from the profile's IP address.
    :param destination: the scenario or trigger mailing and all these settings as one object. Its ids are templated.
    :param batch_size: maximum rows per request; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_in_flight: maximum concurrent requests.
    :param nulls: what to do with missing values: ``omit`` keeps what Altcraft has, ``send`` clears it; or a
        dictionary of field -> either of these.
    :param timezone: time zone of datetimes that have none.
    :param reject_path: folder for rejected rows and their reasons: a local path or an object store URL
        (``s3://conn@bucket/path``). It holds personal data. Templated.
    :param max_rejects: how many rejected rows to tolerate. Above 0 it needs ``reject_path``, so that a successful task
        never loses rows.
    :param max_reject_ratio: the same as a fraction of the rows sent, 0 to 1; the larger limit applies.
    :param rejects_from: a folder or file of repaired rejects to send instead of the source. Ignored if empty, so it
        can be set from a DAG run parameter. Templated.
    :param on_empty: what to do if there are no rows: ``succeed``, ``skip`` the task, or ``fail`` it.
    :param changes_only: skip rows that have not changed since Altcraft last accepted them. Needs a ledger, and a
        destination that answers at once.
    :param changes_key: the fields that identify a row in the ledger; by default, the destination's key fields.
    :param ledger_path: folder for the ledger, local or in an object store. It holds only hashes. Templated.
    :param ledger_table: table for the ledger, instead of a folder. Templated.
    :param ledger_conn_id: the connection for that table. Templated.
    :param check_fields: check with Altcraft before the first row that the database has the fields.
    :param dry_run: send nothing: read, map and check a sample, and log what a full run would send.
    :param sample_size: rows in that sample.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends all rows again; by default, only if that reaches nobody.
    :param altcraft_conn_id: the connection. Templated.
    :returns: counters, task ids and where rejects are kept.
    """

    template_fields: Sequence[str] = (
        *ProfilesOperator.template_fields,
        "workflow_id",
        "trigger_id",
        "resource_id",
        "content",
        "custom_data",
    )

    def __init__(
        self,
        *,
        profiles: Profiles | Callable[[], Profiles] | XComArg,
        workflow_id: int | str | XComArg | None = None,
        trigger_id: int | str | XComArg | None = None,
        matching: str = "email",
        field_name: str | None = None,
        resource_id: int | str | XComArg | None = None,
        content: dict[str, Any] | XComArg | None = None,
        custom_data: dict[str, Any] | XComArg | None = None,
        attach: Attach | None = None,
        skip_triggers: bool | None = None,
        skip_invalid_subscriptions: bool | None = None,
        detect_geo: bool | None = None,
        destination: Scenario | TriggerMailing | None = None,
        batch_size: int = 10_000,
        max_in_flight: int = 4,
        nulls: NullPolicy | Mapping[str, NullPolicy] = "omit",
        timezone: str = "UTC",
        reject_path: str | XComArg | None = None,
        max_rejects: int = 0,
        max_reject_ratio: float | None = None,
        rejects_from: str | XComArg | None = None,
        on_empty: Literal["succeed", "skip", "fail"] = "succeed",
        changes_only: bool = False,
        changes_key: Sequence[str] | None = None,
        ledger_path: str | XComArg | None = None,
        ledger_table: str | XComArg | None = None,
        ledger_conn_id: str | XComArg | None = None,
        check_fields: bool = True,
        dry_run: bool = False,
        sample_size: int = 1_000,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_one_of({"workflow_id": workflow_id, "trigger_id": trigger_id, "destination": destination})
        self.profiles = profiles
        self.depend_on(profiles)
        self.workflow_id = workflow_id
        self.trigger_id = trigger_id
        self.matching = matching
        self.field_name = field_name
        self.resource_id = resource_id
        self.content = content
        self.custom_data = custom_data
        self.attach = attach
        self.depend_on(attach)
        self.skip_triggers = skip_triggers
        self.skip_invalid_subscriptions = skip_invalid_subscriptions
        self.detect_geo = detect_geo
        # Copied: its fields are rendered in place, and mapped tasks share the object.
        self.destination = copy(destination)
        self.depend_on_destination()
        self.batch_size = batch_size
        self.max_in_flight = max_in_flight
        self.nulls = nulls
        self.timezone = timezone
        self.reject_path = reject_path
        self.max_rejects = max_rejects
        self.max_reject_ratio = max_reject_ratio
        self.rejects_from = rejects_from
        self.on_empty = on_empty
        self.changes_only = changes_only
        self.changes_key = changes_key
        self.ledger_path = ledger_path
        self.ledger_table = ledger_table
        self.ledger_conn_id = ledger_conn_id
        self.check_fields = check_fields
        # Not named dry_run: BaseOperator has a method of that name, for the command line.
        self.is_dry_run = dry_run
        self.sample_size = sample_size
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def chosen_destination(self) -> Destination:
        """The scenario or the trigger mailing.

        :raises AltcraftConfigurationError: if it is given twice, was rendered to nothing, or does not take an argument.
        """
        from airflow_provider_altcraft.delivery.destinations import Scenario, TriggerMailing

        check_one_of({"workflow_id": self.workflow_id, "trigger_id": self.trigger_id, "destination": self.destination})
        if self.workflow_id is not None and self.resource_id is not None:
            raise AltcraftConfigurationError("resource_id is only for trigger_id: a scenario takes none.")
        given = self.given_destination(Scenario, TriggerMailing)
        return given or self.destination_of(TriggerMailing if self.workflow_id is None else Scenario)


class AltcraftStartScenarioOperator(RecipientOperator):
    """Send one existing profile into a scenario, once (CONTRACT 3.4).

    For many profiles, use ``AltcraftImportAndStartOperator`` or the destination ``Scenario``.

    :param workflow_id: the scenario; it must be active. Templated.
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
    :param relaunch_on_clear: whether clearing the task sends the profile in again.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``workflow_id``, ``request_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (*RecipientOperator.template_fields, "workflow_id")

    def __init__(
        self,
        *,
        workflow_id: int | str | XComArg,
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
        self.workflow_id = workflow_id
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
        """Send it in."""
        from airflow_provider_altcraft.api.objects import identifier

        workflow_id = identifier("workflow_id", self.workflow_id)
        launched = self.start(context, "workflows/start", workflow_id)
        return {"workflow_id": workflow_id, "request_id": launched.request_id, "replayed": launched.replayed}


class _SwitchOperator(AltcraftOperator):
    """Switch a scenario on or off, without a call if the list of scenarios already shows it so.

    As that is checked first, clearing the task repeats the call if needed.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "workflow_id")
    endpoint: ClassVar[str]
    target: ClassVar[bool]
    """Whether it is active afterwards."""
    workflow_id: Any

    def work(self, context: Any) -> dict[str, Any]:
        """Check the scenario, and switch it if needed."""
        from airflow_provider_altcraft.api.objects import identifier

        workflow_id = identifier("workflow_id", self.workflow_id)
        params = {"id": workflow_id, **self.call_params()}
        if self.is_done(workflow_id):
            self.log.info("Scenario %d is already %s.", workflow_id, "active" if self.target else "inactive")
            return {"workflow_id": workflow_id, "is_active": self.target, "replayed": False}
        launched = self.switch(context, params)
        return {"workflow_id": workflow_id, "is_active": self.verified(workflow_id), "replayed": launched.replayed}

    def switch(self, context: Any, params: Mapping[str, Any]) -> Launched:
        """Make the call, and repeat it if it is unknown whether it happened."""
        return self.launch_repeatable(context, self.endpoint, params)

    @abstractmethod
    def call_params(self) -> Mapping[str, Any]:
        """The parameters of the call besides the id."""

    def is_done(self, workflow_id: int) -> bool:
        """Whether there is nothing to do."""
        return self.hook.scenario_is_active(workflow_id) is self.target

    def verified(self, workflow_id: int) -> bool | None:
        """Whether the scenario is active after the call."""
        return self.target


class AltcraftActivateScenarioOperator(_SwitchOperator):
    """Activate a scenario (CONTRACT 3.6). One that is already active is left alone.

    :param workflow_id: the scenario. Templated.
    :param skip_profiles: first remove the profiles in it, which lose their places. The call is made even if the
        scenario is active; what that does to the profiles is not documented, so deactivate it first.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task checks the scenario again, and switches it if needed.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``workflow_id``, ``is_active`` and ``replayed``.
    """

    endpoint: ClassVar[str] = "workflows/activate"
    target: ClassVar[bool] = True

    def __init__(
        self,
        *,
        workflow_id: int | str | XComArg,
        skip_profiles: bool = False,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workflow_id = workflow_id
        self.skip_profiles = skip_profiles
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def call_params(self) -> Mapping[str, Any]:
        """Whether to remove the profiles in it."""
        return {"skip_profiles": self.skip_profiles or None}

    def switch(self, context: Any, params: Mapping[str, Any]) -> Launched:
        """Make the call once with ``skip_profiles``: a repeat would remove profiles that have entered since."""
        from airflow_provider_altcraft.launching.identity import Launch

        return (
            self.launch(context, Launch(self.endpoint, params, is_idempotent=False))
            if self.skip_profiles
            else super().switch(context, params)
        )

    def is_done(self, workflow_id: int) -> bool:
        """Whether there is nothing to do: an active scenario may still have profiles to remove."""
        return not self.skip_profiles and super().is_done(workflow_id)


class AltcraftDeactivateScenarioOperator(_SwitchOperator):
    """Deactivate a scenario (CONTRACT 3.7), and verify that it is inactive.

    The API documentation gives only the method's name, so the list of scenarios is checked afterwards: if it still
    shows the scenario as active, the task fails.

    :param workflow_id: the scenario. Templated.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task checks the scenario again, and switches it if needed.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``workflow_id``, ``is_active`` (``None`` if the token cannot see it) and ``replayed``.
    """

    endpoint: ClassVar[str] = "workflows/deactivate"
    target: ClassVar[bool] = False

    def __init__(
        self,
        *,
        workflow_id: int | str | XComArg,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workflow_id = workflow_id
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def call_params(self) -> Mapping[str, Any]:
        """None are documented."""
        return {}

    def verified(self, workflow_id: int) -> bool | None:
        """What the list shows, whatever the call answered."""
        is_active = self.hook.scenario_is_active(workflow_id)
        if is_active:
            raise AltcraftJobFailed(
                f"Altcraft accepted the call to deactivate scenario {workflow_id}, but still lists it as active."
            )
        if is_active is None:
            self.log.warning("The list of scenarios does not show %d: cannot verify that it is inactive.", workflow_id)
        return is_active
