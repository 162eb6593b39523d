"""A regular mailing, created from a cron schedule."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.api.objects import Content, StartSchedule
from airflow_provider_altcraft.operators.mailings import AltcraftCreateMailingOperator

# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_regular_mailing",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    tags=["altcraft", "example"],
):
    # --8<-- [start:create]
    AltcraftCreateMailingOperator(
        task_id="create",
        name=f"Digest of {DAY}",
        mailing_type="regular",
        data_type="list",
        data_id=1,
        content=[Content(message_id=15, subject="What happened this week", from_name="Paul")],
        send_channel="email",
        # Sunday is 0 in this installation; Altcraft does not document this, so it must be given.
        start_schedule=StartSchedule.from_cron("30 9 * * 1", sunday=0),
        is_active=True,
    )
    # --8<-- [end:create]
