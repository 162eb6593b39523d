"""Campaigns."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, moment, page
from airflow_provider_altcraft.sandbox.world.campaigns import ENDS, Campaign


def _campaign(act: Act, campaign: Campaign) -> Body:
    state = campaign.state(act.now)
    return {
        "id": campaign.campaign_id,
        "is_delete": state == "deleted",
        "name": campaign.name,
        "description": "",
        "tags": [],
        "state": state,
        "groups": [{"id": 0, "name": "main"}],
        "marketing_activities_counter": len(campaign.mailings),
    }


@method("scampaigns/list")
def campaigns(act: Act) -> Body:
    """CONTRACT 4.3."""
    everything = [_campaign(act, campaign) for campaign in act.world.campaigns.values()]
    return page(act, (item for item in everything if act["state"] in (None, item["state"])))


@method("scampaigns/get")
def campaign(act: Act) -> Body:
    """CONTRACT 4.4: an array with one object."""
    return {"data": [_campaign(act, act.world.campaign(act["id"]))]}


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
