"""Import partners from Python into a database, then send one message to their manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.mailings import AltcraftStartTriggerMailingOperator
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator


def partners() -> Iterator[dict[str, Any]]:
    """Called on the worker, so nothing is read while the DAG is parsed."""
    yield {"email": "manager@example.com", "_fname": "Zoë"}
    for number in range(1, 41):
        yield {"email": f"partner{number}@example.com", "_fname": f"Partner {number}"}


# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_partners",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    tags=["altcraft", "example"],
):
    # --8<-- [start:import]
    known = AltcraftImportProfilesOperator(task_id="import_partners", profiles=partners, db_id=1)
    # --8<-- [end:import]
    # --8<-- [start:trigger]
    told = AltcraftStartTriggerMailingOperator(
        task_id="tell_the_manager",
        trigger_id=9,
        recipient={"email": "manager@example.com"},
        content={"day": DAY},
    )
    # --8<-- [end:trigger]
    known >> told
