"""Profiles: imported, searched for, listed and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, attempt, method
from airflow_provider_altcraft.sandbox.world import Database
from airflow_provider_altcraft.sandbox.world.matching import wanted
from airflow_provider_altcraft.sandbox.world.queries import matches

SEARCH = ("email", "phone", "profile_id", "field_value", "provider", "subscription_id")
"""Search values of a request (CONTRACT 1.9)."""

KNOWN = {"update": True, "update_batch": True, "add": False, "add_batch": False}
"""Whether a method takes only existing profiles, or only new ones."""


def stored(
    call: ApiCall, db: Database, data: Any, *, known: bool | None = None, search: Mapping[str, Any] | None = None
) -> Body:
    """Store one profile.

    :raises Refused: if that cannot be done.
    """
    if not isinstance(data, dict):
        raise Refused(400, text="A profile must be an object")
    try:
        profile_id = db.save(
            data,
            call["matching"] or "email",
            call["field_name"],
            known=known,
            search=search,
            skip_invalid_subscriptions=bool(call["skip_invalid_subscriptions"]),
            several=call.behaviour.several_profiles,
        )
    except Refused as refused:
        if known and refused.code == 404 and call.behaviour.unknown_profile == "ignore":
            return {}
        raise
    return {"profile_id": profile_id}


def searched(call: ApiCall) -> dict[str, Any]:
    """The search values of a request."""
    return {name: call[name] for name in SEARCH if call[name] not in (None, "")}


def found(call: ApiCall, db: Database, given: Mapping[str, Any]) -> str | None:
    """The profile that matches search values; ``None`` if there is none and that is ignored.

    :raises Refused: if there is none.
    """
    places = wanted(call["matching"] or "email", {"field_name": call["field_name"], **given})
    profile_id = db.find(places, call.behaviour.several_profiles)
    if profile_id is None and call.behaviour.unknown_profile == "refuse":
        raise Refused(404, text="Profile not found")
    return profile_id


def selected(call: ApiCall, db: Database) -> list[str]:
    """The profiles that a request is about: those of its ``custom_request``, else the one that matches."""
    if call["custom_request"] is not None:
        return [
            profile_id for profile_id, data in db.profiles.items() if _fits(profile_id, data, call["custom_request"])
        ]
    profile_id = found(call, db, searched(call))
    return [] if profile_id is None else [profile_id]


def import_one(call: ApiCall, db: Database) -> Body:
    """Store the profile of a request that imports a single one."""
    return stored(call, db, call["data"] or {}, search=searched(call))


def import_batch(call: ApiCall, db: Database) -> tuple[list[Body], list[str]]:
    """The items of an import-and-start, wrapped in ``data`` (CONTRACT 14.6), and the profiles they became."""
    items = call["data"] or []
    if any(not isinstance(item, dict) or set(item) - {"data", "custom_data"} for item in items):
        raise Refused(400, 'every item of data must be {"data": {...}}')
    check_custom_data(items)
    answers = [attempt(stored, call, db, item.get("data")) for item in items]
    return answers, [answer["profile_id"] for answer in answers if not answer["error"]]


def check_custom_data(items: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a batch with an item whose data for action hooks is not an object (CONTRACT 3.1)."""
    if any(not isinstance(item.get("custom_data", {}), dict) for item in items):
        raise Refused(400, "custom_data of every item of data must be an object")


def hook_data(call: ApiCall, answers: Iterable[Body]) -> dict[str, Any]:
    """The data for action hooks by profile: that of its item, else that of the request.

    Which of the two wins if both are given is not documented.
    """
    own = [item.get("custom_data") if isinstance(item, dict) else None for item in call["data"] or []]
    pairs = zip((answer.get("profile_id") for answer in answers), own, strict=False)
    return {profile_id: call["custom_data"] if data is None else data for profile_id, data in pairs if profile_id}


@method("profiles/import", "profiles/update", "profiles/add")
def import_profile(call: ApiCall) -> Body:
    """CONTRACT 8.1, 8.3, 8.4."""
    known = KNOWN.get(call.name.split("/")[1])
    added = [call.world.segment(segment_id) for segment_id in call["add_to_segments"] or []]
    removed = [call.world.segment(segment_id) for segment_id in call["remove_from_segments"] or []]
    if any(not segment.chosen for segment in added + removed):
        raise Refused(400, "profiles can be added to and removed from static segments only")
    search = None if known is False else searched(call)
    answer = stored(call, call.world.database(call["db_id"]), call["data"], known=known, search=search)
    for segment in added:
        segment.members.add(answer["profile_id"])
    for segment in removed:
        segment.members.discard(answer["profile_id"])
    return answer


@method("profiles/import_batch", "profiles/update_batch", "profiles/add_batch")
def import_profiles(call: ApiCall) -> Body:
    """CONTRACT 8.2 to 8.4: the search value is in each profile."""
    db, known = call.world.database(call["db_id"]), KNOWN.get(call.name.split("/")[1])
    items = [attempt(lambda item: stored(call, db, item, known=known), item) for item in call["data"]]
    return {"result": items} if call.behaviour.result_of_batches == "itemised" else {}


@method("profiles/list")
def profiles(call: ApiCall) -> Body:
    """CONTRACT 8.8: pages by an opaque pointer."""
    db, query, fields = call.world.database(call["db_id"]), call["query"] or {}, call["fields"]
    listed = [(profile_id, data) for profile_id, data in db.profiles.items() if _fits(profile_id, data, query)]
    start, limit = _start(str(call["from_id"] or "p0")), call["limit"] or 1000
    shown = [{**_only(fields, data), "id": profile_id} for profile_id, data in listed[start : start + limit]]
    return {"data": shown, "next_from_id": f"p{start + limit}" if start + limit < len(listed) else ""}


def _only(fields: list[str] | None, data: Body) -> Body:
    return {name: value for name, value in data.items() if not fields or name in fields}


def _start(pointer: str) -> int:
    if pointer[0] != "p" or not pointer[1:].isdigit():
        raise Refused(400, "from_id must be the pointer of an earlier answer")
    return int(pointer[1:])


@method("profiles/delete")
def delete_profile(call: ApiCall) -> Body:
    """CONTRACT 8.6: irreversible."""
    if not call.behaviour.profiles_may_be_deleted:
        raise Refused(403, "the token may not delete profiles", "No access")
    db = call.world.database(call["db_id"])
    profile_id = found(call, db, searched(call))
    if profile_id is None:
        return {"data": None}
    db.delete(profile_id)
    return {"data": {"profile_id": profile_id}}


def _fits(profile_id: str, data: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    return not query or matches({**data, "id": profile_id, "_id": profile_id}, query)
