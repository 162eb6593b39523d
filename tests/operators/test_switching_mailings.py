"""Mailings, switched on and off, copied, and run as they are switched on."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.operators.mailings import (
    AltcraftActivateMailingOperator,
    AltcraftCloneMailingOperator,
    AltcraftDeactivateMailingOperator,
)
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

ACTIVATE = "campaigns/activate"


def activate(**arguments):
    return AltcraftActivateMailingOperator(
        **{"task_id": "activate", "mailing_id": 7, "poll_interval": 0.02, "timeout": 20, **arguments}
    )


@pytest.fixture
def sleeping(altcraft_sandbox):
    """Mailing 7, switched off."""
    altcraft_sandbox.mailing(7).is_active = False
    return altcraft_sandbox


def test_a_mailing_is_activated_and_sends_nothing(sleeping):
    assert activate().execute(context()) == {"mailing_id": 7, "replayed": False}
    assert sleeping.mailing(7).is_active
    assert sleeping.deliveries.total_launches == 0


def test_an_active_mailing_is_left_alone(altcraft_sandbox):
    activate().execute(context())
    assert not altcraft_sandbox.journal.calls(ACTIVATE)


def test_run_now_sends_it_once_whatever_is_retried(sleeping, run):
    store = Store()
    result = run(activate(run_now=True, override_limit=3), context(store=store))
    assert result["finished_at"]
    assert run(activate(run_now=True, override_limit=3), context(store=store, try_number=2))["replayed"]
    (call,) = sleeping.journal.calls(ACTIVATE)
    assert call.request["run_now"] is True
    assert call.request["override_limit"] == 3
    assert sleeping.deliveries.total_launches == 1


def test_overrides_without_a_run_are_refused(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="run_now=True"):
        activate(override_limit=3).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_a_mailing_is_deactivated_again_after_a_clear(altcraft_sandbox):
    def deactivate():
        return AltcraftDeactivateMailingOperator(task_id="off", mailing_id=7)

    store = Store()
    deactivate().execute(context(store=store))
    assert not altcraft_sandbox.mailing(7).is_active
    altcraft_sandbox.mailing(7).is_active = True
    deactivate().execute(context(store=store, max_tries=1, try_number=2))
    assert not altcraft_sandbox.mailing(7).is_active


def test_a_copy_is_made_once_though_the_answer_was_lost(altcraft_sandbox):
    def clone():
        return AltcraftCloneMailingOperator(task_id="clone", mailing_id=7, name="Copy")

    altcraft_sandbox.faults.add(Fault("drop_after", "campaigns/clone", times=1))
    copy = clone().execute(context())
    assert clone().execute(context(try_number=2)) == copy
    assert [mailing.name for mailing in altcraft_sandbox.world.mailings.values()].count("Copy") == 1


def test_a_copy_has_no_name_that_a_template_rendered_to_nothing(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="name is empty"):
        AltcraftCloneMailingOperator(task_id="clone", mailing_id=7, name="None").execute(context())
    assert len(altcraft_sandbox.journal) == 0
