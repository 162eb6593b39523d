"""Goals of one profile, registered once."""

from __future__ import annotations

import logging
from datetime import datetime

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.operators.goals import AltcraftRegisterGoalsOperator
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

REGISTER = "goals/register"


@pytest.fixture
def ann(altcraft_sandbox):
    """A profile that is there."""
    data = {"email": "ann@example.com", "CRM_ID": "A-1"}
    return altcraft_sandbox.world.database(1).save(data, "email", None, known=None)


def register(**arguments):
    defaults = {"db_id": "1", "pixel_id": "4", "recipient": {"email": "ann@example.com"}}
    return AltcraftRegisterGoalsOperator(
        **{"task_id": "goals", "goals": [{"goal": "order", "value": "99.5"}], **defaults, **arguments}
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"matching": "email_profile"},
        {"matching": "custom", "field_name": "CRM_ID", "recipient": lambda: {"CRM_ID": "A-1"}},
    ],
)
def test_a_goal_is_counted_for_its_profile(altcraft_sandbox, ann, arguments):
    result = register(**arguments).execute(context())
    (goal,) = altcraft_sandbox.goals
    assert (goal["profile_id"], goal["pixel_id"], goal["goal"], goal["value"]) == (ann, 4, "order", 99.5)
    assert (result["goals"], result["replayed"]) == (1, False)


@pytest.mark.usefixtures("ann")
def test_several_goals_are_one_call(altcraft_sandbox):
    goals = [{"goal": "order", "value": 99.5}, {"goal": "visit"}]
    date = "2026-01-01T10:00:00+03:00"
    register(goals=goals, date=date, pixel_data={"sku": "S-1"}, is_test=True).execute(context())
    (call,) = altcraft_sandbox.journal.calls(REGISTER)
    assert (call.request["goals"], call.request["date"], call.request["is_test"]) == (goals, date, True)
    assert [goal["goal"] for goal in altcraft_sandbox.goals] == ["order", "visit"]


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_counts_it_once(altcraft_sandbox, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", REGISTER, times=1))
    register().execute(context(store=store))
    assert register().execute(context(store=store, try_number=2))["replayed"]
    assert len(altcraft_sandbox.goals) == 1


@pytest.mark.usefixtures("ann")
def test_the_profile_is_nowhere_but_on_the_wire(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    store = Store()
    operator = register()
    result = operator.execute(context(store=store))
    rendered = [getattr(operator, name) for name in operator.template_fields]
    assert "ann@" not in f"{result} {store} {rendered} {caplog.text} {capfd.readouterr()}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"db_id": ""}, "db_id is empty"),
        ({"pixel_id": "None"}, "pixel_id is empty"),
        ({"recipient": {"phone": "1"}}, "no email"),
        ({"matching": "push_sub"}, "email_profile here"),
        ({"goals": []}, "goals must be a list"),
        ({"goals": [{"value": 1}]}, "goals must be a list"),
        ({"goals": [{"goal": "order", "value": "a lot"}]}, "must be a number"),
        ({"goals": [{"goal": "order", "value": "nan"}]}, "must be a number"),
        ({"goals": [{"goal": "order", "value": float("inf")}]}, "must be a number"),
        ({"goals": [{"goal": "order", "value": True}]}, "must be a number"),
        ({"goals": [{"goal": "None"}]}, "goals must be a list"),
        ({"goals": [{"goal": " "}]}, "goals must be a list"),
        ({"pixel_data": "{'sku': 'S-1'}"}, "must be a dictionary"),
        ({"pixel_data": {"weight": float("nan")}}, "strings, numbers and booleans"),
        ({"pixel_data": {"when": datetime(2026, 1, 1)}}, "strings, numbers and booleans"),
        ({"date": "yesterday"}, "date must be"),
        ({"pixel_data": {"lines": []}}, "flat"),
        ({"pixel_data": {"text": "x" * 1024}}, "1,024 bytes"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        register(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0
