"""How calls are written and answers are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.api import protocol
from airflow_provider_altcraft.api.endpoints import endpoint
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftConfigurationError,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftRequestTooLarge,
    AltcraftTransportError,
)
from tests.seeds import pages

TOKEN = "canary-token-5f2c1e"
SETTINGS = Settings("https://example.com", TOKEN)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def read(name, body, status=200, headers=None):
    request = protocol.request(endpoint(name), b"{}", SETTINGS)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return protocol.read(request, http_status=status, headers=headers or {}, body=raw, settings=SETTINGS)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("scampaigns/completed", pages.COMPLETE),
        ("scampaigns/list", pages.LIST_PAGE),
        ("campaigns/regulars/add", pages.CREATE_REGULAR),
        ("tasks/status", pages.TASK_STATUS),
    ],
)
def test_the_requests_of_the_seed_pages_are_what_is_sent(name, page):
    body = protocol.body_of(endpoint(name), page["request"], SETTINGS)
    assert json.loads(body) == {**page["request"], "token": TOKEN}
    assert protocol.request(endpoint(name), body, SETTINGS).url == f"https://example.com/api/v1.1/{name}"


def test_a_batch_is_the_request_of_the_seed_page():
    request = pages.SCENARIO_BATCH["request"]
    row = endpoint("workflows/import_and_start_batch_task")
    frame = protocol.frame_of(row, {"workflow_id": 12, "matching": "email"}, SETTINGS)
    body = frame.join([json.dumps(item).encode() for item in request["data"]])
    assert json.loads(body) == {**request, "token": TOKEN}


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


def test_what_altcraft_said_is_quoted_without_the_token_or_personal_data():
    said = f"profile ivan@example.com +7 903 123-45-67 is unknown to {TOKEN}"
    with pytest.raises(AltcraftRejected) as caught:
        read("profiles/import", {"error": 400, "error_text": said})
    for secret in (TOKEN, "ivan", "123-45-67"):
        assert secret not in str(caught.value)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("said", ["[" * 1_000_000, "1" * 1_000_000, "a@" * 500_000, "ann " * 250_000])
def test_what_altcraft_said_is_quoted_in_no_time_however_long_it_is(said):
    assert len(protocol.quotable(said, SETTINGS)) <= 201


def test_a_word_that_is_cut_is_not_quoted_by_its_beginning():
    said = f"{'a' * 86}@example.com " * 20 + "ivan.petrov.of.moscow@example.com"
    assert said[:2000].endswith("ivan.petrov.of.mosco")
    assert protocol.quotable(said, SETTINGS) == " ".join(["***"] * 20)


def test_the_token_goes_where_the_connection_says():
    header = Settings("https://example.com", TOKEN, auth="header")
    request = protocol.request(
        endpoint("scampaigns/list"), protocol.body_of(endpoint("scampaigns/list"), {}, header), header
    )
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN.encode() not in request.body
    assert TOKEN not in repr(request)


def test_a_body_over_the_limit_is_refused_before_the_call():
    small = Settings("https://example.com", TOKEN, max_body_bytes=1000)
    with pytest.raises(AltcraftConfigurationError, match="1,000"):
        protocol.body_of(endpoint("profiles/import"), {"data": {"x": "y" * 1000}}, small)


@given(st.dictionaries(st.text().filter(lambda name: name != "token"), JSON))
def test_the_same_parameters_are_the_same_bytes_in_any_order(params):
    turned = dict(reversed(params.items()))
    row = endpoint("campaigns/broadcasts/start")
    body = protocol.body_of(row, params, SETTINGS)
    assert body == protocol.body_of(row, turned, SETTINGS)
    kept = {name: value for name, value in params.items() if value is not None}
    assert json.loads(body) == {**kept, "token": TOKEN}


def test_headers_depend_on_nothing_but_the_arguments():
    row = endpoint("campaigns/broadcasts/start")
    assert protocol.request(row, b"{}", SETTINGS, "id-1") == protocol.request(row, b"{}", SETTINGS, "id-1")


ROWS = [
    {"email": "a@example.com", "_fname": "Canary", "city": "Springfield", "balance": 1234, "tags": ["gold member"]},
    {"email": "b@example.com", "_fname": "Имя", "notes": {"said": "call Fitzgerald"}, "active": True},
]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("bad value 'Canary' in field _fname of row 2", "bad value '***' in field _fname of row 2"),
        ("springfield is no city", "*** is no city"),
        ("balance 1234 is no date", "balance *** is no date"),
        ("GOLD MEMBER, Fitzgerald and ИМЯ", "*** ***, *** and ***"),
        ("the field active is true", "the field active is true"),
    ],
)
def test_what_is_said_of_a_batch_quotes_no_row(status, said, shown):
    row = endpoint("profiles/import_batch")
    frame = protocol.frame_of(row, {"db_id": 1, "matching": "email"}, SETTINGS)
    request = protocol.request(row, frame.join([protocol.encode(item) for item in ROWS]), SETTINGS)
    body = json.dumps({"error": 400, "error_text": said, "error_debug": said}).encode()
    with pytest.raises(AltcraftRejected) as caught:
        protocol.read(request, http_status=status, headers={}, body=body, settings=SETTINGS)
    assert (caught.value.text, caught.value.debug) == (shown, shown)


def test_nor_does_a_page_that_came_instead_of_an_answer():
    row = endpoint("profiles/import_batch")
    frame = protocol.frame_of(row, {"db_id": 1, "matching": "email"}, SETTINGS)
    request = protocol.request(row, frame.join([protocol.encode(item) for item in ROWS]), SETTINGS)
    with pytest.raises(AltcraftTransportError, match=r"cannot parse \*\*\*") as caught:
        protocol.read(request, http_status=502, headers={}, body=b"cannot parse Springfield", settings=SETTINGS)
    assert "Springfield" not in str(caught.value)


def test_of_rows_that_are_too_deep_to_be_searched_nothing_is_said():
    row = endpoint("profiles/import_batch")
    body = b'{"data": [' + b'{"a": ' * 900 + b'"Canary"' + b"}" * 900 + b"]}"
    request = protocol.request(row, body, SETTINGS)
    assert "Canary" not in protocol.quotable("no Canary", SETTINGS, request)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3), st.text())
def test_whatever_is_said_of_whatever_rows_can_be_quoted(rows, said):
    row = endpoint("profiles/import_batch")
    frame = protocol.frame_of(row, {"db_id": 1, "matching": "email"}, SETTINGS)
    request = protocol.request(row, frame.join([protocol.encode(item) for item in rows]), SETTINGS)
    assert len(protocol.quotable(said, SETTINGS, request)) <= 3 * 201
