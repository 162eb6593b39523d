"""Every night, the profiles of a database come back: Altcraft writes them to files, and the files go into a table."""

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
    """Read as it is used: the file may be larger than the memory."""
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
        # By their id, so that a retry loads nothing twice.
        hook.insert_rows("altcraft_profiles", rows_of(file["path"]), COLUMNS, replace=True, replace_index="id")
    return int(export["total"])


# --8<-- [end:load]
# By schedule, the day that the run is for; by hand, when Airflow 3 knows no such day, the day it is started.
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
        # A folder of its own for each run. In production: s3://lake@exports/altcraft/<day>
        path=f"{os.environ.get('ALTCRAFT_EXPORTS', '/tmp/altcraft-exports')}/{DAY}",  # noqa: S108
        deferrable=True,
        poll_interval=2,
    )
    # --8<-- [end:profiles]
    load(fetch.output)
