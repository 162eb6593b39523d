"""Every night, export the profiles of a database: Altcraft writes them to files, which are loaded into a table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, BaseHook, ObjectStoragePath, task

from airflow_provider_altcraft.exports import ProfilesExport
from airflow_provider_altcraft.transfers.altcraft_to_object_storage import AltcraftToObjectStorageOperator

COLUMNS = ("id", "email", "_fname", "_lname")


def rows_of(path: str) -> Iterator[tuple[str | None, ...]]:
    """Read row by row: the file may not fit into memory."""
    place = ObjectStoragePath(path)
    with place.fs.open(place.path, "rb") as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")):
            yield tuple(row.get(name) or None for name in COLUMNS)


# --8<-- [start:load]
@task
def load(export: dict[str, Any]) -> int:
    """Return how many profiles were loaded."""
    hook = BaseHook.get_connection("warehouse").get_hook()
    for file in export["files"]:
        # Upsert by id, so that a retry loads nothing twice.
        hook.insert_rows("altcraft_profiles", rows_of(file["path"]), COLUMNS, replace=True, replace_index="id")
    return int(export["total"])


# --8<-- [end:load]
# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_export",
    schedule="0 5 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["altcraft", "example"],
):
    # --8<-- [start:profiles]
    fetch = AltcraftToObjectStorageOperator(
        task_id="fetch",
        # --8<-- [start:source]
        source=ProfilesExport(db_id=1),
        # --8<-- [end:source]
        # A separate folder for each run. In production: s3://lake@exports/altcraft/<day>
        path=f"{os.environ.get('ALTCRAFT_EXPORTS', '/tmp/altcraft-exports')}/{DAY}",  # noqa: S108
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:profiles]
    load(fetch.output)
