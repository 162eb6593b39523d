"""Campaigns, from activation to completion."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftCompleteCampaignOperator,
    AltcraftDeactivateCampaignOperator,
)
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

COMPLETED = "scampaigns/completed"


def activate(**arguments):
    return AltcraftActivateCampaignOperator(
        task_id="activate", **{"campaign_id": 18, "poll_interval": 0.02, **arguments}
    )


def deactivate(**arguments):
    return AltcraftDeactivateCampaignOperator(
        task_id="pause", **{"campaign_id": 18, "poll_interval": 0.02, **arguments}
    )


def complete(**arguments):
    return AltcraftCompleteCampaignOperator(
        task_id="complete", **{"campaign_id": "18", "allow_irreversible": True, "poll_interval": 0.02, **arguments}
    )


def test_a_campaign_goes_from_activation_over_a_pause_to_completion(altcraft_sandbox, run):
    for operator, state in ((activate(), "active"), (deactivate(), "inactive"), (complete(), "completed")):
        assert run(operator, task_id=operator.task_id)["status"] == state
        assert altcraft_sandbox.campaign_state(18) == state


@pytest.mark.parametrize("field", ["activate_date", "start_date", "either"])
def test_the_start_is_understood_under_either_name(altcraft_sandbox, run, field):
    altcraft_sandbox.behaviour.campaign_date_field = field
    assert run(activate())["status"] == "active"


def test_an_activation_at_a_date_is_waited_for(altcraft_sandbox, run):
    altcraft_sandbox.clock.speed = 10_000
    start = altcraft_sandbox.clock.now() + timedelta(hours=1)
    assert run(activate(activate_at=start.isoformat()))["status"] == "active"
    assert altcraft_sandbox.clock.now() >= start


def test_a_cleared_activation_activates_what_was_paused_since(altcraft_sandbox, run):
    store = Store()
    run(activate(), context(store=store, max_tries=0))
    run(deactivate(), context(store=store, task_id="pause"))
    assert run(activate(), context(store=store, max_tries=1))["status"] == "active"
    assert altcraft_sandbox.campaign_state(18) == "active"


def test_completed_already_is_success_without_a_call(altcraft_sandbox, run):
    altcraft_sandbox.add_campaign(18, state="completed")
    assert run(complete())["status"] == "completed"
    assert not altcraft_sandbox.journal.calls(COMPLETED)


def test_a_deleted_campaign_is_a_clear_error(altcraft_sandbox, run):
    altcraft_sandbox.add_campaign(18, state="deleted")
    with pytest.raises(AirflowFailException, match="Campaign 18 is deleted"):
        run(complete())
    assert not altcraft_sandbox.journal.calls(COMPLETED)


def test_an_unknown_campaign_is_a_clear_error(altcraft_sandbox, run):
    with pytest.raises(AirflowFailException, match="404") as caught:
        run(complete(campaign_id=99))
    assert "exists" in "".join(caught.value.__cause__.__notes__)


def test_completing_needs_to_be_meant(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="allow_irreversible=True"):
        complete(allow_irreversible=False).execute(context())
    assert not altcraft_sandbox.journal.calls(COMPLETED)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status", "cut_body"])
def test_completing_survives_the_wire(altcraft_sandbox, run, kind):
    altcraft_sandbox.faults.add(Fault(kind, COMPLETED, times=1))
    assert run(complete())["status"] == "completed"


@pytest.mark.parametrize("moment", ["tomorrow", "2026-11-21T09:00:00"])
def test_a_date_that_is_none_is_refused(altcraft_sandbox, moment):
    with pytest.raises(AirflowFailException, match="activate_at"):
        activate(activate_at=moment).execute(context())
    assert len(altcraft_sandbox.journal) == 0
