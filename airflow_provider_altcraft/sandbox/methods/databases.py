"""Databases, their profiles and their segments."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, page
from airflow_provider_altcraft.sandbox.world import Database


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
    """The page of this method was not seen; the shape is the sandbox's own."""
    db = act.world.database(act["id"])
    return {"data": [{"name": name, "type": kind} for name, kind in db.fields.items()]}


def taken(act: Act, db: Database, data: Any, *, known: bool | None = None) -> Body:
    """One item of a batch: stored, or refused by itself (CONTRACT 1.3)."""
    try:
        if not isinstance(data, dict):
            raise Refused(400, text="A profile must be an object")
        profile_id = db.save(data, act["matching"] or "email", act["field_name"], known=known)
    except Refused as refused:
        return {"error": refused.code, "error_text": refused.text}
    return {"error": 0, "error_text": "Successful operation", "profile_id": profile_id}


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
