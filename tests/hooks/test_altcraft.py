"""The hook: a connection becomes a client."""

from __future__ import annotations

import json

import pytest

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRejected
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.sandbox import Fault


@pytest.fixture
def hook(altcraft_sandbox):
    return AltcraftHook()


def test_the_verbs_are_calls(altcraft_sandbox, hook):
    assert hook.campaign_status(18) == "inactive"
    hook.complete_campaign(18)
    assert [campaign["state"] for campaign in hook.campaigns()] == ["completed", "inactive"]
    assert hook.mailing_status(8)["is_active"]
    altcraft_sandbox.add_task("task_1")
    assert hook.task_status("task_1")["status"] == "completed"


def test_a_parameter_that_the_documentation_lacks_is_sent_where_it_is_said_to_be_meant(altcraft_sandbox, hook):
    with pytest.raises(AltcraftRejected, match="newer"):
        hook.call("scampaigns/get_status", {"id": 18}, undocumented={"newer": 1})
    with pytest.raises(AltcraftRejected, match="newer"):
        list(hook.iterate("scampaigns/list", undocumented={"newer": 1}))
    assert [call.request["newer"] for call in altcraft_sandbox.journal] == [1, 1]


def test_a_good_connection_is_told_from_one_that_only_looks_good(altcraft_sandbox, hook):
    assert hook.test_connection() == (True, "Altcraft answered, and the token is valid.")
    altcraft_sandbox.token = "another-token-0123456789"
    working, said = AltcraftHook().test_connection()
    assert not working
    assert "403" in said


@pytest.mark.parametrize(
    "connection",
    [
        {"conn_type": "altcraft"},
        {"conn_type": "altcraft", "host": "example.com", "password": "canary", "schema": "http"},
        {"conn_type": "altcraft", "host": "127.0.0.1", "port": 1, "password": "canary", "schema": "http"},
        {"conn_type": "altcraft", "host": "example.com", "password": "canary", "extra": {"tokn": "canary"}},
    ],
)
def test_testing_a_connection_never_raises_and_echoes_no_secret(monkeypatch, connection):
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(connection))
    working, said = AltcraftHook().test_connection()
    assert not working
    assert "canary" not in said


def test_testing_a_connection_that_does_not_exist_never_raises():
    assert AltcraftHook("no_such_connection").test_connection()[0] is False


def test_testing_a_connection_makes_one_call(altcraft_sandbox, hook):
    altcraft_sandbox.faults.add(Fault("status"))
    assert hook.test_connection()[0] is False
    assert len(altcraft_sandbox.journal) == 1


@pytest.mark.parametrize("name", ["id", "campaign_id"])
def test_any_endpoint_is_called_by_its_name(altcraft_sandbox, hook, name):
    hook.call("scampaigns/completed", {name: "18"})
    (call,) = altcraft_sandbox.journal
    assert (call.endpoint, call.request["id"]) == ("scampaigns/completed", 18)


@pytest.mark.parametrize(
    ("endpoint", "params", "said"),
    [
        ("scampaigns/complete", {"id": 18}, "Did you mean 'scampaigns/completed'?"),
        ("scampaigns/completed", {"campaing_id": 18}, "campaign_id"),
        ("scampaigns/completed", {}, "required"),
        ("scampaigns/completed", {"id": "eighteen"}, "a whole number"),
    ],
)
def test_a_call_that_cannot_be_meant_is_not_made(altcraft_sandbox, hook, endpoint, params, said):
    with pytest.raises(AltcraftConfigurationError) as caught:
        hook.call(endpoint, params)
    assert said in str(caught.value)
    assert len(altcraft_sandbox.journal) == 0


def test_a_list_is_walked(altcraft_sandbox, hook):
    assert [campaign["id"] for campaign in hook.iterate("scampaigns/list", {"limit": "1"})] == [18, 42]
    assert len(altcraft_sandbox.journal) > 1
