"""A shop triggers this for each paid order: the goal is registered, and the customer enters a scenario."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, get_current_context

from airflow_provider_altcraft.operators.goals import AltcraftRegisterGoalsOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftStartScenarioOperator


def customer() -> dict[str, Any]:
    """Called on the worker. Runs are triggered with an id rather than an address, because Airflow shows params."""
    return {"CRM_ID": get_current_context()["params"]["crm_id"]}


with DAG(
    "altcraft_one_profile",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    params={"crm_id": "C1", "order_id": "1000", "total": 99.5},
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=["altcraft", "example"],
):
    # --8<-- [start:goals]
    goal = AltcraftRegisterGoalsOperator(
        task_id="count_goal",
        recipient=customer,
        matching="custom",
        field_name="CRM_ID",
        db_id=1,
        pixel_id=4,
        goals=[{"goal": "paid", "value": "{{ params.total }}"}],
        pixel_data={"order_id": "{{ params.order_id }}"},
    )
    # --8<-- [end:goals]
    # --8<-- [start:start]
    scenario = AltcraftStartScenarioOperator(
        task_id="thank",
        recipient=customer,
        matching="custom",
        field_name="CRM_ID",
        workflow_id=12,
        content={"order": "{{ params.order_id }}"},
    )
    # --8<-- [end:start]
    goal >> scenario
