"""Segments."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, page
from airflow_provider_altcraft.sandbox.world import Segment


@method("segments/list")
def segments(call: ApiCall) -> Body:
    """CONTRACT 9."""
    groups = [{"Id": 0, "Name": "main"}]
    return page(
        call,
        (
            {"id": one.segment_id, "name": one.name, "ui_tags": one.ui_tags, "Groups": groups}
            for one in call.world.segments.values()
        ),
    )


@method("segments/add")
def add_segment(call: ApiCall) -> Body:
    """CONTRACT 9: a static segment needs a database, and one that is not filled by hand needs rules."""
    segment_id = max(call.world.segments, default=0) + 1
    segment = Segment(
        segment_id, call["name"], is_static=bool(call["is_static"]), is_refresh_daily=bool(call["is_refresh_daily"])
    )
    if segment.is_refresh_daily and not segment.is_static:
        raise Refused(400, "is_refresh_daily is for static segments only")
    if segment.is_static:
        if call["list_id"] is None:
            raise Refused(400, "missing parameter: list_id")
        segment.db_id = call.world.database(call["list_id"]).db_id
    if not segment.chosen:
        _follow_rules(call, segment)
    call.world.segments[segment_id] = segment
    return {"data": {"saved_id": segment_id}}


@method("segments/update")
def update_segment(call: ApiCall) -> Body:
    """CONTRACT 9: the database cannot be changed. The answer is cut."""
    segment = call.world.segment(call["id"])
    if call["list_id"] not in (None, segment.db_id):
        raise Refused(400, "list_id: the database of a segment cannot be changed")
    if not segment.chosen:
        _follow_rules(call, segment)
    segment.name = call["name"]
    return {}


def _follow_rules(call: ApiCall, segment: Segment) -> None:
    """Give a segment the rules of a request, which may name its database."""
    rules: list[dict[str, Any]] = call["segment"] or []
    if not rules:
        raise Refused(400, "missing parameter: segment")
    for rule in rules:
        if rule.get("condition") not in {"and", "or"} or not isinstance(rule.get("queries"), list):
            raise Refused(400, 'segment: a group of rules must have a condition, "and" or "or", and queries')
    if segment.db_id is None and rules[0].get("list_id") is not None:
        segment.db_id = call.world.database(rules[0]["list_id"]).db_id
    segment.rules = rules
