"""Campaigns, as they are shown."""

from __future__ import annotations

from datetime import timedelta

SHOWN = {
    "id", "name", "description", "state", "is_delete", "createtime", "updatetime", "updated_user", "tags", "audience",
    "active_period", "control_group_counter", "marketing_activities_counter", "refresh_data", "group_id", "groups_id",
    "groups", "attributes",
}  # fmt: skip


def test_every_documented_field_is_shown(post):
    (shown,) = post("scampaigns/get", id=18).json()["data"]
    assert shown.keys() == SHOWN
    assert shown["audience"]["lcg"]["size_formation_settings"]["percent"] == "0"


def test_the_period_is_what_is_planned_and_what_has_been(sandbox, post):
    start, end = (sandbox.clock.now() + timedelta(hours=hours) for hours in (1, 2))
    post("scampaigns/activate", id=18, start_date=start.isoformat(), completed_date=end.isoformat())
    (waiting,) = post("scampaigns/get", id=18).json()["data"]
    assert waiting["active_period"]["settings"] == {
        "tz": "UTC", "start_at": start.isoformat(), "end_at": end.isoformat(),
    }  # fmt: skip
    sandbox.clock.advance(3 * 3600)
    (ended,) = post("scampaigns/get", id=18).json()["data"]
    assert ended["active_period"]["history"] == {"start": start.isoformat(), "stop": end.isoformat()}


def test_the_activities_come_if_they_are_asked_for(post):
    (shown,) = post("scampaigns/get", id=18, marketing_activities=True).json()["data"]
    assert shown["marketing_activities"]["broadcasts"] == {"ids": [7]}


def test_the_list_can_be_asked_by_state_tag_and_attribute(sandbox, post):
    campaign = sandbox.add_campaign(50, state="active")
    campaign.tags.append("big")
    campaign.attributes["season"] = ["spring"]
    for asked in ({"state": "active"}, {"ui_tags": ["big"]}, {"attributes": {"season": ["spring", "autumn"]}}):
        assert [one["id"] for one in post("scampaigns/list", **asked).json()["data"]] == [50]
