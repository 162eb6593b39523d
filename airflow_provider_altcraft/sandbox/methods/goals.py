"""Goals."""

from __future__ import annotations

import json

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, moment
from airflow_provider_altcraft.sandbox.methods.profiles import found, searched

LARGEST_PIXEL_DATA = 1024
"""Bytes of JSON (CONTRACT 1.5)."""


@method("goals/register")
def register_goals(act: Act) -> Body:
    """CONTRACT 11: one goal, or several. The answer is cut."""
    if (act["goal"] is None) == (act["goals"] is None):
        raise Refused(400, "one of goal and goals is needed")
    goals = act["goals"] if act["goals"] is not None else [{"goal": act["goal"], "value": act["value"]}]
    if any(not goal.get("goal") for goal in goals):
        raise Refused(400, "every one of goals must have a goal")
    _check_pixel_data(act["pixel_data"] or {})
    date = moment(act["date"]) if act["date"] else act.now
    profile_id = found(act, act.world.database(act["db_id"]), searched(act))
    if profile_id is None:
        return {}
    for goal in goals:
        act.world.goals.append(
            {
                "db_id": act["db_id"],
                "profile_id": profile_id,
                "pixel_id": act["pixel_id"],
                "goal": goal["goal"],
                "value": goal.get("value"),
                "date": date.isoformat(),
                "is_test": bool(act["is_test"]),
                "pixel_data": act["pixel_data"] or {},
            }
        )
    return {}


def _check_pixel_data(data: Body) -> None:
    if len(json.dumps(data, ensure_ascii=False).encode()) > LARGEST_PIXEL_DATA:
        raise Refused(400, "pixel_data must not be larger than 1 KB")
    if any(isinstance(value, dict | list) for value in data.values()):
        raise Refused(400, "pixel_data must be flat")
