"""Databases, their profiles and their segments."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, attempt, method, page
from airflow_provider_altcraft.sandbox.world import SYSTEM_FIELDS, Database


@method("databases/list")
def databases(act: Act) -> Body:
    """CONTRACT 9."""
    return page(act, ({"id": db.db_id, "name": db.name, "ui_tags": []} for db in act.world.databases.values()))


@method("databases/get")
def database(act: Act) -> Body:
    """CONTRACT 9."""
    db = act.world.database(act["id"])
    return {"data": {"id": db.db_id, "name": db.name, "suppress_id": 0, "description": ""}}


@method("databases/fields_get")
def database_fields(act: Act) -> Body:
    """CONTRACT 9. The page of this method was not seen; the shapes and the words for types are the sandbox's own."""
    shape = act.behaviour.fields_shape
    if shape == "refused":
        raise Refused(403, "databases/fields_get is not open to this token", "No access")
    declared = {**SYSTEM_FIELDS, **act.world.database(act["id"]).fields}
    fields = [{"name": name, "type": kind} for name, kind in declared.items()]
    return {"data": {"fields": fields} if shape == "object" else fields}


def taken(act: Act, db: Database, data: Any, *, known: bool | None = None) -> Body:
    """One profile of a batch: stored, or refused by itself."""

    def save() -> Body:
        if not isinstance(data, dict):
            raise Refused(400, text="A profile must be an object")
        return {"profile_id": db.save(data, act["matching"] or "email", act["field_name"], known=known)}

    return attempt(save)


@method("profiles/import")
def import_profile(act: Act) -> Body:
    """CONTRACT 8.1."""
    answer = taken(act, act.world.database(act["db_id"]), {**act["data"]})
    if answer["error"]:
        raise Refused(answer["error"], text=answer["error_text"])
    return {"profile_id": answer["profile_id"]}


@method("profiles/import_batch", "profiles/update_batch", "profiles/add_batch")
def import_profiles(act: Act) -> Body:
    """CONTRACT 8.2 to 8.4."""
    db = act.world.database(act["db_id"])
    known = {"profiles/update_batch": True, "profiles/add_batch": False}.get(act.name)
    items = [taken(act, db, item, known=known) for item in act["data"]]
    return {"result": items} if act.behaviour.result_of_batches == "itemised" else {}


@method("profiles/list")
def profiles(act: Act) -> Body:
    """CONTRACT 8.8: pages by an opaque pointer."""
    stored = list(act.world.database(act["db_id"]).profiles.items())
    start = int(str(act["from_id"] or "p0")[1:])
    limit = act["limit"] or 1000
    answer: Body = {"data": [{**data, "id": profile_id} for profile_id, data in stored[start : start + limit]]}
    answer["next_from_id"] = f"p{start + limit}" if start + limit < len(stored) else ""
    return answer


@method("segments/list")
def segments(act: Act) -> Body:
    """CONTRACT 9."""
    return page(act, act.world.segments.values())


def import_batch(act: Act, db: Database) -> tuple[list[Body], list[str]]:
    """The items of an import-and-start, wrapped in ``data`` (CONTRACT 14.6), and the profiles they became."""
    items = act["data"] or []
    if any(not isinstance(item, dict) or set(item) - {"data", "custom_data"} for item in items):
        raise Refused(400, 'every item of data must be {"data": {...}}')
    answers = [taken(act, db, item.get("data")) for item in items]
    return answers, [answer["profile_id"] for answer in answers if not answer["error"]]
