"""What an error reporter reads off our errors: Sentry's own serializer, at its defaults, finds no token and no row."""

from __future__ import annotations

import asyncio
import json

import pytest
import sentry_sdk
from sentry_sdk.utils import event_from_exception

from airflow_provider_altcraft import tracebacks
from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.operators.mailings import AltcraftStartTriggerMailingOperator
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger
from tests.canary import NAME, PERSON, TOKEN
from tests.contexts import context

FAULTS = ["no connection", "timeout", "drop_after", "cut_body", "html", "api_error", "wrong token"]
INSIDE = [
    "requests.adapters.HTTPAdapter.send",
    "urllib3.connectionpool.HTTPConnectionPool._make_request",
    "http.client.HTTPConnection.send",
    "airflow_provider_altcraft.api.reply._json_object",
]
INSIDE_ASYNC = ["aiohttp.connector.BaseConnector.connect", "aiohttp.client_proto.ResponseHandler.set_response_params"]


def event_of(error):
    """What Sentry would be sent."""
    sent = []

    class Transport(sentry_sdk.Transport):
        def capture_envelope(self, envelope):
            sent.append(envelope.get_event())

    client = sentry_sdk.Client(
        "http://key@127.0.0.1:1/1", transport=Transport, default_integrations=False, auto_enabling_integrations=False
    )
    event, hint = event_from_exception(error, client_options=client.options)
    client.capture_event(event, hint)
    return json.dumps(sent[0])


def seen_of(act):
    try:
        act()
    except BaseException as error:
        return event_of(error)
    return pytest.fail("there was no error")


def holds_nothing(event):
    return '"vars"' in event and not [secret for secret in (TOKEN, PERSON, NAME) if secret in event]


@pytest.fixture(params=FAULTS)
def altcraft(request, altcraft_sandbox, monkeypatch):
    """Altcraft under a fault."""
    altcraft_sandbox.token = TOKEN if request.param != "wrong token" else "another"
    extra = {"max_attempts": 2, "read_timeout": 0.2}
    connection = {**altcraft_sandbox.connection, "password": TOKEN, "extra": extra}
    if request.param == "no connection":
        connection["port"] = 1
    elif request.param == "timeout":
        altcraft_sandbox.faults.add(Fault("delay", seconds=0.6))
    elif request.param != "wrong token":
        altcraft_sandbox.faults.add(Fault(request.param, text=f"no {PERSON} by {TOKEN}"))
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(connection))
    monkeypatch.setattr(AltcraftClient, "_sleep_unless_aborted", lambda self, seconds: None)
    return altcraft_sandbox


def failing(*args, **kwargs):
    """A function of a library that has a bug."""
    raise RuntimeError("a bug")


def profiles():
    return [{"email": PERSON, "name": NAME}]


def call(hook):
    hook.call("profiles/import", {"db_id": 1, "data": profiles()[0], "matching": "email"}, "call-1")


def client_call(hook):
    hook.client.call("profiles/import", {"db_id": 1, "data": profiles()[0], "matching": "email"}, request_id="call-1")


def call_batch(hook):
    frame = hook.client.frame("profiles/import_batch", {"db_id": 1, "matching": "email"})
    hook.client.call_batch(
        "profiles/import_batch", frame.join([json.dumps(profiles()[0]).encode()]), request_id="batch-1"
    )


def iterate(hook):
    list(hook.iterate("profiles/list", {"db_id": 1, "query": PERSON}))


def download(hook):
    hook.download("1.csv", failing)


def import_profiles(hook):
    AltcraftImportProfilesOperator(task_id="import", profiles=profiles, db_id=1).execute(context())


def send(hook):
    AltcraftStartTriggerMailingOperator(
        task_id="send", trigger_id=9, recipient={"email": PERSON}, content={"name": NAME}, resource_id=1
    ).execute(context())


ACTS = [call, client_call, call_batch, iterate, download, import_profiles, send]


@pytest.mark.parametrize("act", ACTS)
def test_an_error_on_the_worker_shows_neither_token_nor_rows(altcraft, act):
    assert holds_nothing(seen_of(lambda: act(AltcraftHook())))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("place", INSIDE)
def test_nor_does_a_bug_inside_of_a_library(altcraft_sandbox, monkeypatch, act, place):
    altcraft_sandbox.token = TOKEN
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", altcraft_sandbox.connection_json)
    monkeypatch.setattr(place, failing)
    assert holds_nothing(seen_of(lambda: act(AltcraftHook())))


async def ask(hook):
    async with await hook.get_async_client() as client:
        await client.call("profiles/get", {"db_id": 1, "email": PERSON, "matching": "email"}, attempts=1)


def test_an_error_of_the_triggers_client_shows_neither(altcraft):
    assert holds_nothing(seen_of(lambda: asyncio.run(ask(AltcraftHook()))))


@pytest.mark.parametrize("place", INSIDE_ASYNC)
def test_nor_does_a_bug_inside_of_its_library(altcraft_sandbox, monkeypatch, place):
    altcraft_sandbox.token = TOKEN
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", altcraft_sandbox.connection_json)
    monkeypatch.setattr(place, failing)
    assert holds_nothing(seen_of(lambda: asyncio.run(ask(AltcraftHook()))))


def test_the_errors_that_led_to_one_are_still_there_with_their_lines(altcraft_sandbox):
    settings = Settings("http://127.0.0.1:1", TOKEN, max_attempts=1)
    event = seen_of(lambda: AltcraftClient(settings).call("databases/list"))
    assert "NewConnectionError" in event
    assert "connectionpool.py" in event


@pytest.mark.parametrize("act", [call, client_call, call_batch, import_profiles, send])
def test_without_this_they_would_be_seen(altcraft_sandbox, monkeypatch, act):
    """The tests above can fail."""
    altcraft_sandbox.token = TOKEN
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", altcraft_sandbox.connection_json)
    monkeypatch.setattr(INSIDE[1], failing)
    monkeypatch.setattr(tracebacks, "clear_locals", lambda *errors: None)
    assert not holds_nothing(seen_of(lambda: act(AltcraftHook())))


def test_an_error_that_somebody_handles_meanwhile_keeps_its_variables():
    def theirs():
        kept = "their own"
        raise ValueError(kept)

    settings = Settings("http://127.0.0.1:1", TOKEN, max_attempts=1)
    try:
        theirs()
    except ValueError:
        event = seen_of(lambda: AltcraftClient(settings).call("databases/list"))
    assert "their own" in event


def test_what_ends_a_wait_in_the_triggerer_is_logged_without_them(altcraft_sandbox, monkeypatch):
    """The log line carries the error, and Sentry takes it from there."""
    altcraft_sandbox.token = TOKEN
    altcraft_sandbox.add_task("task_1", result=profiles())
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", altcraft_sandbox.connection_json)
    monkeypatch.setattr("airflow_provider_altcraft.waiting.targets.task_state", failing)
    trigger = AltcraftTrigger("altcraft_default", {"kind": "tasks", "ids": ["task_1"]}, 0.01)
    assert holds_nothing(seen_of(lambda: asyncio.run(trigger._wait())))
