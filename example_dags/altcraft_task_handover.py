"""Send profiles from Python into a scenario, and pass the task ids by XCom to a sensor that waits for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from airflow_provider_altcraft.sensors.tasks import AltcraftTaskSensor


def newcomers() -> Iterator[dict[str, Any]]:
    """Called on the worker, so nothing is read while the DAG is parsed."""
    for number in range(1, 101):
        yield {"email": f"newcomer{number}@example.com", "_fname": f"Newcomer {number}"}


with DAG(
    "altcraft_task_handover",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    tags=["altcraft", "example"],
    render_template_as_native_obj=True,
):
    # --8<-- [start:start]
    start = AltcraftImportAndStartOperator(
        task_id="start_scenario", profiles=newcomers, workflow_id=12, batch_size=25, wait_for_completion=False
    )
    # --8<-- [end:start]
    # --8<-- [start:sensor]
    (
        AltcraftTaskSensor(
            task_id="wait",
            altcraft_task_id="{{ ti.xcom_pull(task_ids='start_scenario', key='altcraft_task_ids') }}",
            deferrable=True,
            poll_interval=2,
            timeout=600,
        )
        << start
    )
    # --8<-- [end:sensor]
