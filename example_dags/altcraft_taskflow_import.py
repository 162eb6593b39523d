"""A Python function yields profiles, which are imported as they are yielded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase

with DAG(
    "altcraft_taskflow_import",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    params={"first": 1},
    tags=["altcraft", "example"],
):
    # --8<-- [start:decorator]
    @task.altcraft_import(destination=ProfileDatabase(1), batch_size=25)
    def newcomers(first: str) -> Iterator[dict[str, Any]]:
        """Called on the worker: pass ids, dates or paths, and read the rows inside."""
        for number in range(int(first), int(first) + 60):
            yield {"email": f"newcomer{number}@example.com", "_fname": f"Newcomer {number}"}

    newcomers("{{ params.first }}")
    # --8<-- [end:decorator]
