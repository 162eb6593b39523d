"""Once a day, reports from Altcraft are saved to files: complaints, points, bounces, campaigns."""

from __future__ import annotations

import os

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.exports import ListExport, LoyaltyTransactionsExport, SuppressionListExport
from airflow_provider_altcraft.operators.api import AltcraftApiOperator
from airflow_provider_altcraft.transfers.altcraft_to_object_storage import AltcraftToObjectStorageOperator

# A separate folder for each run. In production: s3://lake@exports/altcraft/{{ ds }}
FOLDER = f"{os.environ.get('ALTCRAFT_EXPORTS', '/tmp/altcraft-exports')}/{{{{ ds }}}}"  # noqa: S108

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
            date_from="{{ ds }}T00:00:00+03:00",
            date_to="{{ macros.ds_add(ds, 1) }}T00:00:00+03:00",
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
        source=ListExport("reports/bounces", {"date_from": "{{ ds }}", "date_to": "{{ ds }}"}, file_format="csv"),
        path=FOLDER,
    )
    # --8<-- [end:list]
    # --8<-- [start:api]
    AltcraftApiOperator(
        task_id="campaigns", endpoint="scampaigns/list", all_pages=True, result_path=f"{FOLDER}/campaigns.json"
    )
    # --8<-- [end:api]
