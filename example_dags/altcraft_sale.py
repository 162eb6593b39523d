"""A sale: create its segment, update and send its mailing, and pause the welcome scenario meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.api.objects import Content
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator, AltcraftUpdateMailingOperator
from airflow_provider_altcraft.operators.scenarios import (
    AltcraftActivateScenarioOperator,
    AltcraftDeactivateScenarioOperator,
)
from airflow_provider_altcraft.operators.segments import AltcraftSaveSegmentOperator

# The day that a scheduled run is for. Triggered by hand, Airflow 3 knows no such day: then the day it was started.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    "altcraft_sale",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    params={"city": "Москва"},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["altcraft", "example"],
):
    # --8<-- [start:deactivate]
    rest = AltcraftDeactivateScenarioOperator(task_id="rest", workflow_id=12)
    # --8<-- [end:deactivate]
    # --8<-- [start:save_segment]
    # Rules in Altcraft's own format: create a rule in Altcraft by hand and copy it.
    city = {
        "name": "_city",
        "operator": "eq",
        "type": "string",
        "value": [{"name": "value", "value": "{{ params.city }}"}],
    }
    segment = AltcraftSaveSegmentOperator(
        task_id="segment",
        name=f"Sale of {DAY}",
        rules=[{"condition": "and", "list_id": 1, "queries": [city]}],
    )
    # --8<-- [end:save_segment]
    # --8<-- [start:update]
    update = AltcraftUpdateMailingOperator(
        task_id="update",
        mailing_id=7,
        mailing_type="broadcast",
        name=f"Sale of {DAY}",
        data_type="segment",
        data_id=segment.output,
        content=[Content(message_id=15, subject="Sale, today only")],
    )
    # --8<-- [end:update]
    launch = AltcraftLaunchMailingOperator(task_id="launch", mailing_id=7, deferrable=True, poll_interval=2)
    # --8<-- [start:activate]
    wake = AltcraftActivateScenarioOperator(task_id="wake", workflow_id=12, skip_profiles=True)
    # --8<-- [end:activate]
    # Whatever becomes of the sale, the scenario is switched on again.
    with wake.as_teardown(setups=rest):
        segment >> update >> launch
