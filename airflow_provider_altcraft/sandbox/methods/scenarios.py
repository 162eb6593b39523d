"""Scenarios."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, page
from airflow_provider_altcraft.sandbox.methods.files import check_attachments
from airflow_provider_altcraft.sandbox.methods.profiles import hook_data, import_batch, import_one, selected
from airflow_provider_altcraft.sandbox.methods.tasks import start_task
from airflow_provider_altcraft.sandbox.methods.triggers import check_subscription_filter
from airflow_provider_altcraft.sandbox.world import Scenario


@method("workflows/list")
def scenarios(act: Act) -> Body:
    """CONTRACT 3.5: ``total`` instead of ``total_count``. The one mode that was seen is not how they work here."""
    answer = page(
        act,
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
            for scenario in act.world.scenarios.values()
        ),
    )
    answer["total"] = answer.pop("total_count")
    return answer


@method("workflows/activate")
def activate_scenario(act: Act) -> Body:
    """CONTRACT 3.6."""
    scenario = act.world.scenario(act["id"])
    scenario.is_active = True
    if act["skip_profiles"]:
        scenario.inside.clear()
    return {"data": None}


@method("workflows/deactivate")
def deactivate_scenario(act: Act) -> Body:
    """CONTRACT 3.7: its page was not seen; the path and ``id`` are inferred from its twin."""
    act.world.scenario(act["id"]).is_active = False
    return {"data": None}


@method("workflows/start")
def start_scenario(act: Act) -> Body:
    """CONTRACT 3.4: profiles that are there, by matching or by a query. The answer is cut."""
    scenario = startable(act, act["id"])
    check_subscription_filter(act)
    enter(act, scenario, selected(act, act.world.database(scenario.db_id)))
    return {"data": None}


@method("workflows/import_and_start")
def import_and_start(act: Act) -> Body:
    """CONTRACT 3.3. The answer is cut."""
    scenario = startable(act, act["workflow_id"])
    if act["db_id"] not in (None, scenario.db_id):
        raise Refused(400, f"db_id: scenario {scenario.workflow_id} is of database {scenario.db_id}")
    answer = import_one(act, act.world.database(scenario.db_id))
    enter(act, scenario, [answer["profile_id"]])
    return answer if act.behaviour.import_and_start_answer == "profile_id" else {}


@method("workflows/import_and_start_batch")
def import_and_start_batch(act: Act) -> Body:
    """CONTRACT 3.2. The answer is cut: that of the other batches."""
    answers = _imported(act)
    return {"result": answers} if act.behaviour.result_of_batches == "itemised" else {}


@method("workflows/import_and_start_batch_task")
def import_and_start_batch_task(act: Act) -> Body:
    """CONTRACT 3.1."""
    return start_task(act, _imported(act))


def startable(act: Act, workflow_id: int) -> Scenario:
    """A scenario that takes profiles: it must be active (CONTRACT 3.4)."""
    scenario = act.world.scenario(workflow_id)
    check_attachments(act)
    if not scenario.is_active:
        raise Refused(400, f"scenario {scenario.workflow_id} is not active")
    return scenario


def enter(act: Act, scenario: Scenario, profile_ids: list[str], data: dict[str, Any] | None = None) -> None:
    """Send profiles into a scenario.

    :param data: for action hooks, by profile; that of the request for all, if it is not given.
    """
    act.deliveries.enter(scenario.workflow_id, profile_ids)
    data = dict.fromkeys(profile_ids, act["custom_data"]) if data is None else data
    act.deliveries.note_hook_data("scenario", scenario.workflow_id, data)
    scenario.inside.update(profile_ids)


def _imported(act: Act) -> list[Body]:
    scenario = startable(act, act["workflow_id"])
    answers, profile_ids = import_batch(act, act.world.database(scenario.db_id))
    enter(act, scenario, profile_ids, hook_data(act, answers))
    return answers
