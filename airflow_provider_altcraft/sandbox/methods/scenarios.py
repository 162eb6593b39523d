"""Scenarios."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, page
from airflow_provider_altcraft.sandbox.methods.databases import import_batch
from airflow_provider_altcraft.sandbox.methods.tasks import start_task


@method("workflows/import_and_start_batch_task")
def scenario_batch(act: Act) -> Body:
    """CONTRACT 3.1."""
    scenario = act.world.scenario(act["workflow_id"])
    if not scenario.is_active:
        raise Refused(400, f"scenario {scenario.workflow_id} is not active")
    answers, profile_ids = import_batch(act, act.world.database(scenario.db_id))
    act.deliveries.enter(scenario.workflow_id, profile_ids)
    return start_task(act, answers)


@method("workflows/list")
def scenarios(act: Act) -> Body:
    """CONTRACT 3.5: ``total`` instead of ``total_count``."""
    answer = page(
        act,
        (
            {
                "id": scenario.workflow_id,
                "name": scenario.name,
                "list_id": scenario.db_id,
                "is_active": scenario.is_active,
            }
            for scenario in act.world.scenarios.values()
        ),
    )
    answer["total"] = answer.pop("total_count")
    return answer


@method("workflows/activate")
def activate_scenario(act: Act) -> Body:
    """CONTRACT 3.6."""
    act.world.scenario(act["id"]).is_active = True
    return {"data": None}
