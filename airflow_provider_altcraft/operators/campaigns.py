"""Campaigns: activate, pause, complete."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftJobFailed,
    AltcraftRejected,
)
from airflow_provider_altcraft.runtime.base import WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.reply import Reply


class _CampaignOperator(WaitingOperator):
    """Bring a campaign into a state. In it already is success without a call.

    :param campaign_id: the campaign. Templated.
    """

    template_fields: Sequence[str] = (*WaitingOperator.template_fields, "campaign_id")
    endpoint: ClassVar[str]
    target: ClassVar[str]
    on_its_way: ClassVar[tuple[str, ...]] = ()
    """States that only lead to the target."""

    def __init__(
        self,
        *,
        campaign_id: int | str,
        poll_interval: float = 10,
        relaunch_on_clear: bool = True,
        **kwargs: Any,
    ) -> None:
        # The state is looked at first, so a clear means it: a remembered answer would wait for what was undone since.
        super().__init__(poll_interval=poll_interval, relaunch_on_clear=relaunch_on_clear, **kwargs)
        self.campaign_id = campaign_id

    def work(self, context: Any) -> Any:
        """Look, call where it is needed, and wait for the state."""
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
            self.log.info("Campaign %d is %s already.", campaign_id, status)
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
        """What the call takes beside the id.

        :param now: the server's clock.
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
            error.add_note(f"Check that campaign {campaign_id} exists and that the token sees its group.")
            raise
        return reply, normalize_status(reply.data.get("status")) if isinstance(reply.data, dict) else ""


class AltcraftActivateCampaignOperator(_CampaignOperator):
    """Activate a campaign (CONTRACT 4.5), now or at a date, and wait until it is active.

    :param campaign_id: the campaign. Templated.
    :param activate_at: RFC 3339, the start; now if it is not given. Templated.
    :param deactivate_at: RFC 3339, when it pauses. Templated.
    :param complete_at: RFC 3339, when it is completed: irreversible, at that time. Templated.

    Returns ``campaign_id``, ``status`` and ``replayed``. Waiting: ``WaitingOperator``.
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
        activate_at: str | datetime | None = None,
        deactivate_at: str | datetime | None = None,
        complete_at: str | datetime | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activate_at = activate_at
        self.deactivate_at = deactivate_at
        self.complete_at = complete_at

    def arguments(self) -> dict[str, str | None]:
        """The three dates."""
        return {name: _moment(name, getattr(self, name)) for name in ("activate_at", "deactivate_at", "complete_at")}

    def call_params(self, arguments: Any, now: datetime) -> dict[str, Any]:
        """The dates; the start under both names, since the page contradicts itself (CONTRACT 14.3)."""
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

    Returns ``campaign_id``, ``status`` and ``replayed``. Waiting: ``WaitingOperator``.
    """

    endpoint: ClassVar[str] = "scampaigns/deactivate"
    target: ClassVar[str] = "inactive"

    def arguments(self) -> None:
        """None beside the id."""


class AltcraftCompleteCampaignOperator(_CampaignOperator):
    """Complete a campaign (CONTRACT 4.7): sending stops, what is in it becomes inactive, and it never starts again.

    :param campaign_id: the campaign. Templated.
    :param allow_irreversible: say ``True``, since it cannot be undone.

    Returns ``campaign_id``, ``status`` and ``replayed``. Waiting: ``WaitingOperator``.
    """

    endpoint: ClassVar[str] = "scampaigns/completed"
    target: ClassVar[str] = "completed"

    def __init__(self, *, allow_irreversible: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allow_irreversible = allow_irreversible

    def arguments(self) -> None:
        """Refuse to do what cannot be undone unless it was asked for."""
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
