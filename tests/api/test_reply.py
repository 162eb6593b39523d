"""How answers are read."""

from __future__ import annotations

import json

import pytest

from airflow_provider_altcraft.api.endpoints import endpoint
from airflow_provider_altcraft.api.reply import read_reply
from airflow_provider_altcraft.api.request import request_with_body
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftRequestTooLarge,
    AltcraftTransportError,
)
from tests.seeds import pages

SETTINGS = Settings("https://example.com", "canary-token-5f2c1e")


def read(name, body, status=200, headers=None):
    request = request_with_body(endpoint(name), b"{}", SETTINGS)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_reply(request, http_status=status, headers=headers or {}, body=raw, settings=SETTINGS)


def test_the_answers_of_the_seed_pages_are_understood():
    assert read("scampaigns/completed", pages.COMPLETE["response"]).data is None
    assert read("campaigns/regulars/add", pages.CREATE_REGULAR["response"]).data == {"saved_id": 92}
    assert read("tasks/status", pages.TASK_STATUS["response"]).data["status"] == "completed"
    started = read("workflows/import_and_start_batch_task", pages.SCENARIO_BATCH["response"])
    assert started.task_id == "30421978-7f6d-4f39-913f-fb6cad8e2477"


def test_success_with_an_empty_error_text_and_no_next_page_is_a_success():
    reply = read("scampaigns/list", pages.LIST_PAGE["response"])
    assert [item["id"] for item in reply.data] == [42]
    assert reply.next_from_id is None


def test_the_too_large_answer_of_the_seed_page_has_a_name_of_its_own():
    with pytest.raises(AltcraftRequestTooLarge) as caught:
        read("workflows/import_and_start_batch_task", pages.SCENARIO_BATCH["too_large"])
    assert (caught.value.code, caught.value.text, caught.value.debug) == (
        400,
        "Invalid request",
        "http: request body too large",
    )


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_error_in_the_body_is_a_refusal_whatever_the_status(status):
    with pytest.raises(AltcraftRejected):
        read("scampaigns/get", {"error": 440, "error_text": "No"}, status)


def test_a_status_that_is_not_2xx_is_no_success_even_without_an_error():
    with pytest.raises(AltcraftRejected):
        read("scampaigns/get", {"error": 0, "data": {}}, 500)


@pytest.mark.parametrize(("status", "code"), [(401, 401), (200, 401), (200, 403), (403, 0)])
def test_401_and_403_end_at_once(status, code):
    with pytest.raises(AltcraftAuthenticationError) as caught:
        read("scampaigns/get", {"error": code, "error_text": "No access"}, status)
    assert not caught.value.is_transient


def test_a_429_says_how_long_to_wait():
    with pytest.raises(AltcraftRateLimited) as caught:
        read("scampaigns/get", b"slow down", 429, {"Retry-After": "30"})
    assert caught.value.retry_after == 30


def test_a_retry_after_date_is_read_by_the_servers_clock():
    headers = {"Date": "Sat, 21 Nov 2026 04:00:00 GMT", "Retry-After": "Sat, 21 Nov 2026 04:00:45 GMT"}
    with pytest.raises(AltcraftRateLimited) as caught:
        read("scampaigns/get", b"", 429, headers)
    assert caught.value.retry_after == 45


def test_a_page_instead_of_json_is_quoted_by_its_first_line_only():
    with pytest.raises(AltcraftTransportError) as caught:
        read("tasks/status", b"<html><title>Maintenance</title>\n<p>secret details</p>", 200)
    assert "Maintenance" in str(caught.value)
    assert "secret details" not in str(caught.value)


@pytest.mark.parametrize("body", [{"error": 0, "task_id": "t1"}, {"error": 0, "data": {"task_id": "t1"}}])
def test_the_task_id_is_found_in_either_place(body):
    assert read("workflows/import_and_start_batch_task", body).task_id == "t1"


@pytest.mark.parametrize(
    ("name", "body", "data"),
    [
        ("profiles/import", {"error": 0, "profile_id": "p1"}, "p1"),
        ("profiles/import_batch", {"error": 0, "result": [{"error": 0}]}, [{"error": 0}]),
        ("profiles/import_batch", {"error": "0", "data": [1]}, [1]),
        ("campaigns/get", {"error": 0, "error_text": "", "id": 7}, {"id": 7}),
    ],
)
def test_the_payload_is_found_wherever_it_is(name, body, data):
    assert read(name, body).data == data


@pytest.mark.parametrize("header", ["Duplicate-Request", "duplicate-request", "X-Duplicate-Request"])
def test_a_replay_is_recognised_by_either_header(header):
    assert read("scampaigns/completed", {"error": 0, "data": None}, headers={header: "true"}).replayed
