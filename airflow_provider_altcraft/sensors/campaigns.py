"""Waiting for a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.sensor import AltcraftSensor

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting.targets import Target


class AltcraftCampaignSensor(AltcraftSensor):
    """Wait until a campaign is in a state (CONTRACT 4.1).

    :param campaign_id: the campaign. Templated.
    :param target_state: one of ``cloning``, ``inactive``, ``waiting``, ``active``, ``completed``, ``deleted``. The
        sensor fails if the campaign is completed or deleted instead. Templated.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls; another name for Airflow's ``poke_interval``.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``campaign_id`` and ``status``. ``timeout``, ``soft_fail`` and ``mode`` are Airflow's.
    """

    template_fields: Sequence[str] = (*AltcraftSensor.template_fields, "campaign_id", "target_state")

    def __init__(
        self,
        *,
        campaign_id: int | str | XComArg,
        target_state: str | XComArg = "completed",
        deferrable: bool = default_deferrable(),
        poll_interval: float | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            deferrable=deferrable, poll_interval=poll_interval, altcraft_conn_id=altcraft_conn_id, **kwargs
        )
        self.campaign_id = campaign_id
        self.target_state = target_state

    def target(self, context: Any) -> Target:
        """The campaign and the state."""
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.api.states import CAMPAIGN_STATES
        from airflow_provider_altcraft.waiting.targets import CampaignTarget

        if self.target_state not in CAMPAIGN_STATES:
            known = ", ".join(sorted(CAMPAIGN_STATES))
            raise AltcraftConfigurationError(f"target_state must be one of {known}, not {self.target_state!r}.")
        return CampaignTarget(identifier("campaign_id", self.campaign_id), self.target_state)
