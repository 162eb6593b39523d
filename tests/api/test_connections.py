"""Slow requests and slow answers: what may take its time, what ends in time, and what is given up at once."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from contextlib import contextmanager

import pytest

from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftKilled, AltcraftTimeout

STATUS = "scampaigns/get_status"
LONG = {"error": 0, "data": {"status": "inactive", "name": "x" * 500}}


def settings(echo, **changes):
    return Settings(echo.url, "secret", **{"read_timeout": 0.2, "connect_timeout": 0.2, "max_attempts": 1, **changes})


@pytest.fixture
def client(echo):
    with AltcraftClient(settings(echo), sleep=lambda seconds: None) as client:
        yield client


@pytest.fixture(params=[True, False], ids=["from its head on", "in its body"])
def dribbling(echo, request):
    echo.answers += [LONG] * 3
    echo.dribble, echo.dribbles_head = 0.02, request.param
    return echo


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(dribbling, client):
    began = time.monotonic()
    with pytest.raises(AltcraftTimeout, match=r"within 0\.2 s") as caught:
        client.call(STATUS, {"id": 18})
    assert time.monotonic() - began < 4
    assert caught.value.in_doubt


def test_nor_is_it_through_a_proxy(dribbling, monkeypatch):
    monkeypatch.setenv("http_proxy", dribbling.url)
    began = time.monotonic()
    with (
        AltcraftClient(Settings("http://altcraft.test", "secret", read_timeout=0.2, max_attempts=1)) as client,
        pytest.raises(AltcraftTimeout, match=r"altcraft\.test did not answer"),
    ):
        client.call(STATUS, {"id": 18})
    assert time.monotonic() - began < 4
    assert dribbling.last.target.startswith("http://altcraft.test/")


def test_it_is_asked_for_again_like_any_that_did_not_come(dribbling, echo):
    def at_last(seconds):
        if len(echo.arrived) == 2:
            echo.dribble = 0

    with AltcraftClient(settings(echo, read_timeout=0.5, max_attempts=3), sleep=at_last) as client:
        assert client.call(STATUS, {"id": 18}).data == LONG["data"]
    assert len(echo.arrived) == 3


def test_nor_is_it_in_the_triggerer(dribbling):
    async def ask():
        async with AsyncAltcraftClient(settings(dribbling)) as client:
            await client.call(STATUS, {"id": 18})

    began = time.monotonic()
    with pytest.raises(AltcraftTimeout):
        asyncio.run(ask())
    assert time.monotonic() - began < 4


def test_a_slow_answer_that_comes_in_time_is_taken_and_its_connection_is_good_for_others(echo):
    with AltcraftClient(settings(echo, read_timeout=5)) as client:
        echo.dribble = 0.005
        for number in range(3):
            echo.answers.append({"error": 0, "data": number})
            assert client.call(STATUS, {"id": 18}).data == number
            (pool,) = client._session().adapters["http://"].poolmanager.pools._container.values()
            assert pool.num_connections == 1


def test_a_download_may_take_its_time_as_long_as_bytes_come(echo):
    echo.answers.append(b"x" * 30)
    echo.dribble = 0.03
    began = time.monotonic()
    with AltcraftClient(settings(echo, read_timeout=0.5)) as client:
        assert client.download("1.csv", io.BytesIO) == 30
    assert time.monotonic() - began > 0.5


def test_a_download_that_falls_silent_is_not_waited_for(echo, client):
    echo.answers.append(b"x" * 3)
    echo.dribble = 1
    with pytest.raises(AltcraftTimeout):
        client.download("1.csv", io.BytesIO)


def test_a_large_upload_over_a_slow_line_takes_longer_than_connect_timeout(echo):
    echo.reading = 0.02
    content = "A" * 9_000_000
    began = time.monotonic()
    with AltcraftClient(settings(echo, connect_timeout=0.3, read_timeout=1)) as client:
        client.call("file_upload", {"header": "price.pdf", "data": content})
    assert time.monotonic() - began > 1
    assert echo.last.json["data"] == content
    assert echo.last.headers["Content-Length"] == str(len(echo.last.body))
    assert "Transfer-Encoding" not in echo.last.headers


def test_a_request_of_which_nothing_is_taken_ends_after_read_timeout(echo):
    echo.reading = 3
    began = time.monotonic()
    with AltcraftClient(settings(echo)) as client, pytest.raises(AltcraftTimeout, match="accepted no data") as caught:
        client.call("file_upload", {"header": "price.pdf", "data": "A" * 9_000_000})
    assert time.monotonic() - began < 2.5
    assert caught.value.in_doubt


@contextmanager
def aborted_after(client, seconds):
    """The client is told to give up, from another thread; how long that took in all must be little."""
    timer = threading.Timer(seconds, client.abort)
    began = time.monotonic()
    timer.start()
    try:
        yield
    finally:
        timer.join()
    assert time.monotonic() - began < seconds + 1


@pytest.mark.parametrize("what", ["head", "body", "request"])
def test_a_call_in_flight_is_given_up_at_once_and_not_repeated(echo, what):
    echo.answers += [LONG] * 3
    echo.dribble, echo.dribbles_head = (1, what == "head") if what != "request" else (0, False)
    echo.reading = 5 if what == "request" else 0
    with AltcraftClient(settings(echo, read_timeout=30, max_attempts=3)) as client:
        with aborted_after(client, 0.3), pytest.raises(AltcraftKilled):
            client.call("file_upload", {"header": "price.pdf", "data": "A" * 9_000_000})
        with pytest.raises(AltcraftKilled):
            client.call(STATUS, {"id": 18})
    assert len(echo.arrived) == (0 if what == "request" else 1)


def test_a_call_between_two_attempts_is_given_up_at_once(echo):
    echo.status, echo.headers["Retry-After"] = 503, "60"
    with (
        AltcraftClient(settings(echo, max_attempts=3)) as client,
        aborted_after(client, 0.3),
        pytest.raises(AltcraftKilled),
    ):
        client.call(STATUS, {"id": 18})
    assert len(echo.arrived) == 1


def test_a_download_is_given_up_at_once(echo):
    echo.answers.append(b"x" * 30)
    echo.dribble = 1
    with (
        AltcraftClient(settings(echo, read_timeout=30)) as client,
        aborted_after(client, 0.3),
        pytest.raises(AltcraftKilled),
    ):
        client.download("1.csv", io.BytesIO)
