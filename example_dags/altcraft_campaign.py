"""A campaign, from activation to completion."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftCompleteCampaignOperator,
)
from airflow_provider_altcraft.sensors.campaigns import AltcraftCampaignSensor

with DAG(
    "altcraft_campaign",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    params={"campaign_id": 18},
    tags=["altcraft", "example"],
):
    # --8<-- [start:activate]
    activate = AltcraftActivateCampaignOperator(
        task_id="activate", campaign_id="{{ params.campaign_id }}", poll_interval=2
    )
    # --8<-- [end:activate]
    # --8<-- [start:sensor]
    active = AltcraftCampaignSensor(
        task_id="is_active",
        campaign_id="{{ params.campaign_id }}",
        target_state="active",
        deferrable=True,
        poll_interval=2,
        timeout=600,
    )
    # --8<-- [end:sensor]
    # --8<-- [start:complete]
    complete = AltcraftCompleteCampaignOperator(
        task_id="complete", campaign_id="{{ params.campaign_id }}", allow_irreversible=True, poll_interval=2
    )
    # --8<-- [end:complete]
    activate >> active >> complete
