"""Downloads that are streamed: from the own host alone, complete, and anew after each break."""

from __future__ import annotations

import io
import traceback
from contextlib import contextmanager

import pytest

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftKilled,
    AltcraftRejected,
    AltcraftTransportError,
)


class Place:
    """Keeps what each attempt has written."""

    def __init__(self):
        self.attempts = []

    @contextmanager
    def opened(self):
        file = io.BytesIO()
        self.attempts.append(file)
        yield file


@pytest.fixture
def place():
    return Place()


@pytest.fixture
def client(echo):
    with AltcraftClient(Settings(echo.url, "secret", max_attempts=3), sleep=lambda seconds: None) as client:
        yield client


@pytest.mark.parametrize("body", [b"", b"a;b\n1;2\n", b"x" * 3_000_000])
def test_a_file_arrives_as_it_is(client, echo, place, body):
    echo.answers.append(body)
    assert client.download("/api/download/data/a/1.csv", place.opened) == len(body)
    assert [file.getvalue() for file in place.attempts] == [body]
    assert (echo.last.target, echo.last.headers["Authorization"]) == ("/api/download/data/a/1.csv", "Bearer secret")


def test_a_large_file_comes_in_blocks(client, echo):
    sizes = []

    class Counts(io.BytesIO):
        def write(self, block):
            sizes.append(len(block))
            return len(block)

    echo.answers.append(b"x" * 5_000_000)
    client.download("1.csv", Counts)
    assert max(sizes) <= 1 << 20
    assert sum(sizes) == 5_000_000


@pytest.mark.parametrize(
    "named",
    [
        "https://elsewhere.example/api/download/1.csv",
        "//elsewhere.example/1.csv",
        "https://127.0.0.1@elsewhere.example/1.csv",
        "http://127.0.0.1:1/1.csv",
        "ftp:1.csv",
        "http://[broken/1.csv",
        "../v1.1/databases/list",
    ],
)
def test_nothing_is_asked_of_another_host(client, echo, place, named):
    with pytest.raises(AltcraftConfigurationError):
        client.download(named, place.opened)
    assert not echo.arrived
    assert not place.attempts


def test_a_url_of_another_host_is_not_quoted_for_it_may_be_signed(client, place):
    with pytest.raises(AltcraftConfigurationError) as caught:
        client.download("https://elsewhere.example/1.csv?signature=abc", place.opened)
    assert "abc" not in str(caught.value)


def test_a_redirect_is_not_followed(client, echo, place):
    echo.status = 302
    echo.answers += [b"moved"] * 3
    with pytest.raises(AltcraftTransportError, match="302"):
        client.download("1.csv", place.opened)
    assert not place.attempts


@pytest.mark.parametrize("name", ["1.csv", "1.json", "3_emails.zip", "without-a-suffix"])
def test_a_refusal_is_no_file(client, echo, place, name):
    echo.headers["Content-Type"] = "application/json"
    echo.answers.append({"error": 404, "error_text": "No such file", "error_debug": "open: no such file", "data": None})
    with pytest.raises(AltcraftRejected, match="404"):
        client.download(name, place.opened)
    assert not place.attempts


@pytest.mark.parametrize("length", [9_000, 200_000])
def test_a_refusal_with_much_to_say_is_none_either(client, echo, place, length):
    echo.headers["Content-Type"] = "application/json"
    echo.answers.append({"error": 404, "error_text": "No such file", "error_debug": "x" * length})
    with pytest.raises(AltcraftRejected, match="404"):
        client.download("1.csv", place.opened)
    assert not place.attempts


PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"


@pytest.mark.parametrize("name", ["1.csv", "1.json", "3_emails.zip", "without-a-suffix"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=utf-8", PAGE),
        ("Text/HTML", b""),
        ("application/xhtml+xml", b"<?xml version='1.0'?><html/>"),
        ("text/html", b"x" * 50_000),
        ("application/octet-stream", PAGE),
        (None, b"\n\n  <html lang=en>" + b"x" * 50_000),
    ],
)
def test_a_web_page_is_no_file(client, echo, place, name, content_type, body):
    echo.headers.update({"Content-Type": content_type} if content_type else {})
    echo.answers += [body] * 3
    with pytest.raises(AltcraftTransportError, match="a web page instead of the file"):
        client.download(name, place.opened)
    assert not place.attempts
    assert len(echo.arrived) == 3


def test_a_page_that_passes_is_asked_past(client, echo, place):
    echo.answers += [PAGE, b"a;b\n"]
    assert client.download("1.csv", place.opened) == 4


@pytest.mark.parametrize("name", ["report.html", "report.HTM", "report.xhtml"])
def test_a_file_that_is_a_web_page_is_one(client, echo, place, name):
    echo.headers["Content-Type"] = "text/html"
    echo.answers.append(PAGE)
    assert client.download(name, place.opened) == len(PAGE)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("1.json", b'[{"error": 404}]'),
        ("1.json", b'{"email": "a@example.com", "error": 7, "error_text": "a field of the profile"}'),
        ("1.json", b'{"error": 7}'),
        ("1.csv", b'{"error": 0, "error_text": ""}'),
        ("1.csv", b'error,error_text\n404,"No such file"\n'),
        ("1.csv", b'{"email": "a@example.com"}'),
    ],
)
def test_json_that_says_no_no_is_a_file(client, echo, place, name, body):
    echo.headers["Content-Type"] = "application/json"
    echo.answers.append(body)
    assert client.download(name, place.opened) == len(body)


def test_a_body_that_is_shorter_than_announced_is_no_file(client, echo, place, monkeypatch):
    echo.answers += [b"x" * 3_000_000] * 3
    # As urllib3 did before 2.0: it ended without a word.
    monkeypatch.setattr("urllib3.response.HTTPResponse.tell", lambda self: 10)
    with pytest.raises(AltcraftTransportError, match="the connection broke"):
        client.download("1.csv", place.opened)
    assert len(place.attempts) == 3


def test_told_to_stop_a_large_download_ends_between_two_blocks(client, echo, place):
    told = []

    def before_block():
        told.append(1)
        if len(told) == 3:
            raise AltcraftKilled("told to stop")

    echo.answers.append(b"x" * 9_000_000)
    with pytest.raises(AltcraftKilled):
        client.download("1.csv", place.opened, before_block=before_block)
    (file,) = place.attempts
    assert 0 < file.tell() < 4_000_000
    assert len(echo.arrived) == 1


def test_after_a_download_that_was_ended_the_client_goes_on(client, echo, place):
    def before_block():
        raise AltcraftKilled("told to stop")

    echo.answers.append(b"x" * 9_000_000)
    with pytest.raises(AltcraftKilled):
        client.download("1.csv", place.opened, before_block=before_block)
    echo.answers.append(b"a;b\n")
    assert client.download("1.csv", place.opened) == 4


@pytest.mark.parametrize("named", ["{path}?token={token}", "{url}{path}?token={token}#top", "{path}#top"])
def test_a_token_in_the_link_is_not_sent_in_the_url(client, echo, place, named):
    path = "/api/download/data/a/1.csv"
    echo.answers.append(b"a;b\n")
    assert client.download(named.format(url=echo.url, path=path, token="secret"), place.opened) == 4
    assert (echo.last.target, echo.last.headers["Authorization"]) == (path, "Bearer secret")


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_a_token_in_the_link_is_in_no_error(client, echo, place, status, caplog):
    echo.status = status
    caplog.set_level(0)
    echo.answers += [b"<html>no file at /1.csv?token=s3cr3t-of-another</html>"] * 3
    with pytest.raises(AltcraftError) as caught:
        client.download("/api/download/1.csv?token=s3cr3t-of-another", place.opened)
    assert "s3cr3t" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def test_being_told_to_stop_is_not_tried_again(client, echo):
    attempts = []

    def opened():
        attempts.append(1)
        raise AltcraftKilled("told to stop")

    echo.answers += [b"x"] * 3
    with pytest.raises(AltcraftKilled):
        client.download("1.csv", opened)
    assert len(attempts) == 1


TOKEN = "canary/token+of an#edition"


def test_where_an_edition_wants_it_the_token_is_in_the_url_and_nowhere_else(echo, place, caplog):
    caplog.set_level(0)
    echo.answers.append(b"a;b\n")
    with AltcraftClient(Settings(echo.url, TOKEN, download_token_in_url=True)) as client:
        assert client.download("/api/download/data/a/1.csv?token=theirs", place.opened) == 4
    assert (echo.last.path, echo.last.query) == ("/api/download/data/a/1.csv", {"token": TOKEN})
    assert "Authorization" not in echo.last.headers
    assert "/1.csv?token=***" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("fault", ["no connection", "refused", "page", "cut"])
def test_a_token_in_the_url_of_a_download_is_in_no_error(echo, place, caplog, monkeypatch, fault):
    caplog.set_level(0)
    url = "http://127.0.0.1:1" if fault == "no connection" else echo.url
    echo.status = 403 if fault == "refused" else 200
    echo.answers.append(PAGE if fault == "page" else f"no file at /1.csv?token={TOKEN}".encode())
    if fault == "cut":
        monkeypatch.setattr("urllib3.response.HTTPResponse.tell", lambda self: 1)
    settings = Settings(url, TOKEN, download_token_in_url=True, max_attempts=1)
    with AltcraftClient(settings) as client, pytest.raises(AltcraftError) as caught:
        client.download("/api/download/1.csv", place.opened)
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in f"{caught.value!r} {vars(caught.value)} {shown} {caplog.text}"


def test_an_edition_that_wants_the_token_in_the_url_is_downloaded_from(altcraft_sandbox, place):
    altcraft_sandbox.behaviour.download_token_in_url = True
    settings = Settings(altcraft_sandbox.url, altcraft_sandbox.token, download_token_in_url=True, max_attempts=1)
    with AltcraftClient(settings) as client, pytest.raises(AltcraftRejected, match="404"):
        client.download("/api/download/1.csv", place.opened)
    (call,) = altcraft_sandbox.journal
    assert altcraft_sandbox.token not in repr(call)
