"""Subscriptions of profiles."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, moment
from airflow_provider_altcraft.sandbox.world.subscriptions import IDENTIFIERS, checked

KEPT = ("resource_id", "channel", "status", "priority", "date", "ip", "url")


@method("subscriptions/set")
def set_subscription(act: Act) -> Body:
    """CONTRACT 8.10. Its answer is cut."""
    db = act.world.database(act["db_id"])
    act.world.resource(act["resource_id"])
    if act["profile_id"] not in db.profiles:
        raise Refused(404, text="Profile not found")
    identifiers = IDENTIFIERS.get(act["channel"], ("cc_data",))
    for name in identifiers:
        if not act[name]:
            raise Refused(400, f"missing parameter: {name}")
    if act["date"]:
        moment(act["date"])
    db.subscribe(
        act["profile_id"],
        checked({name: act[name] for name in (*KEPT, *identifiers) if act[name] is not None}),
    )
    return {}


@method("profiles/message_unsub")
def unsubscribe(act: Act) -> Body:
    """CONTRACT 8.7: by the token of a resource and the id of a message. Categories are noted, and leave the status."""
    resource = next((one for one in act.world.resources.values() if one.token == act["rtoken"]), None)
    if resource is None:
        raise Refused(403, "no such resource token", "No access")
    profile_id = act.deliveries.recipient(act["smid"])
    db = next((db for db in act.world.databases.values() if profile_id in db.profiles), None)
    if db is None or profile_id is None:
        raise Refused(404, text="Message not found")
    for one in db.profiles[profile_id].get("subscriptions") or []:
        if str(one.get("resource_id")) == str(resource.resource_id):
            categories = act["categories"]
            change = {"unsubscribed_categories": categories} if categories else {"status": "unsubscribed"}
            db.subscribe(profile_id, {**one, **change})
    return {"profile_id": profile_id}


@method("v1.0/lists/{list_id}/suspend_all")
def suspend_all(act: Act) -> Body:
    """Deprecated by the documents: what is subscribed becomes suspended. Its answer is cut."""
    db = act.world.database(act["list_id"])
    for profile_id, profile in db.profiles.items():
        for one in profile.get("subscriptions") or []:
            if one.get("status") == "subscribed":
                db.subscribe(profile_id, {**one, "status": "suspended"})
    return {}
