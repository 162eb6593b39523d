"""Quick import: flat parameters, anywhere, and real HTTP statuses."""

from __future__ import annotations

import pytest
import requests

EMAIL = "a@example.com"


@pytest.fixture
def ask(sandbox):
    def ask(where="json", headers=None, /, **parameters):
        body = {"token": sandbox.token, "db_id": 1, **parameters}
        url = f"{sandbox.url}/api/integrations/any/profile_import"
        how = {"json": {"json": body}, "form": {"data": body}, "query": {"params": body}}[where]
        return requests.post(url, headers=headers, timeout=5, **how)

    return ask


@pytest.mark.parametrize("where", ["json", "form", "query"])
def test_the_parameters_may_be_anywhere(sandbox, ask, where):
    assert ask(where, email=EMAIL, _fname="Ann", _regip="192.0.2.1").status_code == 200
    (profile,) = sandbox.profiles().values()
    assert profile == {"email": EMAIL, "_fname": "Ann", "_regip": "192.0.2.1"}


def test_it_starts_a_trigger_and_a_scenario(sandbox, ask):
    assert ask(email=EMAIL, trigger_id=9, workflow_id=12).status_code == 200
    (profile_id,) = sandbox.profiles()
    assert sandbox.deliveries.times_sent(9, profile_id) == 1
    assert sandbox.deliveries.entries_of(12, profile_id) == 1


def test_another_word_for_matching_is_the_name_of_a_field(sandbox, ask):
    for level in ("silver", "gold"):
        assert ask(matching="CRM_ID", CRM_ID="17", loyalty_level=level).status_code == 200
    (profile,) = sandbox.profiles().values()
    assert profile["loyalty_level"] == "gold"


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"email": "broken"}, 400),
        ({"_fname": "Ann"}, 400),
        ({"_regip": "192.0.2.1"}, 400),
        ({"email": EMAIL, "tags": ["a"]}, 400),
        ({"email": EMAIL, "token": "wrong"}, 403),
        ({"email": EMAIL, "token": ""}, 403),
        ({"email": EMAIL, "db_id": 9}, 404),
        ({"email": EMAIL, "resource_id": 9}, 404),
        ({"email": EMAIL, "trigger_id": 99}, 404),
    ],
)
def test_a_refusal_is_an_http_status(sandbox, ask, parameters, status):
    answer = ask(**parameters)
    assert (answer.status_code, answer.json()["error"]) == (status, status)
    assert not sandbox.profiles()


def test_several_that_match_are_a_conflict(ask, again):
    for _ in range(2):
        again("profiles/add", db_id=1, data={"CRM_ID": "17"})
    assert ask(matching="CRM_ID", CRM_ID="17").status_code == 409


def test_a_trigger_that_cannot_start_leaves_nothing_done(sandbox, ask):
    sandbox.mailing(9).is_active = False
    assert ask(email=EMAIL, trigger_id=9).status_code == 400
    assert not sandbox.profiles()


def test_another_url_is_another_request(sandbox, ask):
    for number in (1, 1, 2):
        ask("query", email=EMAIL, trigger_id=9, request=number)
    assert sandbox.deliveries.count(9) == 2


def test_it_is_not_below_the_version(post):
    assert post("integrations/any/profile_import", db_id=1, email=EMAIL).json()["error"] == 404
