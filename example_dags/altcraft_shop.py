"""A shop's nightly data: orders and their confirmations, complaints, promo codes."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.delivery.destinations import Orders, PromoCodes, SuppressionList, TriggerMailing
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator

# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_shop",
    schedule="30 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["altcraft", "example"],
):
    # --8<-- [start:suppression_list]
    complaints = SqlToAltcraftOperator(
        task_id="complaints",
        sql_conn_id="warehouse",
        sql="SELECT email FROM complaints ORDER BY email",
        destination=SuppressionList(3),
    )
    # --8<-- [end:suppression_list]
    # --8<-- [start:promo_codes]
    codes = SqlToAltcraftOperator(
        task_id="promo_codes",
        sql_conn_id="warehouse",
        sql="SELECT code FROM promo_codes ORDER BY code",
        destination=PromoCodes(5),
    )
    # --8<-- [end:promo_codes]
    # --8<-- [start:orders]
    orders = SqlToAltcraftOperator(
        task_id="orders",
        sql_conn_id="warehouse",
        sql="SELECT number AS external_id, email, total AS total_price FROM orders ORDER BY number",
        constants={"matching": "email"},
        destination=Orders(),
    )
    # --8<-- [end:orders]
    # --8<-- [start:trigger_mailing]
    confirmations = SqlToAltcraftOperator(
        task_id="confirmations",
        sql_conn_id="warehouse",
        sql="SELECT DISTINCT email FROM orders ORDER BY email",
        destination=TriggerMailing(9, content={"day": DAY}),
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:trigger_mailing]
    # Nobody who complained may get a message, so the suppression list comes first.
    complaints >> confirmations
    orders >> confirmations
