"""Quick import: flat parameters, and HTTP statuses for answers."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method
from airflow_provider_altcraft.sandbox.methods.scenarios import enter
from airflow_provider_altcraft.sandbox.methods.scenarios import startable as startable_scenario
from airflow_provider_altcraft.sandbox.methods.triggers import send, startable

CONTROLS = ("db_id", "matching", "resource_id", "trigger_id", "workflow_id")
"""Parameters that are no fields of the profile."""

SYSTEM = {"_regip", "_regurl"}

MATCHING = ("email", "email_profile", "phone")
"""Any other word is the name of a field (CONTRACT 8.9)."""


@method("integrations/any/profile_import")
def quick_import(act: Act) -> Body:
    """CONTRACT 8.9, and 1.4 for its statuses. What it says beside the status is not documented."""
    db = act.world.database(act["db_id"])
    if act["resource_id"] is not None:
        act.world.resource(act["resource_id"])
    data = {name: value for name, value in act.body.items() if name not in CONTROLS and value is not None}
    if not data.keys() - SYSTEM:
        raise Refused(400, "at least one field of the database is needed")
    if any(isinstance(value, dict | list) for value in data.values()):
        raise Refused(400, "parameters must be flat")
    trigger = startable(act, act["trigger_id"]) if act["trigger_id"] is not None else None
    scenario = startable_scenario(act, act["workflow_id"]) if act["workflow_id"] is not None else None
    matching = act["matching"] or "email"
    by_field = matching not in MATCHING
    profile_id = db.save(
        data,
        "custom" if by_field else matching,
        matching if by_field else None,
        known=None,
        several="refuse",
    )
    if trigger is not None:
        send(act, trigger, [profile_id])
    if scenario is not None:
        enter(act, scenario, [profile_id])
    return {}
