"""Campaigns."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import MAIN, Act, Body, method, moment, page
from airflow_provider_altcraft.sandbox.world.campaigns import ENDS, Campaign

ACTIVITIES = ("workflows", "triggers", "broadcasts", "regulars", "abns", "placements")


def _campaign(act: Act, campaign: Campaign) -> Body:
    """CONTRACT 4.3. What the sandbox has nothing of is empty."""
    state = campaign.state(act.now)
    dates = {
        "start_at": campaign.planned(act.now, "active"),
        "end_at": campaign.planned(act.now, "inactive", "completed"),
        "start": campaign.latest(act.now, "active"),
        "stop": campaign.latest(act.now, "inactive", "completed"),
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
def campaigns(act: Act) -> Body:
    """CONTRACT 4.3."""
    everything = [_campaign(act, campaign) for campaign in act.world.campaigns.values()]
    return page(act, (item for item in everything if act["state"] in (None, item["state"])))


@method("scampaigns/get")
def campaign(act: Act) -> Body:
    """CONTRACT 4.4: an array with one object. How its activities are shown is cut: here their ids by kind."""
    campaign = act.world.campaign(act["id"])
    shown = _campaign(act, campaign)
    if act["marketing_activities"]:
        kinds = [(mailing_id, act.world.mailing(mailing_id).kind) for mailing_id in campaign.mailings]
        shown["marketing_activities"] = {
            name: {"ids": [mailing_id for mailing_id, kind in kinds if f"{kind}s" == name]} for name in ACTIVITIES
        }
    return {"data": [shown]}


@method("scampaigns/get_status")
def campaign_status(act: Act) -> Body:
    """CONTRACT 4.2."""
    return {"data": {"status": act.world.campaign(act["id"]).state(act.now)}}


@method("scampaigns/activate")
def activate_campaign(act: Act) -> Body:
    """CONTRACT 4.5."""
    campaign = _open_campaign(act)
    names = ("activate_date", "start_date") if act.behaviour.campaign_date_field == "either" else (
        act.behaviour.campaign_date_field,
    )  # fmt: skip
    start = next((moment(act[name]) for name in names if act[name]), None)
    if start is None and not any(name in act.body for name in names):
        raise Refused(400, f"missing parameter: {names[0]}")
    campaign.move(max(start or act.now, act.now), "active")
    for name, state in (("deactivate_date", "inactive"), ("completed_date", "completed")):
        if act[name]:
            campaign.move(moment(act[name]), state)
    act.world.settle(act.now, act.deliveries)
    return {"data": None}


@method("scampaigns/deactivate")
def deactivate_campaign(act: Act) -> Body:
    """CONTRACT 4.6."""
    return _leave(act, "inactive")


@method("scampaigns/completed")
def complete_campaign(act: Act) -> Body:
    """CONTRACT 4.7: irreversible."""
    return _leave(act, "completed")


def _open_campaign(act: Act) -> Campaign:
    campaign = act.world.campaign(act["id"])
    if campaign.state(act.now) in ENDS:
        raise Refused(400, f"campaign {campaign.campaign_id} is {campaign.state(act.now)}")
    return campaign


def _leave(act: Act, state: str) -> Body:
    """Be in another state at once; the mailings follow."""
    campaign = _open_campaign(act)
    campaign.drop_plans(act.now)
    campaign.move(act.now, state)
    act.world.settle(act.now, act.deliveries)
    return {"data": None}
