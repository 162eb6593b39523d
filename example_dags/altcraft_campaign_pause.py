"""Friday evening, a campaign pauses; Monday morning it goes on, by Altcraft's own clock."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftDeactivateCampaignOperator,
)

# By schedule, the day that the run is for; by hand, when Airflow 3 knows no such day, the day it is started.
MONDAY = "{{ macros.ds_add((dag_run.logical_date or dag_run.run_after) | ds, 3) }}"

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
        activate_at=f"{MONDAY}T09:00:00+03:00",
        # It is active on Monday: nobody waits for that over the weekend.
        wait_for_completion=False,
    )
    # --8<-- [end:activate_at]
    pause >> resume
