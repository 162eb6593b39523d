"""A trigger mailing to one profile, once."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.operators.mailings import AltcraftStartTriggerMailingOperator
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

START = "campaigns/triggers/start"


@pytest.fixture
def ann(altcraft_sandbox):
    """A profile that is there."""
    data = {"email": "ann@example.com", "CRM_ID": "A-1", "phones": ["+15550100100"]}
    return altcraft_sandbox.world.database(1).save(data, "email", None, known=None)


def start(**arguments):
    defaults = {"task_id": "start", "trigger_id": "9", "recipient": {"email": "ann@example.com"}}
    return AltcraftStartTriggerMailingOperator(**{**defaults, **arguments})


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {"matching": "email", "email": "ann@example.com"}),
        (
            {"matching": "custom", "field_name": "CRM_ID", "recipient": lambda: {"CRM_ID": "A-1"}},
            {"matching": "custom", "field_name": "CRM_ID", "field_value": "A-1"},
        ),
        ({"content": {"name": "Ann"}, "custom_data": {"n": 1}}, {"content": {"name": "Ann"}, "custom_data": {"n": 1}}),
    ],
)
def test_a_profile_gets_the_mailing(altcraft_sandbox, ann, arguments, sent):
    assert start(**arguments).execute(context())["trigger_id"] == 9
    (call,) = altcraft_sandbox.journal.calls(START)
    assert sent.items() <= call.request.items()
    assert call.request["id"] == "9"
    assert altcraft_sandbox.deliveries.times_sent(9, ann) == 1


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_sends_no_second_message(altcraft_sandbox, ann, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    start().execute(context(store=store))
    assert start().execute(context(store=store, try_number=2))["replayed"]
    assert altcraft_sandbox.deliveries.times_sent(9, ann) == 1


def test_the_recipient_is_no_template():
    assert "recipient" not in AltcraftStartTriggerMailingOperator.template_fields


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"trigger_id": ""}, "trigger_id is empty"),
        ({"recipient": {}}, "no email"),
        ({"matching": "push_sub"}, "must be one of email"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        start(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0
