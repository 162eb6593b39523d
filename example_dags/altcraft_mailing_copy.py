"""Every Friday, a copy of the offer: sent once, monitored until it has been sent, and deactivated."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.mailings import (
    AltcraftActivateMailingOperator,
    AltcraftCloneMailingOperator,
    AltcraftDeactivateMailingOperator,
)
from airflow_provider_altcraft.sensors.mailings import AltcraftMailingSensor

# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_mailing_copy",
    schedule="0 12 * * 5",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    params={"mailing_id": 7},
    tags=["altcraft", "example"],
):
    # --8<-- [start:clone]
    copy = AltcraftCloneMailingOperator(task_id="copy", mailing_id="{{ params.mailing_id }}", name=f"Offer of {DAY}")
    # --8<-- [end:clone]
    # --8<-- [start:activate]
    send = AltcraftActivateMailingOperator(
        task_id="send", mailing_id=copy.output, run_now=True, wait_for_completion=False
    )
    # --8<-- [end:activate]
    # --8<-- [start:sensor]
    sent = AltcraftMailingSensor(
        task_id="is_sent", mailing_id=copy.output, since=send.output, deferrable=True, poll_interval=2, timeout=3600
    )
    # --8<-- [end:sensor]
    # --8<-- [start:deactivate]
    retire = AltcraftDeactivateMailingOperator(task_id="retire", mailing_id=copy.output)
    # --8<-- [end:deactivate]
    sent >> retire
