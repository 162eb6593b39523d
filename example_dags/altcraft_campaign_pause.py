"""A campaign pauses on Friday evening and resumes on Monday morning, by Altcraft's own clock."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftDeactivateCampaignOperator,
)

# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
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
        # It becomes active on Monday: do not wait over the weekend.
        wait_for_completion=False,
    )
    # --8<-- [end:activate_at]
    pause >> resume
