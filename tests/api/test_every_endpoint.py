"""Each endpoint of the catalogue is called, and what arrives is looked at: method, path, token and body."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.endpoints import ENDPOINTS, Effect, ResponseKind
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftTransportError
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

TOKEN = "canary-token-9a41cc7e"
ROWS = pytest.mark.parametrize("row", ENDPOINTS.values(), ids=ENDPOINTS)
SAMPLES = {
    "int": 7,
    "float": 2.5,
    "bool": True,
    "str": "seven",
    "datetime": "2026-01-31T09:00:00+03:00",
    "date": "2026-01-31",
    "uuid": "0b9f4f0e-3c1e-4c52-9d0e-7f8f6a0c2b11",
    "object": {"a": 1},
    "array": [1, "a"],
    "int[]": [1, 2],
    "str[]": ["a", "b"],
    "object[]": [{"a": 1}],
    "any": "anything",
}
AS_TEXT = {"int": "7", "float": "2.5", "bool": "True", "int[]": ["1", "2"], "str": 7, "str[]": [1]}
FROM_TEXT = {"int": 7, "float": 2.5, "bool": True, "int[]": [1, 2], "str": "7", "str[]": ["1"]}


@pytest.fixture(scope="module", params=["body", "header"])
def hook(request, echo_server):
    connection = {
        "conn_type": "altcraft",
        "host": echo_server.url,
        "password": TOKEN,
        "extra": {"auth": request.param, "max_attempts": 1},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ECHO", json.dumps(connection))
        hook = AltcraftHook("echo")
        hook.auth = request.param
        yield hook
        hook.client.close()


def sample(parameter):
    return parameter.values[0] if parameter.values else SAMPLES[parameter.types[0]]


def everything_of(row):
    """A value for each parameter, under its first name in the API; something at all, where none is known."""
    known = {parameter.name: sample(parameter) for parameter in row.parameters if parameter.name != "*"}
    return known if row.parameters else {"probe": 1}


def on_the_wire(row, params):
    """What should arrive: path and parameters of the body."""
    sent = dict(params)
    for parameter in row.parameters:
        if parameter.name in sent:
            sent.update(dict.fromkeys(parameter.wire, sent[parameter.name]))
    path = re.sub(r"\{(\w+)\}", lambda name: str(sent.pop(name[1])), row.path)
    return path, sent


def place_of_token(row, hook):
    if row.name.startswith("v1.0/"):
        return "url"
    return "header" if row.name == "download/{file}" else hook.auth


@ROWS
def test_an_endpoint_is_called_with_all_it_takes(row, hook, echo):
    params = everything_of(row)
    hook.call(row.name, params, request_id="request-1")
    (arrived,) = echo.arrived
    path, sent = on_the_wire(row, params)
    place = place_of_token(row, hook)
    assert (arrived.method, arrived.path) == (row.method, path)
    assert arrived.query == ({"token": TOKEN} if place == "url" else {})
    assert arrived.headers.get("Authorization") == (f"Bearer {TOKEN}" if place == "header" else None)
    assert arrived.headers["Request-ID"] == "request-1"
    if row.method == "GET":
        assert not arrived.body
    else:
        assert arrived.headers["Content-Type"] == "application/json"
        assert arrived.json == {**sent, **({"token": TOKEN} if place == "body" else {})}


@pytest.mark.parametrize(
    ("row", "parameter", "alias"),
    [
        pytest.param(row, parameter, alias, id=f"{name}: {alias}")
        for name, row in ENDPOINTS.items()
        for parameter in row.parameters
        for alias in (*parameter.wire[1:], *parameter.aliases)
    ],
)
def test_another_name_means_the_same(row, parameter, alias, hook, echo):
    params = everything_of(row)
    hook.call(row.name, params)
    hook.call(row.name, {alias: params.pop(parameter.name), **params})
    first, second = echo.arrived
    assert (first.target, first.body) == (second.target, second.body)


@pytest.mark.parametrize("row", [row for row in ENDPOINTS.values() if row.parameters], ids=lambda row: row.name)
def test_what_a_template_rendered_to_text_becomes_what_is_documented(row, hook, echo):
    params = everything_of(row)
    texts = {
        parameter.name: parameter.types[0]
        for parameter in row.parameters
        if parameter.types and parameter.types[0] in AS_TEXT and not parameter.values
    }
    hook.call(row.name, {**params, **{name: AS_TEXT[kind] for name, kind in texts.items()}})
    path, sent = on_the_wire(row, {**params, **{name: FROM_TEXT[kind] for name, kind in texts.items()}})
    arrived = echo.last
    assert arrived.path == path
    if row.method == "POST":
        # A value of any field stays the text it is: an int where it is one, "7" where it is not.
        sent = {name: "7" if name == "field_value" else value for name, value in sent.items()}
        assert {name: value for name, value in arrived.json.items() if name != "token"} == sent


@pytest.mark.parametrize(
    "row",
    [row for row in ENDPOINTS.values() if any("datetime" in parameter.types for parameter in row.parameters)],
    ids=lambda row: row.name,
)
def test_a_moment_may_be_a_datetime(row, hook, echo):
    moments = [parameter.name for parameter in row.parameters if "datetime" in parameter.types]
    hook.call(row.name, {**everything_of(row), **dict.fromkeys(moments, datetime(2026, 1, 31, 9, tzinfo=UTC))})
    assert {echo.last.json[name] for name in moments} == {"2026-01-31T09:00:00+00:00"}


@pytest.mark.parametrize("row", [row for row in ENDPOINTS.values() if row.items], ids=lambda row: row.name)
def test_a_batch_is_the_call_with_its_items_in_it(row, hook, echo):
    params = everything_of(row)
    items = params.pop(row.items)
    body = hook.client.frame(row.name, params).join([json.dumps(item).encode() for item in items])
    hook.client.call_batch(row.name, body, request_id="batch-1")
    hook.call(row.name, {**params, row.items: items}, request_id="batch-1")
    batch, call = echo.arrived
    assert (batch.path, batch.json, batch.headers["Request-ID"]) == (call.path, call.json, "batch-1")


@ROWS
def test_the_payload_is_found(row, hook, echo):
    echo.answers.append({"error": 0, "error_text": "", row.payload: ["found"]})
    reply = hook.call(row.name, everything_of(row))
    if row.answer is ResponseKind.FILE:
        assert json.loads(reply.data)[row.payload] == ["found"]
    else:
        assert reply.data == ["found"]


@pytest.mark.parametrize("row", [row for row in ENDPOINTS.values() if row.task], ids=lambda row: row.name)
@pytest.mark.parametrize("place", ["task_id", "data.task_id"])
def test_the_task_is_found_wherever_it_is(row, place, hook, echo):
    echo.answers.append({"error": 0, **({"task_id": "t1"} if place == "task_id" else {"data": {"task_id": "t1"}})})
    assert hook.call(row.name, everything_of(row)).task_id == "t1"


@ROWS
@pytest.mark.parametrize("request_id", [None, "request-1"])
def test_what_may_have_been_done_is_asked_for_again_only_where_that_is_safe(row, request_id, echo):
    echo.status = 502
    echo.answers += [b"<html>Bad Gateway</html>"] * 3
    settings = Settings(echo.url, TOKEN, max_attempts=3)
    with (
        AltcraftClient(settings, sleep=lambda seconds: None) as client,
        pytest.raises(AltcraftTransportError) as caught,
    ):
        client.call(row.name, everything_of(row), request_id=request_id)
    assert caught.value.in_doubt
    assert len(echo.arrived) == (3 if request_id or row.effect is Effect.READ else 1)
    assert len({(arrived.target, str(arrived.headers), arrived.body) for arrived in echo.arrived}) == 1
