"""Warehouse rows go into a scenario, a mailing is sent once, and the campaign is completed."""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.delivery.destinations import Scenario
from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftCompleteCampaignOperator,
)
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator

with DAG(
    "altcraft_main_job",
    schedule="0 4 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
    params={"workflow_id": 12, "mailing_id": 7, "campaign_id": 18},
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=["altcraft", "example"],
):
    activate = AltcraftActivateCampaignOperator(
        task_id="activate_campaign", campaign_id="{{ params.campaign_id }}", deferrable=True, poll_interval=2
    )

    # --8<-- [start:scenario]
    customers = SqlToAltcraftOperator(
        task_id="customers_into_scenario",
        sql_conn_id="warehouse",
        sql="SELECT id, email, phone, first_name, last_name, city, birthday, balance FROM customers ORDER BY id",
        field_mapping={
            "id": "CRM_ID",
            "email": "email",
            "phone": "phones",
            "first_name": "_fname",
            "last_name": "_lname",
            "city": "_city",
            "birthday": "_bdate",
            "balance": "balance",
        },
        # --8<-- [start:destination]
        destination=Scenario("{{ params.workflow_id }}", matching="custom", field_name="CRM_ID"),
        # --8<-- [end:destination]
        batch_size=5_000,
        # Some addresses in a real warehouse are invalid: a few of them must not fail the job.
        max_rejects=500,
        reject_path=os.environ.get("ALTCRAFT_REJECTS", "/tmp/altcraft-rejects"),  # noqa: S108
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:scenario]

    # --8<-- [start:launch]
    launch = AltcraftLaunchMailingOperator(
        task_id="launch_broadcast", mailing_id="{{ params.mailing_id }}", deferrable=True, poll_interval=2
    )
    # --8<-- [end:launch]

    complete = AltcraftCompleteCampaignOperator(
        task_id="complete_campaign",
        campaign_id="{{ params.campaign_id }}",
        allow_irreversible=True,
        deferrable=True,
        poll_interval=2,
    )

    activate >> customers >> launch >> complete
