"""A broadcast every morning, sent once, waiting without holding a worker."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator

with DAG(
    "altcraft_scheduled_broadcast",
    schedule="0 9 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    tags=["altcraft", "example"],
):
    AltcraftLaunchMailingOperator(
        task_id="launch",
        mailing_id=7,
        mailing_type="broadcast",
        deferrable=True,
        poll_interval=5,
        timeout=timedelta(hours=3).total_seconds(),
        retries=3,
    )
