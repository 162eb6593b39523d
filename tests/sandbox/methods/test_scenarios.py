"""Scenarios: switched on and off, and entered in every documented way."""

from __future__ import annotations

import pytest

EMAIL = "a@example.com"


@pytest.fixture
def profile_id(post):
    return post("profiles/add", db_id=1, data={"email": EMAIL, "CRM_ID": "A"}).json()["profile_id"]


@pytest.mark.parametrize(
    "search",
    [
        {"matching": "email", "email": EMAIL},
        {"matching": "custom", "field_name": "CRM_ID", "field_value": "A"},
        {"custom_request": {"CRM_ID": "A"}},
    ],
)
def test_a_profile_that_is_there_enters(sandbox, post, profile_id, search):
    assert post("workflows/start", id=12, **search).json()["error"] == 0
    assert sandbox.deliveries.entries_of(12, profile_id) == 1


@pytest.mark.parametrize(("behaviour", "error"), [("refuse", 404), ("ignore", 0)])
def test_a_profile_that_is_not_there_does_not(sandbox, post, behaviour, error):
    sandbox.behaviour.unknown_profile = behaviour
    assert post("workflows/start", id=12, email=EMAIL).json()["error"] == error
    assert sandbox.deliveries.scenario_entries(12) == 0


@pytest.mark.parametrize(("behaviour", "shown"), [("profile_id", True), ("none", False)])
def test_one_is_imported_and_enters(sandbox, post, behaviour, shown):
    sandbox.behaviour.import_and_start_answer = behaviour
    body = {"workflow_id": 12, "matching": "email", "email": EMAIL, "db_id": 1, "data": {"_fname": "Ann"}}
    answer = post("workflows/import_and_start", **body).json()
    (profile_id,) = sandbox.profiles()
    assert sandbox.deliveries.entries_of(12, profile_id) == 1
    assert ("profile_id" in answer) is shown
    assert post("workflows/import_and_start", **{**body, "db_id": 2}).json()["error"] == 400


@pytest.mark.parametrize(("behaviour", "shown"), [("itemised", [0, 400]), ("absent", None)])
def test_a_batch_is_imported_and_the_good_ones_enter(sandbox, post, behaviour, shown):
    sandbox.behaviour.result_of_batches = behaviour
    items = [{"data": {"email": EMAIL}}, {"data": {"email": "broken"}}]
    answer = post("workflows/import_and_start_batch", workflow_id=12, matching="email", data=items).json()
    assert ([item["error"] for item in answer["result"]] if shown else answer.get("result")) == shown
    assert sandbox.deliveries.scenario_entries(12) == 1


def test_an_inactive_scenario_takes_nobody(sandbox, post, profile_id):
    post("workflows/deactivate", id=12)
    assert post("workflows/start", id=12, email=EMAIL).json()["error"] == 400
    post("workflows/activate", id=12)
    assert post("workflows/start", {"Request-ID": "active"}, id=12, email=EMAIL).json()["error"] == 0


@pytest.mark.parametrize(("skip", "inside"), [(True, 0), (False, 1)])
def test_activation_may_clear_it(sandbox, post, profile_id, skip, inside):
    post("workflows/start", id=12, email=EMAIL)
    post("workflows/activate", id=12, skip_profiles=skip)
    assert len(sandbox.world.scenario(12).inside) == inside
    assert sandbox.deliveries.scenario_entries(12) == 1


def test_the_list_says_total(post):
    answer = post("workflows/list").json()
    assert (answer["total"], "total_count" in answer) == (1, False)
    assert answer["data"][0].keys() == {
        "id", "name", "list_id", "is_active", "ui_tags", "mode", "groups", "nodes",
    }  # fmt: skip
