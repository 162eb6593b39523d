"""Downloads that are streamed: from the own host alone, complete, and anew after each break."""

from __future__ import annotations

import io
from contextlib import contextmanager

import pytest

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
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


def test_a_refusal_is_no_file(client, echo, place):
    echo.answers.append({"error": 404, "error_text": "No such file"})
    with pytest.raises(AltcraftRejected, match="404"):
        client.download("1.csv", place.opened)
    assert not place.attempts


def test_a_body_that_is_shorter_than_announced_is_no_file(client, echo, place, monkeypatch):
    echo.answers += [b"x" * 50_000] * 3
    # As urllib3 did before 2.0: it ended without a word.
    monkeypatch.setattr("urllib3.response.HTTPResponse.tell", lambda self: 10)
    with pytest.raises(AltcraftTransportError, match="the connection broke"):
        client.download("1.csv", place.opened)
    assert len(place.attempts) == 3


def test_being_told_to_stop_is_not_tried_again(client, echo):
    attempts = []

    def opened():
        attempts.append(1)
        raise AltcraftKilled("told to stop")

    echo.answers += [b"x"] * 3
    with pytest.raises(AltcraftKilled):
        client.download("1.csv", opened)
    assert len(attempts) == 1
