"""Every Monday, send a mailing with a table from the warehouse to a segment, unless the segment is empty."""

from __future__ import annotations

import csv
import os
from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, BaseHook, ObjectStoragePath, task

from airflow_provider_altcraft.operators.files import AltcraftUploadFileOperator
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.segments import AltcraftRefreshSegmentOperator

# In production: s3://lake@reports/altcraft
FOLDER = os.environ.get("ALTCRAFT_ATTACHMENTS", "/tmp/altcraft-attachments")  # noqa: S108


@task
def write_table(day: str) -> str:
    """Return the path of the file."""
    rows = (
        BaseHook.get_connection("warehouse")
        .get_hook()
        .get_records("SELECT city, count(*) FROM customers GROUP BY city ORDER BY city")
    )
    path = ObjectStoragePath(f"{FOLDER}/cities-{day}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        csv.writer(file).writerows([("city", "customers"), *rows])
    return str(path)


# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_segment_launch",
    schedule="0 8 * * 1",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    params={"segment_id": 1, "mailing_id": 7},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["altcraft", "example"],
):
    # --8<-- [start:refresh]
    audience = AltcraftRefreshSegmentOperator(
        task_id="count_audience",
        segment_id="{{ params.segment_id }}",
        resource_id=1,
        # An empty segment means a quiet Monday; an unusually large one, a mistake in its rules.
        min_subscribed=1,
        on_too_few="skip",
        max_subscribed=10_000,
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:refresh]
    table = write_table(DAY)
    # --8<-- [start:upload]
    attachment = AltcraftUploadFileOperator(task_id="upload", path=table, name="Customers by city.csv")
    # --8<-- [end:upload]
    # --8<-- [start:attach]
    launch = AltcraftLaunchMailingOperator(
        task_id="launch",
        mailing_id="{{ params.mailing_id }}",
        override_source_type="segment",
        override_source_id="{{ params.segment_id }}",
        attach=[attachment.output],
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:attach]
    audience >> table >> attachment >> launch
