"""Databases."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, page
from airflow_provider_altcraft.sandbox.world import SYSTEM_FIELDS


@method("databases/list")
def databases(call: ApiCall) -> Body:
    """CONTRACT 9."""
    everything = call.world.databases.values()
    groups = [{"Id": 0, "Name": "main"}]
    return page(call, ({"id": db.db_id, "name": db.name, "ui_tags": [], "Groups": groups} for db in everything))


@method("databases/get")
def database(call: ApiCall) -> Body:
    """CONTRACT 9."""
    db = call.world.database(call["id"])
    return {"data": {"id": db.db_id, "name": db.name, "suppress_id": 0, "description": ""}}


@method("databases/fields_get")
def database_fields(call: ApiCall) -> Body:
    """CONTRACT 9. Its page was not seen; the shapes and the names of types are the sandbox's own."""
    shape = call.behaviour.fields_shape
    if shape == "refused":
        raise Refused(403, "databases/fields_get is not open to this token", "No access")
    declared = {**SYSTEM_FIELDS, **call.world.database(call["id"]).fields}
    fields = [{"name": name, "type": kind} for name, kind in declared.items()]
    return {"data": {"fields": fields} if shape == "object" else fields}


@method("databases/wipe")
def wipe_database(call: ApiCall) -> Body:
    """CONTRACT 9: irreversible, and only where the installation allows it. No history of actions is kept here."""
    if not call.behaviour.data_may_be_wiped:
        raise Refused(403, "ALLOW_DATA_WIPE is off", "No access")
    return {"data": {"count_action": 0, "count_profile": call.world.database(call["id"]).wipe()}}
