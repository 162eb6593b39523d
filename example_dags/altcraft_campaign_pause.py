"""A campaign pauses on Friday evening and resumes on Monday morning, by Altcraft's own clock."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftDeactivateCampaignOperator,
)

with DAG(
    "altcraft_campaign_pause",
    schedule="0 18 * * 5",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    params={"campaign_id": 42},
    tags=["altcraft", "example"],
):
    # --8<-- [start:deactivate]
    pause = AltcraftDeactivateCampaignOperator(
        task_id="pause", campaign_id="{{ params.campaign_id }}", deferrable=True, poll_interval=2
    )
    # --8<-- [end:deactivate]
    # --8<-- [start:activate_at]
    resume = AltcraftActivateCampaignOperator(
        task_id="resume_on_monday",
        campaign_id="{{ params.campaign_id }}",
        activate_at="{{ macros.ds_add(ds, 3) }}T09:00:00+03:00",
        # It becomes active on Monday: do not wait over the weekend.
        wait_for_completion=False,
    )
    # --8<-- [end:activate_at]
    pause >> resume
