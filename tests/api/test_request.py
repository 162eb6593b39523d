"""How calls are written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.endpoints import endpoint
from airflow_provider_altcraft.api.request import body_of, frame_of, request_with_body
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from tests.seeds import pages

TOKEN = "canary-token-5f2c1e"
SETTINGS = Settings("https://example.com", TOKEN)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


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
    body = body_of(endpoint(name), page["request"], SETTINGS)
    assert json.loads(body) == {**page["request"], "token": TOKEN}
    assert request_with_body(endpoint(name), body, SETTINGS).url == f"https://example.com/api/v1.1/{name}"


def test_a_batch_is_the_request_of_the_seed_page():
    request = pages.SCENARIO_BATCH["request"]
    row = endpoint("workflows/import_and_start_batch_task")
    frame = frame_of(row, {"workflow_id": 12, "matching": "email"}, SETTINGS)
    body = frame.join([json.dumps(item).encode() for item in request["data"]])
    assert json.loads(body) == {**request, "token": TOKEN}


def test_the_token_goes_where_the_connection_says():
    header = Settings("https://example.com", TOKEN, auth="header")
    request = request_with_body(endpoint("scampaigns/list"), body_of(endpoint("scampaigns/list"), {}, header), header)
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN.encode() not in request.body
    assert TOKEN not in repr(request)


def test_a_body_over_the_limit_is_refused_before_the_call():
    small = Settings("https://example.com", TOKEN, max_body_bytes=1000)
    with pytest.raises(AltcraftConfigurationError, match="1,000"):
        body_of(endpoint("profiles/import"), {"data": {"x": "y" * 1000}}, small)


@given(st.dictionaries(st.text().filter(lambda name: name != "token"), JSON))
def test_the_same_parameters_are_the_same_bytes_in_any_order(params):
    turned = dict(reversed(params.items()))
    row = endpoint("campaigns/broadcasts/start")
    body = body_of(row, params, SETTINGS)
    assert body == body_of(row, turned, SETTINGS)
    kept = {name: value for name, value in params.items() if value is not None}
    assert json.loads(body) == {**kept, "token": TOKEN}


def test_headers_depend_on_nothing_but_the_arguments():
    row = endpoint("campaigns/broadcasts/start")
    assert request_with_body(row, b"{}", SETTINGS, "id-1") == request_with_body(row, b"{}", SETTINGS, "id-1")
