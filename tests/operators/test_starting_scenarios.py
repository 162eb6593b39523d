"""One profile into a scenario, once; and scenarios, switched on and off."""

from __future__ import annotations

import logging

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.operators.scenarios import (
    AltcraftActivateScenarioOperator,
    AltcraftDeactivateScenarioOperator,
    AltcraftStartScenarioOperator,
)
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

START = "workflows/start"
ACTIVATE = "workflows/activate"
DEACTIVATE = "workflows/deactivate"
ANN = {"email": "ann@example.com"}


@pytest.fixture
def ann(altcraft_sandbox):
    """A profile that is there."""
    data = {**ANN, "CRM_ID": "A-1", "phones": ["+15550100100"]}
    return altcraft_sandbox.world.database(1).save(data, "email", None, known=None)


def start(**arguments):
    return AltcraftStartScenarioOperator(**{"task_id": "start", "workflow_id": "12", "recipient": ANN, **arguments})


def activate(**arguments):
    return AltcraftActivateScenarioOperator(**{"task_id": "on", "workflow_id": "12", **arguments})


def deactivate(**arguments):
    return AltcraftDeactivateScenarioOperator(**{"task_id": "off", "workflow_id": "12", **arguments})


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {"id": 12, "matching": "email", "email": "ann@example.com"}),
        (
            {"matching": "custom", "field_name": "CRM_ID", "recipient": lambda: {"CRM_ID": "A-1"}},
            {"matching": "custom", "field_name": "CRM_ID", "field_value": "A-1"},
        ),
        ({"matching": "phone", "recipient": {"phone": "+15550100100"}, "resource_id": "1"}, {"resource_id": 1}),
        ({"content": {"name": "Ann"}, "custom_data": {"n": 1}}, {"content": {"name": "Ann"}, "custom_data": {"n": 1}}),
    ],
)
def test_a_profile_enters_the_scenario(altcraft_sandbox, ann, arguments, sent):
    result = start(**arguments).execute(context())
    assert (result["workflow_id"], result["replayed"]) == (12, False)
    (call,) = altcraft_sandbox.journal.calls(START)
    assert sent.items() <= call.request.items()
    assert altcraft_sandbox.world.scenario(12).inside == {ann}


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_sends_nobody_in_again(altcraft_sandbox, ann, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    start().execute(context(store=store))
    assert start().execute(context(store=store, try_number=2))["replayed"]
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 1


@pytest.mark.usefixtures("ann")
def test_the_recipient_is_nowhere_but_on_the_wire(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    store = Store()
    operator = start()
    result = operator.execute(context(store=store))
    rendered = [getattr(operator, name) for name in operator.template_fields]
    assert "recipient" not in operator.template_fields
    assert "ann@" not in f"{result} {store} {rendered} {caplog.text} {capfd.readouterr()}"


def test_a_profile_that_is_not_there_fails_the_task_and_is_not_named(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match=START) as caught:
        start().execute(context())
    assert "ann@" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"workflow_id": ""}, "workflow_id is empty"),
        ({"recipient": {}}, "no email"),
        ({"recipient": "ann@example.com"}, "recipient must be a dictionary"),
        ({"matching": "email_profile"}, "must be one of email"),
        ({"matching": "custom"}, "field_name"),
        ({"resource_id": "None"}, "resource_id is empty"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason) as caught:
        start(**arguments).execute(context())
    assert "ann@" not in str(caught.value)
    assert len(altcraft_sandbox.journal) == 0


def test_a_scenario_is_switched_off_and_on_again(altcraft_sandbox):
    scenario = altcraft_sandbox.world.scenario(12)
    assert deactivate().execute(context()) == {"workflow_id": 12, "is_active": False, "replayed": False}
    assert not scenario.is_active
    assert activate().execute(context()) == {"workflow_id": 12, "is_active": True, "replayed": False}
    assert scenario.is_active


@pytest.mark.parametrize(
    ("operator", "is_active", "call"), [(activate, True, ACTIVATE), (deactivate, False, DEACTIVATE)]
)
def test_what_is_so_already_is_left_alone(altcraft_sandbox, operator, is_active, call):
    altcraft_sandbox.world.scenario(12).is_active = is_active
    assert operator().execute(context())["is_active"] is is_active
    assert not altcraft_sandbox.journal.calls(call)


def test_the_profiles_in_it_are_cleared_where_that_was_asked_for(altcraft_sandbox, ann):
    start().execute(context())
    for run_id in ("one", "two"):
        activate(skip_profiles=True).execute(context(run_id=run_id))
    assert not altcraft_sandbox.world.scenario(12).inside
    assert {call.request["skip_profiles"] for call in altcraft_sandbox.journal.calls(ACTIVATE)} == {True}


def test_the_places_of_profiles_are_kept_unless_they_are_to_be_cleared(altcraft_sandbox, ann):
    start().execute(context())
    deactivate().execute(context())
    activate().execute(context())
    assert altcraft_sandbox.world.scenario(12).inside == {ann}


def test_a_clear_switches_it_again(altcraft_sandbox):
    store = Store()
    deactivate().execute(context(store=store))
    altcraft_sandbox.world.scenario(12).is_active = True
    deactivate().execute(context(store=store, max_tries=1, try_number=2))
    assert not altcraft_sandbox.world.scenario(12).is_active


@pytest.mark.parametrize(("operator", "is_active"), [(activate, True), (deactivate, False)])
def test_where_nobody_remembers_it_is_switched_again(altcraft_sandbox, monkeypatch, operator, is_active):
    connection = f'{altcraft_sandbox.connection_json[:-1]}, "extra": {{"deduplication_window": 0}}}}'
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", connection)
    altcraft_sandbox.behaviour.deduplication = "off"
    altcraft_sandbox.world.scenario(12).is_active = not is_active
    assert operator().execute(context(try_number=2))["is_active"] is is_active


@pytest.mark.parametrize("code", [0, 403])
def test_one_that_the_token_may_not_see_is_switched_and_said_to_be_unseen(altcraft_sandbox, caplog, capfd, code):
    altcraft_sandbox.faults.add(Fault("api_error", "workflows/list", code=code))
    assert deactivate().execute(context())["is_active"] is None
    assert "cannot verify that it is inactive" in f"{caplog.text} {capfd.readouterr()}"
    assert not altcraft_sandbox.world.scenario(12).is_active


def test_one_that_stays_active_is_no_green_task(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("api_error", DEACTIVATE, code=0, text=""))
    with pytest.raises(AirflowFailException, match="still lists it as active"):
        deactivate().execute(context())


@pytest.mark.parametrize("operator", [activate, deactivate])
def test_a_scenario_that_is_none_is_refused_before_any_call(altcraft_sandbox, operator):
    with pytest.raises(AirflowFailException, match="workflow_id must be"):
        operator(workflow_id="twelve").execute(context())
    assert len(altcraft_sandbox.journal) == 0
