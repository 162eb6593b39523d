"""Goals."""

from __future__ import annotations

import json

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, moment
from airflow_provider_altcraft.sandbox.methods.profiles import found, searched

LARGEST_PIXEL_DATA = 1024
"""Bytes of JSON (CONTRACT 1.5)."""


@method("goals/register")
def register_goals(call: ApiCall) -> Body:
    """CONTRACT 11: one goal, or several. The answer is cut."""
    if (call["goal"] is None) == (call["goals"] is None):
        raise Refused(400, "one of goal and goals is needed")
    goals = call["goals"] if call["goals"] is not None else [{"goal": call["goal"], "value": call["value"]}]
    if any(not goal.get("goal") for goal in goals):
        raise Refused(400, "every item of goals must have a goal")
    _check_pixel_data(call["pixel_data"] or {})
    date = moment(call["date"]) if call["date"] else call.now
    profile_id = found(call, call.world.database(call["db_id"]), searched(call))
    if profile_id is None:
        return {}
    for goal in goals:
        call.world.goals.append(
            {
                "db_id": call["db_id"],
                "profile_id": profile_id,
                "pixel_id": call["pixel_id"],
                "goal": goal["goal"],
                "value": goal.get("value"),
                "date": date.isoformat(),
                "is_test": bool(call["is_test"]),
                "pixel_data": call["pixel_data"] or {},
            }
        )
    return {}


def _check_pixel_data(data: Body) -> None:
    if len(json.dumps(data, ensure_ascii=False).encode()) > LARGEST_PIXEL_DATA:
        raise Refused(400, "pixel_data must not be larger than 1 KB")
    if any(isinstance(value, dict | list) for value in data.values()):
        raise Refused(400, "pixel_data must be flat")
