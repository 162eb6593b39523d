"""Campaigns: activate, pause, complete."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftJobFailed,
    AltcraftRejected,
)
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.reply import Reply


class _CampaignOperator(WaitingOperator):
    """Bring a campaign into a state, without a call if it is already there.

    As the state is checked first, clearing the task repeats the call if needed: an answer from Altcraft's memory would
    not, and the task would wait for a state that somebody has undone since.
    """

    template_fields: Sequence[str] = (*WaitingOperator.template_fields, "campaign_id")
    endpoint: ClassVar[str]
    target: ClassVar[str]
    on_its_way: ClassVar[tuple[str, ...]] = ()
    """States that lead to the target and nowhere else."""
    campaign_id: Any

    def work(self, context: Any) -> Any:
        """Check the state, call if needed, and wait for the state."""
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.api.states import CAMPAIGN_ENDS
        from airflow_provider_altcraft.launching.identity import Launch
        from airflow_provider_altcraft.waiting.targets import CampaignTarget

        self.check_waiting()
        campaign_id = identifier("campaign_id", self.campaign_id)
        arguments = self.arguments()
        reply, status = self._status(campaign_id)
        result = {"campaign_id": campaign_id, "status": status, "replayed": False}
        if status == self.target:
            self.log.info("Campaign %d is already %s.", campaign_id, status)
            return result
        if status in CAMPAIGN_ENDS:
            raise AltcraftJobFailed(f"Campaign {campaign_id} is {status}: it can never become {self.target}.")
        now = reply.server_time or datetime.now(UTC)
        launched = self.launch(
            context,
            Launch(self.endpoint, {"id": campaign_id, **self.call_params(arguments, now)}),
            now=now,
            look_up=lambda sighting: self._reached(campaign_id),
        )
        result["replayed"] = launched.replayed
        if not self.wait_for_completion:
            return result
        return self.await_end(context, CampaignTarget(campaign_id, self.target), result)

    @abstractmethod
    def arguments(self) -> Any:
        """The rendered arguments, checked before the first call."""

    def call_params(self, arguments: Any, now: datetime) -> dict[str, Any]:
        """The parameters of the call besides the id.

        :param now: the time on the server's clock.
        """
        return {}

    def _reached(self, campaign_id: int) -> bool | None:
        try:
            return self._status(campaign_id)[1] in (self.target, *self.on_its_way) or None
        except AltcraftError:
            return None

    def _status(self, campaign_id: int) -> tuple[Reply, str]:
        from airflow_provider_altcraft.api.states import normalize_status

        try:
            reply = self.hook.call("scampaigns/get_status", {"id": campaign_id})
        except AltcraftRejected as error:
            error.add_note(f"Check that campaign {campaign_id} exists and that the token can see its group.")
            raise
        return reply, normalize_status(reply.data.get("status")) if isinstance(reply.data, dict) else ""


class AltcraftActivateCampaignOperator(_CampaignOperator):
    """Activate a campaign (CONTRACT 4.5), now or at a date, and wait until it is active.

    :param campaign_id: the campaign. Templated.
    :param activate_at: when it starts, RFC 3339; now by default. Templated.
    :param deactivate_at: when it pauses, RFC 3339. Templated.
    :param complete_at: when it is completed, RFC 3339; this cannot be undone. Templated.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task checks the campaign again, and calls again if it is not active.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``campaign_id``, ``status`` and ``replayed``.
    """

    template_fields: Sequence[str] = (
        *_CampaignOperator.template_fields,
        "activate_at",
        "deactivate_at",
        "complete_at",
    )
    endpoint: ClassVar[str] = "scampaigns/activate"
    target: ClassVar[str] = "active"
    on_its_way: ClassVar[tuple[str, ...]] = ("waiting",)

    def __init__(
        self,
        *,
        campaign_id: int | str | XComArg,
        activate_at: str | datetime | XComArg | None = None,
        deactivate_at: str | datetime | XComArg | None = None,
        complete_at: str | datetime | XComArg | None = None,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.activate_at = activate_at
        self.deactivate_at = deactivate_at
        self.complete_at = complete_at
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def arguments(self) -> dict[str, str | None]:
        """The three dates."""
        return {name: _moment(name, getattr(self, name)) for name in ("activate_at", "deactivate_at", "complete_at")}

    def call_params(self, arguments: Any, now: datetime) -> dict[str, Any]:
        """The dates; the start under both names, since the documentation contradicts itself (CONTRACT 14.3)."""
        start = arguments["activate_at"] or now.isoformat()
        return {
            "activate_date": start,
            "start_date": start,
            "deactivate_date": arguments["deactivate_at"],
            "completed_date": arguments["complete_at"],
        }


class AltcraftDeactivateCampaignOperator(_CampaignOperator):
    """Pause a campaign (CONTRACT 4.6): its running mailings stop sending. It can be activated again.

    :param campaign_id: the campaign. Templated.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task checks the campaign again, and calls again if it is active.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``campaign_id``, ``status`` and ``replayed``.
    """

    endpoint: ClassVar[str] = "scampaigns/deactivate"
    target: ClassVar[str] = "inactive"

    def __init__(
        self,
        *,
        campaign_id: int | str | XComArg,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def arguments(self) -> None:
        """Take nothing besides the id."""


class AltcraftCompleteCampaignOperator(_CampaignOperator):
    """Complete a campaign (CONTRACT 4.7): sending stops, its contents become inactive, and it never starts again.

    :param campaign_id: the campaign. Templated.
    :param allow_irreversible: must be ``True``, since this cannot be undone.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task checks the campaign again, and calls again if it is not
        completed.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``campaign_id``, ``status`` and ``replayed``.
    """

    endpoint: ClassVar[str] = "scampaigns/completed"
    target: ClassVar[str] = "completed"

    def __init__(
        self,
        *,
        campaign_id: int | str | XComArg,
        allow_irreversible: bool = False,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.allow_irreversible = allow_irreversible
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def arguments(self) -> None:
        """Check that the irreversible call is allowed."""
        if self.allow_irreversible is not True:
            raise AltcraftConfigurationError(
                "Completing a campaign cannot be undone: it can never be started again. Set allow_irreversible=True."
            )


def _moment(name: str, value: str | datetime | None) -> str | None:
    from airflow_provider_altcraft.api.states import moment_of

    text = value.isoformat() if isinstance(value, datetime) else value
    if text in (None, "", "None"):
        return None
    if moment_of(text) is None:
        raise AltcraftConfigurationError(f"{name} must be a date-time with a time zone (RFC 3339), not {text!r}.")
    return text
