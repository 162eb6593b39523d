"""Segments: made, changed, listed, and sent to."""

from __future__ import annotations

import pytest

RULES = [{"condition": "and", "list_id": 1, "queries": [{"name": "age", "operator": "gt", "type": "int", "value": []}]}]


def test_a_dynamic_segment_has_its_database_in_its_rules(sandbox, post):
    segment_id = post("segments/add", name="Adults", segment=RULES).json()["data"]["saved_id"]
    segment = sandbox.world.segment(segment_id)
    assert (segment.name, segment.db_id, segment.rules, segment.chosen) == ("Adults", 1, RULES, False)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "segment"),
        ({"segment": [{"condition": "xor", "queries": []}]}, "segment"),
        ({"segment": [{"condition": "and"}]}, "segment"),
        ({"is_static": True}, "list_id"),
        ({"is_static": True, "is_refresh_daily": True, "list_id": 1}, "segment"),
        ({"is_refresh_daily": True, "segment": RULES}, "is_refresh_daily"),
    ],
)
def test_what_a_kind_needs_is_required(sandbox, post, body, parameter):
    answer = post("segments/add", name="New", **body).json()
    assert answer["error"] == 400
    assert parameter in answer["error_debug"]
    assert len(sandbox.world.segments) == 1


def test_a_mailing_to_a_static_segment_goes_to_its_members(sandbox, post):
    post("profiles/import_batch", db_id=1, data=[{"email": f"p{number}@example.com"} for number in range(5)])
    segment_id = post("segments/add", name="Chosen", is_static=True, list_id=1).json()["data"]["saved_id"]
    sandbox.world.segment(segment_id).members.update(list(sandbox.profiles())[:2])
    post("campaigns/broadcasts/start", id=7, override_source_type="segment", override_source_id=segment_id)
    assert sandbox.deliveries.count(7) == 2


def test_an_update_keeps_the_database(sandbox, post):
    segment_id = post("segments/add", name="Adults", segment=RULES).json()["data"]["saved_id"]
    sandbox.add_database(2)
    moved = [{**RULES[0], "list_id": 2, "condition": "or"}]
    assert post("segments/update", id=segment_id, name="Grown-ups", segment=moved).json()["error"] == 0
    segment = sandbox.world.segment(segment_id)
    assert (segment.name, segment.db_id, segment.rules) == ("Grown-ups", 1, moved)
    assert post("segments/update", id=segment_id, name="x", segment=moved, list_id=2).json()["error"] == 400


def test_the_list_shows_them_and_can_be_asked_by_tag_and_group(sandbox, post):
    sandbox.add_segment(2).ui_tags.append("spring")
    everything = post("segments/list").json()
    assert everything["total_count"] == 2
    assert everything["data"][0].keys() == {"id", "name", "ui_tags", "Groups"}
    assert [one["id"] for one in post("segments/list", ui_tags=["spring", "x"]).json()["data"]] == [2]
    assert [post("segments/list", groups=[name]).json()["total_count"] for name in ("main", "other")] == [2, 0]
    assert [post("segments/list", groups_id=[number]).json()["total_count"] for number in (0, 9)] == [2, 0]
