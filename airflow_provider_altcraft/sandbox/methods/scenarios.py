"""Scenarios."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, page
from airflow_provider_altcraft.sandbox.methods.files import check_attachments
from airflow_provider_altcraft.sandbox.methods.profiles import hook_data, import_batch, import_one, selected
from airflow_provider_altcraft.sandbox.methods.tasks import start_task
from airflow_provider_altcraft.sandbox.methods.triggers import check_subscription_filter
from airflow_provider_altcraft.sandbox.world import Scenario


@method("workflows/list")
def scenarios(call: ApiCall) -> Body:
    """CONTRACT 3.5: ``total`` instead of ``total_count``. The only documented mode does not fit, so it is empty."""
    answer = page(
        call,
        (
            {
                "id": scenario.workflow_id,
                "name": scenario.name,
                "list_id": scenario.db_id,
                "is_active": scenario.is_active,
                "ui_tags": [],
                "mode": "",
                "groups": [{"ID": 0, "title": "main"}],
                "nodes": [{"name": "Default", "type": "start"}],
            }
            for scenario in call.world.scenarios.values()
        ),
    )
    answer["total"] = answer.pop("total_count")
    return answer


@method("workflows/activate")
def activate_scenario(call: ApiCall) -> Body:
    """CONTRACT 3.6."""
    scenario = call.world.scenario(call["id"])
    scenario.is_active = True
    if call["skip_profiles"]:
        scenario.inside.clear()
    return {"data": None}


@method("workflows/deactivate")
def deactivate_scenario(call: ApiCall) -> Body:
    """CONTRACT 3.7: its page was not seen; the path and ``id`` are inferred from its twin."""
    call.world.scenario(call["id"]).is_active = False
    return {"data": None}


@method("workflows/start")
def start_scenario(call: ApiCall) -> Body:
    """CONTRACT 3.4: existing profiles, by matching or by a query. The answer is cut."""
    scenario = startable(call, call["id"])
    check_subscription_filter(call)
    enter(call, scenario, selected(call, call.world.database(scenario.db_id)))
    return {"data": None}


@method("workflows/import_and_start")
def import_and_start(call: ApiCall) -> Body:
    """CONTRACT 3.3. The answer is cut."""
    scenario = startable(call, call["workflow_id"])
    if call["db_id"] not in (None, scenario.db_id):
        raise Refused(400, f"db_id: scenario {scenario.workflow_id} belongs to database {scenario.db_id}")
    answer = import_one(call, call.world.database(scenario.db_id))
    enter(call, scenario, [answer["profile_id"]])
    return answer if call.behaviour.import_and_start_answer == "profile_id" else {}


@method("workflows/import_and_start_batch")
def import_and_start_batch(call: ApiCall) -> Body:
    """CONTRACT 3.2. The answer is cut; here it is that of the other batches."""
    answers = _imported(call)
    return {"result": answers} if call.behaviour.result_of_batches == "itemised" else {}


@method("workflows/import_and_start_batch_task")
def import_and_start_batch_task(call: ApiCall) -> Body:
    """CONTRACT 3.1."""
    return start_task(call, _imported(call))


def startable(call: ApiCall, workflow_id: int) -> Scenario:
    """A scenario that profiles can enter: it must be active (CONTRACT 3.4)."""
    scenario = call.world.scenario(workflow_id)
    check_attachments(call)
    if not scenario.is_active:
        raise Refused(400, f"scenario {scenario.workflow_id} is not active")
    return scenario


def enter(call: ApiCall, scenario: Scenario, profile_ids: list[str], data: dict[str, Any] | None = None) -> None:
    """Send profiles into a scenario.

    :param data: for action hooks, by profile; by default that of the request, for all.
    """
    call.deliveries.enter(scenario.workflow_id, profile_ids)
    data = dict.fromkeys(profile_ids, call["custom_data"]) if data is None else data
    call.deliveries.note_hook_data("scenario", scenario.workflow_id, data)
    scenario.inside.update(profile_ids)


def _imported(call: ApiCall) -> list[Body]:
    scenario = startable(call, call["workflow_id"])
    answers, profile_ids = import_batch(call, call.world.database(scenario.db_id))
    enter(call, scenario, profile_ids, hook_data(call, answers))
    return answers
