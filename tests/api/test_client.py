"""The client against the sandbox, and against its faults."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftConfigurationError,
    AltcraftRejected,
    AltcraftTimeout,
    AltcraftTransportError,
)
from airflow_provider_altcraft.sandbox import Fault

START = "campaigns/broadcasts/start"


def settings(sandbox, **changes):
    return Settings(sandbox.url, sandbox.token, **changes)


@pytest.fixture
def client(altcraft_sandbox):
    with AltcraftClient(settings(altcraft_sandbox)) as client:
        yield client


@pytest.mark.parametrize("auth", ["body", "header"])
def test_both_ways_to_carry_the_token_work(altcraft_sandbox, auth):
    with AltcraftClient(settings(altcraft_sandbox, auth=auth)) as client:
        assert client.call("scampaigns/get_status", {"id": 18}).data == {"status": "inactive"}


@pytest.mark.parametrize("next_from_id", [True, False])
def test_a_list_is_walked_with_and_without_a_pointer(altcraft_sandbox, client, next_from_id):
    altcraft_sandbox.behaviour.next_from_id = next_from_id
    found = [campaign["id"] for campaign in client.iterate("scampaigns/list", {"limit": 1})]
    assert found == [18, 42]


def test_a_write_is_not_walked(client):
    with pytest.raises(AltcraftConfigurationError):
        list(client.iterate(START))


def test_a_read_survives_a_gateway_that_fails_twice(altcraft_sandbox, client):
    altcraft_sandbox.faults.add(Fault("status", "scampaigns/get_status", times=2))
    assert client.call("scampaigns/get_status", {"id": 18}).data
    assert len(altcraft_sandbox.journal) == 3


def test_a_write_without_a_request_id_is_sent_once(altcraft_sandbox, client):
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    with pytest.raises(AltcraftTransportError) as caught:
        client.call(START, {"id": 7})
    assert caught.value.sent
    assert altcraft_sandbox.deliveries.total_launches == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "cut_body", "status", "html", "rate_limited"])
def test_a_write_under_a_request_id_happens_once_whatever_fails(altcraft_sandbox, client, kind):
    altcraft_sandbox.faults.add(Fault(kind, START, times=1, seconds=0))
    reply = client.call(START, {"id": 7}, request_id="launch-1")
    assert altcraft_sandbox.deliveries.total_launches == 1
    assert reply.replayed == (kind in {"drop_after", "cut_body"})


def test_a_write_is_not_repeated_where_nobody_remembers(altcraft_sandbox):
    altcraft_sandbox.behaviour.deduplication = "off"
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    with (
        AltcraftClient(settings(altcraft_sandbox, deduplication_window=0)) as client,
        pytest.raises(AltcraftTransportError),
    ):
        client.call(START, {"id": 7}, request_id="launch-1")
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_repeats_are_the_same_bytes_for_an_installation_that_compares_checksums(altcraft_sandbox, client):
    altcraft_sandbox.behaviour.deduplication = "checksum"
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    assert client.call(START, {"id": 7}, request_id="launch-1").replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_a_refusal_is_not_asked_twice(altcraft_sandbox, client):
    with pytest.raises(AltcraftRejected, match="404"):
        client.call("scampaigns/get_status", {"id": 99})
    assert len(altcraft_sandbox.journal) == 1


def test_a_wrong_token_ends_at_once(altcraft_sandbox):
    with (
        AltcraftClient(Settings(altcraft_sandbox.url, "wrong-token")) as client,
        pytest.raises(AltcraftAuthenticationError),
    ):
        client.call("scampaigns/list")
    assert len(altcraft_sandbox.journal) == 1


def test_nobody_there_means_nothing_was_sent():
    with (
        AltcraftClient(Settings("http://127.0.0.1:1", "token", max_attempts=1)) as client,
        pytest.raises(AltcraftTransportError) as caught,
    ):
        client.call(START, {"id": 7})
    assert not caught.value.sent


def test_an_answer_that_takes_too_long_is_a_timeout(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("delay", seconds=3))
    with (
        AltcraftClient(settings(altcraft_sandbox, read_timeout=0.1, max_attempts=1)) as client,
        pytest.raises(AltcraftTimeout),
    ):
        client.call("scampaigns/list")


def test_a_long_retry_after_is_obeyed_by_giving_up(altcraft_sandbox, client):
    altcraft_sandbox.faults.add(Fault("rate_limited", seconds=3600))
    with pytest.raises(AltcraftRejected) as caught:
        client.call("scampaigns/list")
    assert caught.value.retry_after == 3600
    assert len(altcraft_sandbox.journal) == 1


def test_a_long_retry_after_does_not_hold_the_next_call_for_a_day(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("rate_limited", "scampaigns/list", seconds=86_400))
    slept = []
    with AltcraftClient(settings(altcraft_sandbox), sleep=slept.append) as client:
        with pytest.raises(AltcraftRejected):
            client.call("scampaigns/list")
        client.call("scampaigns/get_status", {"id": 18})
    assert sum(slept) == pytest.approx(300, abs=1)


def test_the_asynchronous_client_reads_the_same(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("cut_body", times=1))

    async def ask():
        async with AsyncAltcraftClient(settings(altcraft_sandbox)) as client:
            return await client.call("scampaigns/get_status", {"id": 18})

    assert asyncio.run(ask()).data == {"status": "inactive"}


def test_the_asynchronous_client_launches_nothing(altcraft_sandbox):
    async def launch():
        async with AsyncAltcraftClient(settings(altcraft_sandbox)) as client:
            await client.call(START, {"id": 7})

    with pytest.raises(AltcraftConfigurationError):
        asyncio.run(launch())
    assert len(altcraft_sandbox.journal) == 0
