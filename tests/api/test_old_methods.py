"""What differs from all the rest: the v1.0 list methods, quick import, and the download of a file."""

from __future__ import annotations

import asyncio
import logging
import re
import socket

import pytest

from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftRejected,
    AltcraftTimeout,
    AltcraftTransportError,
)
from tests.test_secrets import chain

# Signs that a URL writes differently.
TOKEN = "canary+token/77=c1 f0"
SUSPEND = "v1.0/lists/{list_id}/suspend_all"
QUICK = "integrations/any/profile_import"
DOWNLOAD = "download/{file}"


@pytest.fixture
def client(echo):
    with AltcraftClient(Settings(echo.url, TOKEN, max_attempts=1)) as client:
        yield client


def visible(text):
    """Whether the token, or what a URL makes of it, can be read there."""
    return re.search(r"canary(\+|%2B)token", text)


@pytest.mark.parametrize("name", ["list_id", "db_id"])
@pytest.mark.parametrize("value", [5, "5"])
def test_the_database_goes_into_the_path_and_the_token_into_the_url(client, echo, name, value):
    client.call(SUSPEND, {name: value})
    assert (echo.last.path, echo.last.query, echo.last.json) == (
        "/api/v1.0/lists/5/suspend_all",
        {"token": TOKEN},
        {},
    )


@pytest.mark.parametrize("value", ["5/../../v1.1/databases/wipe", "5?x=1", "..", "", None, "5#", "%2e%2e"])
def test_nothing_breaks_out_of_the_path(client, echo, value):
    with pytest.raises(AltcraftConfigurationError):
        client.call(SUSPEND, {"list_id": value})
    assert not echo.arrived


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("/api/download/data/0b9f/1_export.csv", "/api/download/data/0b9f/1_export.csv"),
        ("0b9f/1_export.csv", "/api/download/0b9f/1_export.csv"),
        ("a b/c?d#e%2F.csv", "/api/download/a%20b/c%3Fd%23e%252F.csv"),
        ("https://elsewhere.example/x", None),
        ("../v1.1/databases/list", None),
        ("data/./x", None),
        ("data//x", None),
        ("//elsewhere.example/x", None),
        ("/", None),
    ],
)
def test_a_file_is_asked_for_below_its_folder_and_nowhere_else(client, echo, file, path):
    if path is None:
        with pytest.raises(AltcraftConfigurationError):
            client.call(DOWNLOAD, {"file": file})
        assert not echo.arrived
    else:
        client.call(DOWNLOAD, {"file": file})
        assert (echo.last.method, echo.last.target) == ("GET", path)


@pytest.mark.parametrize(
    "body", [b"", b"a;b\n1;2\n", b'[{"email": 1}]', b"\xff\xfe\x00", b'{"error": 0}', b"x" * 20_000]
)
def test_a_file_is_its_bytes(client, echo, body):
    echo.answers.append(body)
    assert client.call(DOWNLOAD, {"file": "x.csv"}).data == body


def test_a_file_that_is_refused_is_no_file(client, echo):
    echo.answers.append({"error": 404, "error_text": "No such file"})
    with pytest.raises(AltcraftRejected, match="404"):
        client.call(DOWNLOAD, {"file": "x.csv"})


@pytest.mark.parametrize("status", [400, 402, 404, 409])
def test_quick_import_refuses_by_its_status(client, echo, status):
    echo.status = status
    echo.answers.append(b"several profiles match ivan@example.com")
    with pytest.raises(AltcraftRejected, match=f"{status}: several profiles match") as caught:
        client.call(QUICK, {"db_id": 1, "email": "ivan@example.com"})
    assert "ivan" not in str(caught.value)
    assert not caught.value.is_transient


def test_quick_import_says_403_to_a_wrong_token(client, echo):
    echo.status = 403
    echo.answers.append(b"")
    with pytest.raises(AltcraftAuthenticationError):
        client.call(QUICK, {"db_id": 1, "email": "a@example.com"})


@pytest.mark.parametrize("status", [302, 404 + 1, 500, 502])
def test_any_other_status_is_no_answer(client, echo, status):
    echo.status = status
    echo.answers.append(b"")
    with pytest.raises(AltcraftTransportError) as caught:
        client.call(QUICK, {"db_id": 1, "email": "a@example.com"})
    assert caught.value.in_doubt


@pytest.mark.parametrize(
    ("body", "data"),
    [(b"", None), (b"ok", None), (b'{"id": "p1"}', {"id": "p1"}), ({"error": 0, "profile_id": "p1"}, "p1")],
)
def test_quick_import_succeeds_by_its_status(client, echo, body, data):
    echo.answers.append(body)
    assert client.call(QUICK, {"db_id": 1, "email": "a@example.com"}).data == data


@pytest.mark.parametrize("name", [QUICK, SUSPEND])
def test_an_error_in_the_body_is_one_whatever_the_status(client, echo, name):
    echo.answers.append({"error": 404, "error_text": "No such database"})
    with pytest.raises(AltcraftRejected, match="No such database"):
        client.call(name, {"db_id": 1})


@pytest.mark.parametrize("name", [QUICK, SUSPEND])
def test_a_web_page_is_no_success(client, echo, name):
    echo.answers.append(b"\n<html><title>Log in to the Wi-Fi</title></html>")
    with pytest.raises(AltcraftTransportError):
        client.call(name, {"db_id": 1})


def failing(echo):
    """Ways for a call to end badly, with something that quotes its URL."""
    target = f"/api/v1.0/lists/5/suspend_all?token={TOKEN}"
    yield 200, {"error": 400, "error_text": f"cannot read {target}"}
    yield 404, f"no page at /x?token={TOKEN.replace('+', '%2B').replace('/', '%2F')}".encode()
    yield 404, b"no page at /x?token=canary%2Btoken%2F77%3Dc1+f0"
    yield 500, f"<html>{target}</html>".encode()
    yield 200, f"<html>{target}</html>".encode()


def test_a_token_in_the_url_is_in_no_error_and_no_log(client, echo, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    seen = []
    for status, answer in failing(echo):
        echo.status = status
        echo.answers.append(answer)
        with pytest.raises(AltcraftError) as caught:
            client.call(SUSPEND, {"db_id": 5})
        seen += [*chain(caught.value)]
    echo.status = 200
    seen.append(client.call(SUSPEND, {"db_id": 5}))
    written = capfd.readouterr()
    everywhere = "\n".join([repr(seen), caplog.text, written.out, written.err])
    assert "suspend_all?token=***" in caplog.text, "the path is logged, by urllib3"
    assert not visible(everywhere)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://no.such.host.invalid"])
def test_nor_is_it_in_what_hangs_on_a_broken_connection(address, caplog):
    caplog.set_level(logging.DEBUG)
    with (
        AltcraftClient(Settings(address, TOKEN, max_attempts=2), sleep=lambda seconds: None) as client,
        pytest.raises(AltcraftTransportError) as caught,
    ):
        client.call(SUSPEND, {"db_id": 5})
    everywhere = repr([*chain(caught.value)]) + caplog.text
    assert "/suspend_all" in everywhere
    assert not visible(everywhere)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_nor_in_what_hangs_on_a_timeout():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = Settings(f"http://127.0.0.1:{mute.getsockname()[1]}", TOKEN, max_attempts=1, read_timeout=0.05)
        with AltcraftClient(settings) as client, pytest.raises(AltcraftTimeout) as caught:
            client.call(SUSPEND, {"db_id": 5})
    assert not visible(repr([*chain(caught.value)]))


def test_a_request_does_not_show_it(client):
    from airflow_provider_altcraft.api.endpoints import endpoint
    from airflow_provider_altcraft.api.request import request_of

    request = request_of(endpoint(SUSPEND), {"db_id": 5}, client.settings)
    assert not visible(repr(request))
    assert request.query == {"token": TOKEN}


@pytest.mark.parametrize("name", [SUSPEND, DOWNLOAD, "v1.0/lists/{list_id}/unsuspend_all", "campaigns/delete", QUICK])
def test_a_triggerer_calls_none_of_them(echo, name):
    async def call():
        async with AsyncAltcraftClient(Settings(echo.url, "token")) as client:
            await client.call(name, {"db_id": 5, "file": "x"})

    with pytest.raises(AltcraftConfigurationError, match="trigger"):
        asyncio.run(call())
    assert not echo.arrived
