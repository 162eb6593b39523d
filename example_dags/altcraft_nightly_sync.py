"""Every night, changed customers go into the database. Trigger it by hand to send repaired rejects."""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator

with DAG(
    "altcraft_nightly_sync",
    schedule="0 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    # Only one delivery at a time may use a ledger.
    max_active_runs=1,
    # Trigger the DAG with a folder of repaired rejects to send them instead of the query's rows.
    params={"rejects_from": ""},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["altcraft", "example"],
):
    # --8<-- [start:database]
    SqlToAltcraftOperator(
        task_id="customers",
        sql_conn_id="warehouse",
        sql="SELECT id, email, phone, first_name, last_name, city, birthday, balance FROM customers ORDER BY id",
        field_mapping={
            "id": "CRM_ID",
            "email": ["email", "subscriptions[0].email"],
            "phone": "subscriptions[1].phone",
            "first_name": "_fname",
            "last_name": "_lname",
            "city": "_city",
            "birthday": "_bdate",
            "balance": "balance",
        },
        constants={
            "subscriptions[0].channel": "email",
            "subscriptions[0].resource_id": 1,
            "subscriptions[1].channel": "sms",
            "subscriptions[1].resource_id": 1,
        },
        # --8<-- [start:destination]
        destination=ProfileDatabase(1, matching="custom", field_name="CRM_ID"),
        # --8<-- [end:destination]
        changes_only=True,
        ledger_path=os.environ.get("ALTCRAFT_LEDGER", "/tmp/altcraft-ledger"),  # noqa: S108
        max_rejects=500,
        reject_path=os.environ.get("ALTCRAFT_REJECTS", "/tmp/altcraft-rejects"),  # noqa: S108
        rejects_from="{{ params.rejects_from }}",
        on_empty="fail",
    )
    # --8<-- [end:database]
