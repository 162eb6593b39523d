"""Goals."""

from __future__ import annotations

import pytest

GOAL = {"db_id": 1, "pixel_id": 4, "email": "a@example.com"}


@pytest.fixture(autouse=True)
def profile_id(post):
    return post("profiles/add", db_id=1, data={"email": "a@example.com"}).json()["profile_id"]


def test_a_goal_is_noted_with_its_profile(sandbox, post, profile_id):
    body = {**GOAL, "goal": "order", "value": 99.5, "date": "2026-01-01T10:00:00+03:00", "pixel_data": {"sku": "S-1"}}
    assert post("goals/register", **body).json() == {"error": 0, "error_text": "Successful operation"}
    (goal,) = sandbox.goals
    assert (goal["profile_id"], goal["goal"], goal["value"], goal["pixel_data"]) == (
        profile_id, "order", 99.5, {"sku": "S-1"},
    )  # fmt: skip


def test_several_goals_are_several(sandbox, post):
    post("goals/register", **GOAL, goals=[{"goal": "order", "value": 1}, {"goal": "visit"}])
    assert [goal["goal"] for goal in sandbox.goals] == ["order", "visit"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, 400),
        ({"goal": "order", "goals": [{"goal": "order"}]}, 400),
        ({"goals": [{"value": 1}]}, 400),
        ({"goal": "order", "pixel_data": {"deep": {}}}, 400),
        ({"goal": "order", "pixel_data": {"long": "x" * 1024}}, 400),
        ({"goal": "order", "date": "2026-01-01"}, 400),
        ({"goal": "order", "matching": "push_sub"}, 400),
        ({"goal": "order", "email": "nobody@example.com"}, 404),
        ({"goal": "order", "db_id": 9}, 404),
    ],
)
def test_the_rest_is_refused(sandbox, post, change, error):
    assert post("goals/register", **{**GOAL, **change}).json()["error"] == error
    assert not sandbox.goals
