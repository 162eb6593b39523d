"""What the contract takes, and what it refuses."""

from __future__ import annotations

import pytest
import requests

from airflow_provider_altcraft.sandbox.contract import METHODS, NOT_EMULATED
from airflow_provider_altcraft.sandbox.methods import METHODS as WORK


def test_every_method_of_it_does_something():
    assert METHODS.keys() == WORK.keys()


def test_nothing_is_both_emulated_and_not():
    assert not METHODS.keys() & NOT_EMULATED.keys()
    assert len(METHODS) + len(NOT_EMULATED) == 175


@pytest.mark.parametrize("name", METHODS)
def test_required_parameters_and_those_with_choices_are_among_those_it_takes(name):
    method = METHODS[name]
    assert {*method.needs, *method.choices} <= method.takes.keys()


@pytest.mark.parametrize("name", [name for name in NOT_EMULATED if "{" not in name])
@pytest.mark.parametrize("status", ["200", "own"])
def test_what_is_not_emulated_says_so_under_either_status(sandbox, post, name, status):
    sandbox.behaviour.error_http_status = status
    answer = post(name, id=1)
    assert answer.status_code == (200 if status == "200" else 404)
    assert answer.json()["error"] == 404
    assert answer.json()["error_text"] == f"{name} is not emulated"


def test_what_the_api_does_not_have_is_not_found(post):
    answer = post("profiles/fly").json()
    assert (answer["error"], answer["error_text"]) == (404, "Not found")


@pytest.mark.parametrize(
    "name", [name for name, method in METHODS.items() if method.needs and "{" not in name and name != "download"]
)
def test_a_request_without_what_it_needs_is_refused(sandbox, name):
    path = name if name.startswith("integrations") else f"v1.1/{name}"
    answer = requests.post(f"{sandbox.url}/api/{path}", json={"token": sandbox.token}, timeout=5).json()
    assert answer["error"] == 400
    assert answer["error_debug"] == f"missing parameter: {METHODS[name].needs[0]}"


@pytest.mark.parametrize(
    "name", [name for name, method in METHODS.items() if not method.open and "{" not in name and name != "download"]
)
def test_an_unknown_parameter_is_refused(post, name):
    assert post(name, surprise=1).json()["error_debug"] == "unknown parameter: surprise"


@pytest.mark.parametrize(
    ("name", "body", "parameter"),
    [
        ("profiles/delete", {"db_id": 1, "matching": "push_sub", "email": "a@example.com"}, "matching"),
        ("profiles/import", {"db_id": 1, "data": {}, "add_to_segments": ["1"]}, "add_to_segments"),
        ("campaigns/list", {"type": "letter"}, "type"),
        ("scampaigns/list", {"state": "asleep"}, "state"),
        ("suppresses/export", {"id": 3, "type": "names"}, "type"),
        ("workflows/list", {"ui_tags": "spring"}, "ui_tags"),
        ("campaigns/broadcasts/start", {"id": 7, "override_source_type": "database"}, "override_source_type"),
        ("campaigns/broadcasts/start", {"id": 7, "attach": ["a.pdf"]}, "attach"),
    ],
)
def test_words_and_items_are_checked(post, name, body, parameter):
    answer = post(name, **body).json()
    assert answer["error"] == 400
    assert parameter in answer["error_debug"]


def test_a_format_that_is_not_emulated_is_refused(sandbox, post):
    assert post("databases/list", format="json").json()["error"] == 0
    assert post("databases/list", format="xml").json()["error"] == 400
    url = f"{sandbox.url}/api/v1.1/databases/list?format=csv"
    assert requests.post(url, json={"token": sandbox.token}, timeout=5).json()["error"] == 400
