"""Quick import: flat parameters, and HTTP statuses for answers."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method
from airflow_provider_altcraft.sandbox.methods.scenarios import enter
from airflow_provider_altcraft.sandbox.methods.scenarios import startable as startable_scenario
from airflow_provider_altcraft.sandbox.methods.triggers import send, startable

CONTROLS = ("db_id", "matching", "resource_id", "trigger_id", "workflow_id")
"""Parameters that are not fields of the profile."""

SYSTEM = {"_regip", "_regurl"}

MATCHING = ("email", "email_profile", "phone")
"""Any other word is the name of a field (CONTRACT 8.9)."""


@method("integrations/any/profile_import")
def quick_import(call: ApiCall) -> Body:
    """CONTRACT 8.9, and 1.4 for its statuses. What it answers besides the status is not documented."""
    db = call.world.database(call["db_id"])
    if call["resource_id"] is not None:
        call.world.resource(call["resource_id"])
    data = _fields(call)
    trigger = startable(call, call["trigger_id"]) if call["trigger_id"] is not None else None
    scenario = startable_scenario(call, call["workflow_id"]) if call["workflow_id"] is not None else None
    matching = call["matching"] or "email"
    how, field_name = (matching, None) if matching in MATCHING else ("custom", matching)
    profile_id = db.save(data, how, field_name, known=None, several="refuse")
    if trigger is not None:
        send(call, trigger, [profile_id])
    if scenario is not None:
        enter(call, scenario, [profile_id])
    return {}


def _fields(call: ApiCall) -> Body:
    """The fields of the profile."""
    data = {name: value for name, value in call.body.items() if name not in CONTROLS and value is not None}
    if not data.keys() - SYSTEM:
        raise Refused(400, "at least one field of the database is needed")
    if any(isinstance(value, dict | list) for value in data.values()):
        raise Refused(400, "parameters must be flat")
    return data
