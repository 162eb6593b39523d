"""Once a day, reports from Altcraft are saved to files: complaints, points, bounces, campaigns."""

from __future__ import annotations

import os

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.exports import ListExport, LoyaltyTransactionsExport, SuppressionListExport
from airflow_provider_altcraft.operators.api import AltcraftApiOperator
from airflow_provider_altcraft.transfers.altcraft_to_object_storage import AltcraftToObjectStorageOperator

# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"
NEXT_DAY = "{{ macros.ds_add((dag_run.logical_date or dag_run.run_after) | ds, 1) }}"
# A separate folder for each run. In production: s3://lake@exports/altcraft/<day>
FOLDER = f"{os.environ.get('ALTCRAFT_EXPORTS', '/tmp/altcraft-exports')}/{DAY}"  # noqa: S108

with DAG(
    "altcraft_reports",
    schedule="0 6 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    tags=["altcraft", "example"],
):
    # --8<-- [start:suppression_list]
    AltcraftToObjectStorageOperator(
        task_id="suppressed",
        source=SuppressionListExport(3, kind="emails"),
        path=FOLDER,
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:suppression_list]
    # --8<-- [start:transactions]
    AltcraftToObjectStorageOperator(
        task_id="points",
        source=LoyaltyTransactionsExport(
            loyalty_program_id=5,
            date_from=f"{DAY}T00:00:00+03:00",
            date_to=f"{NEXT_DAY}T00:00:00+03:00",
            points_currency_eid="bonus",
        ),
        path=FOLDER,
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:transactions]
    # --8<-- [start:list]
    AltcraftToObjectStorageOperator(
        task_id="bounces",
        source=ListExport("reports/bounces", {"date_from": DAY, "date_to": DAY}, file_format="csv"),
        path=FOLDER,
    )
    # --8<-- [end:list]
    # --8<-- [start:api]
    AltcraftApiOperator(
        task_id="campaigns", endpoint="scampaigns/list", all_pages=True, result_path=f"{FOLDER}/campaigns.json"
    )
    # --8<-- [end:api]
