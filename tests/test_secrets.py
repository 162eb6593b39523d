"""The token appears nowhere but on the wire, and neither do the rows."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.operators.campaigns import AltcraftActivateCampaignOperator
from airflow_provider_altcraft.operators.goals import AltcraftRegisterGoalsOperator
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator, AltcraftStartScenarioOperator
from airflow_provider_altcraft.operators.segments import AltcraftRefreshSegmentOperator
from airflow_provider_altcraft.sandbox import Fault, Sandbox
from airflow_provider_altcraft.sensors.tasks import AltcraftTaskSensor
from tests.contexts import Store, context

TOKEN = "canary-token-77c1f0a9e3"
PERSON = "canary.person@example.com"
NAME = "Canarybird"


@pytest.fixture(params=["body", "header"])
def altcraft(request, monkeypatch):
    with Sandbox(token=TOKEN, speed=100) as sandbox:
        connection = {**sandbox.connection, "extra": {"auth": request.param, "max_attempts": 2}}
        monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(connection))
        yield sandbox


def everything(sandbox):
    """One of each kind of task."""
    sandbox.add_task("task_1", seconds=5)
    fast = {"poll_interval": 0.02, "timeout": 5}
    return [
        AltcraftImportAndStartOperator(
            task_id="import", profiles=[{"email": PERSON, "_fname": NAME}], workflow_id=12, **fast
        ),
        AltcraftLaunchMailingOperator(task_id="launch", mailing_id=7, **fast),
        AltcraftActivateCampaignOperator(task_id="activate", campaign_id=18, **fast),
        AltcraftStartScenarioOperator(task_id="start", recipient={"email": PERSON}, workflow_id=12),
        AltcraftRegisterGoalsOperator(
            task_id="goals", recipient=lambda: {"email": PERSON}, db_id=1, pixel_id=4, goals=[{"goal": "paid"}]
        ),
        AltcraftRefreshSegmentOperator(task_id="count", segment_id=1, resource_id=1, **fast),
        AltcraftTaskSensor(task_id="wait", altcraft_task_id="task_1", **fast),
    ]


def run_deferred(operator, store):
    """Run a task, deferred; everything of it that Airflow stores or logs."""
    from airflow.providers.common.compat.sdk import TaskDeferred

    operator.deferrable = True
    ctx, seen = context(store=store, task_id=operator.task_id), []
    try:
        seen.append(operator.execute(ctx))
    except TaskDeferred as deferred:
        seen += [repr(deferred), deferred.trigger.serialize(), repr(deferred.trigger)]
        (event,) = asyncio.run(events_of(deferred.trigger))
        seen += [event, operator.execute_complete(ctx, event=event)]
    return seen


@pytest.mark.parametrize("fault", [None, "status", "html", "drop_after", "cut_body", "api_error"])
def test_nothing_that_airflow_logs_or_stores_holds_the_token_or_a_row(altcraft, caplog, capfd, fault):
    caplog.set_level(logging.DEBUG)
    seen, store = [], Store()
    for operator in everything(altcraft):
        if fault:
            # Of a batch, any word of its rows is hidden; of another call, what looks like personal data.
            who = f"{PERSON} {NAME}" if operator.task_id == "import" else PERSON
            text = f"{TOKEN} of {who} is not welcome"
            altcraft.faults.add(Fault(fault, times=3, text=text))
        try:
            seen += run_deferred(operator, store)
        except Exception as error:
            seen += chain(error)
        altcraft.faults.clear()
        seen += [getattr(operator, name) for name in operator.template_fields]
        seen.append(repr(operator))
    written = capfd.readouterr()
    everywhere = "\n".join([repr(seen), json.dumps(store), caplog.text, written.out, written.err])
    assert seen
    assert TOKEN not in everywhere
    assert PERSON not in everywhere
    assert NAME not in everywhere


async def events_of(trigger):
    return [event.payload async for event in trigger.run()]


def chain(error):
    """An error and all it was raised from, with what hangs on it."""
    while error is not None:
        yield repr(error), str(error), repr(vars(error)), getattr(error, "__notes__", [])
        error = error.__cause__ or error.__context__


def test_the_canary_would_be_seen(altcraft):
    """The test above can fail: the token did travel, and the journal knows where it was."""
    AltcraftHook().call("scampaigns/list")
    (call,) = altcraft.journal
    assert "***" in {call.request.get("token"), call.headers.get("authorization")}


def test_no_client_settings_or_hook_shows_the_token(altcraft):
    hook = AltcraftHook()
    hook.call("scampaigns/list")
    assert TOKEN not in repr([hook, hook.client, hook.settings, vars(hook)])
