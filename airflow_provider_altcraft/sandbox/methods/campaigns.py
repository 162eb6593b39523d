"""Campaigns."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import MAIN, ApiCall, Body, method, moment, page
from airflow_provider_altcraft.sandbox.world.campaigns import ENDS, Campaign

ACTIVITIES = ("workflows", "triggers", "broadcasts", "regulars", "abns", "placements")


def _campaign(call: ApiCall, campaign: Campaign) -> Body:
    """CONTRACT 4.3. What the sandbox does not emulate is empty."""
    state = campaign.state(call.now)
    dates = {
        "start_at": campaign.planned(call.now, "active"),
        "end_at": campaign.planned(call.now, "inactive", "completed"),
        "start": campaign.latest(call.now, "active"),
        "stop": campaign.latest(call.now, "inactive", "completed"),
    }
    shown = {name: "" if moment is None else moment.isoformat() for name, moment in dates.items()}
    return {
        "id": campaign.campaign_id,
        "is_delete": state == "deleted",
        "name": campaign.name,
        "description": "",
        "tags": campaign.tags,
        "state": state,
        "createtime": "",
        "updatetime": "",
        "updated_user": "",
        "audience": _audience(),
        "active_period": {
            "settings": {"tz": "UTC", "start_at": shown["start_at"], "end_at": shown["end_at"]},
            "history": {"start": shown["start"], "stop": shown["stop"]},
        },
        "control_group_counter": 0,
        "marketing_activities_counter": len(campaign.mailings),
        "refresh_data": {},
        "group_id": MAIN["id"],
        "groups_id": [MAIN["id"]],
        "groups": [MAIN],
        "attributes": campaign.attributes,
    }


def _audience() -> Body:
    ignored: Body = {name: {"ids": []} for name in ACTIVITIES}
    sizes = {"limit": 0, "percent": "0"}
    return {
        "state": "ready",
        "seg_id": 0,
        "list_id": 0,
        "extension_conf": {"ignore_entities": ignored},
        "lcg": {"ignore_entities": ignored, "size_formation_settings": sizes},
    }


@method("scampaigns/list")
def campaigns(call: ApiCall) -> Body:
    """CONTRACT 4.3."""
    everything = [_campaign(call, campaign) for campaign in call.world.campaigns.values()]
    return page(call, (item for item in everything if call["state"] in (None, item["state"])))


@method("scampaigns/get")
def campaign(call: ApiCall) -> Body:
    """CONTRACT 4.4: an array with one object. The part on its activities is cut; here they are ids by kind."""
    campaign = call.world.campaign(call["id"])
    shown = _campaign(call, campaign)
    if call["marketing_activities"]:
        kinds = [(mailing_id, call.world.mailing(mailing_id).kind) for mailing_id in campaign.mailings]
        shown["marketing_activities"] = {
            name: {"ids": [mailing_id for mailing_id, kind in kinds if f"{kind}s" == name]} for name in ACTIVITIES
        }
    return {"data": [shown]}


@method("scampaigns/get_status")
def campaign_status(call: ApiCall) -> Body:
    """CONTRACT 4.2."""
    return {"data": {"status": call.world.campaign(call["id"]).state(call.now)}}


@method("scampaigns/activate")
def activate_campaign(call: ApiCall) -> Body:
    """CONTRACT 4.5."""
    campaign = _open_campaign(call)
    field = call.behaviour.campaign_date_field
    names = ("activate_date", "start_date") if field == "either" else (field,)
    start = next((moment(call[name]) for name in names if call[name]), None)
    if start is None and not any(name in call.body for name in names):
        raise Refused(400, f"missing parameter: {names[0]}")
    campaign.move(max(start or call.now, call.now), "active")
    for name, state in (("deactivate_date", "inactive"), ("completed_date", "completed")):
        if call[name]:
            campaign.move(moment(call[name]), state)
    call.world.settle(call.now, call.deliveries)
    return {"data": None}


@method("scampaigns/deactivate")
def deactivate_campaign(call: ApiCall) -> Body:
    """CONTRACT 4.6."""
    return _leave(call, "inactive")


@method("scampaigns/completed")
def complete_campaign(call: ApiCall) -> Body:
    """CONTRACT 4.7: irreversible."""
    return _leave(call, "completed")


def _open_campaign(call: ApiCall) -> Campaign:
    campaign = call.world.campaign(call["id"])
    if campaign.state(call.now) in ENDS:
        raise Refused(400, f"campaign {campaign.campaign_id} is {campaign.state(call.now)}")
    return campaign


def _leave(call: ApiCall, state: str) -> Body:
    """Change the state now; the mailings follow."""
    campaign = _open_campaign(call)
    campaign.drop_plans(call.now)
    campaign.move(call.now, state)
    call.world.settle(call.now, call.deliveries)
    return {"data": None}
