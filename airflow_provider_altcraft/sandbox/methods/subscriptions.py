"""Subscriptions of profiles."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, moment
from airflow_provider_altcraft.sandbox.world import Resource
from airflow_provider_altcraft.sandbox.world.subscriptions import IDENTIFIERS, checked

KEPT = ("resource_id", "channel", "status", "priority", "date", "ip", "url")


@method("subscriptions/set")
def set_subscription(call: ApiCall) -> Body:
    """CONTRACT 8.10. Its answer is cut."""
    db = call.world.database(call["db_id"])
    call.world.resource(call["resource_id"])
    if call["profile_id"] not in db.profiles:
        raise Refused(404, text="Profile not found")
    identifiers = IDENTIFIERS.get(call["channel"], ("cc_data",))
    for name in identifiers:
        if not call[name]:
            raise Refused(400, f"missing parameter: {name}")
    if call["date"]:
        moment(call["date"])
    db.subscribe(
        call["profile_id"],
        checked({name: call[name] for name in (*KEPT, *identifiers) if call[name] is not None}),
    )
    return {}


@method("profiles/message_unsub")
def unsubscribe(call: ApiCall) -> Body:
    """CONTRACT 8.7: by the token of a resource and the id of a message. With categories, the status stays."""
    resource = _resource(call)
    profile_id = call.deliveries.recipient(call["smid"])
    db = next((db for db in call.world.databases.values() if profile_id in db.profiles), None)
    if db is None or profile_id is None:
        raise Refused(404, text="Message not found")
    categories = call["categories"]
    change = {"unsubscribed_categories": categories} if categories else {"status": "unsubscribed"}
    for one in db.subscriptions(profile_id):
        if str(one.get("resource_id")) == str(resource.resource_id):
            db.subscribe(profile_id, {**one, **change})
    return {"profile_id": profile_id}


def _resource(call: ApiCall) -> Resource:
    for resource in call.world.resources.values():
        if resource.token == call["rtoken"]:
            return resource
    raise Refused(403, "no such resource token", "No access")


@method("v1.0/lists/{list_id}/suspend_all")
def suspend_all(call: ApiCall) -> Body:
    """Documented as deprecated: every subscription that is subscribed becomes suspended. Its answer is cut."""
    db = call.world.database(call["list_id"])
    for profile_id in db.profiles:
        for one in db.subscriptions(profile_id):
            if one.get("status") == "subscribed":
                db.subscribe(profile_id, {**one, "status": "suspended"})
    return {}
