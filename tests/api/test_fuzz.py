"""Whatever is passed and whatever comes back, there is an answer or an error of this package."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.endpoints import ENDPOINTS, ResponseKind, endpoint
from airflow_provider_altcraft.api.pagination import Paginator
from airflow_provider_altcraft.api.reply import Reply, read_reply
from airflow_provider_altcraft.api.request import Request, frame_of, request_of
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError

TOKEN = "canary-token-1d5b"
SETTINGS = Settings("https://example.com", TOKEN)
QUICK = "integrations/any/profile_import"
ROWS = st.sampled_from(list(ENDPOINTS.values()))
HUGE = st.integers(-(10**30), 10**30)
SCALARS = (
    st.none()
    | st.booleans()
    | HUGE
    | st.floats()
    | st.text()
    | st.sampled_from(["0", "1", "true", "", " ", "9" * 5000, "\ud800", "²", "2026-01-31T09:00:00Z"])
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
ANYTHING = st.recursive(
    SCALARS
    | st.binary()
    | st.datetimes()
    | st.dates()
    | st.decimals()
    | st.uuids()
    | st.just(object())
    | st.complex_numbers()
    | st.sets(st.integers()),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        "error", "error_text", "error text", "error_debug", "data", "result", "profile_id", "task_id", "next_from_id",
        "total_count", "total", "extra",
    ]
)  # fmt: skip
STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 402, 403, 404, 409, 413, 429, 500, 502, 503]) | st.integers(
    100, 999
)
DATES = st.sampled_from(
    [
        "Sat, 21 Nov 2026 04:00:00 GMT",
        "Sat, 21 Nov 99999999999999999999 04:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "yesterday",
        "",
        "²",
        "9" * 400,
        "-1",
    ]
)
LATIN = st.text(st.characters(max_codepoint=255))
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry-After", "Duplicate-Request", "X-Duplicate-Request", "Content-Type"]), DATES | LATIN
)
SLOW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


def params_of(row):
    """Parameters of an endpoint, right and wrong, and some that it does not have."""
    names = [name for parameter in row.parameters for name in parameter.names] or ["id"]
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=5) | st.just("token"), ANYTHING, max_size=8)


def encoded(value):
    """JSON, or what only looks like it."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def reading(row, status, headers, body):
    """What reading an answer comes to; no error but this package's may come out."""
    request = Request(row, "https://example.com", {}, b"")
    try:
        reply = read_reply(request, http_status=status, headers=headers, body=body, settings=SETTINGS)
    except AltcraftError as error:
        return error
    assert 200 <= status < 300
    return reply


@SLOW
@given(st.data(), ROWS)
def test_no_parameters_break_the_writing_of_a_request(data, row):
    params = data.draw(params_of(row))
    with suppress(AltcraftConfigurationError):
        request = request_of(row, params, SETTINGS, data.draw(st.none() | st.text()))
        assert request.url.startswith("https://example.com/api/")
        assert request.url.count("/") == len(row.path.split("/")) + 1 or row.answer is ResponseKind.FILE
        assert TOKEN not in repr(request)


@SLOW
@given(ROWS, ANYTHING)
def test_parameters_may_be_anything(row, params):
    with suppress(AltcraftConfigurationError):
        request_of(row, params, SETTINGS)


@SLOW
@given(st.data(), st.sampled_from([row for row in ENDPOINTS.values() if row.items]))
def test_no_parameters_break_the_frame_of_a_batch(data, row):
    with suppress(AltcraftConfigurationError):
        frame = frame_of(row, data.draw(params_of(row)), SETTINGS)
        assert row.items in json.loads(frame.join([b"1"]))


@SLOW
@given(ROWS, STATUSES, HEADERS, st.dictionaries(FIELDS | st.text(), JSON) | JSON)
def test_no_json_breaks_the_reading_of_an_answer(row, status, headers, answer):
    reading(row, status, headers, encoded(answer))


@SLOW
@given(ROWS, STATUSES, HEADERS, st.binary())
def test_no_bytes_break_the_reading_of_an_answer(row, status, headers, body):
    reading(row, status, headers, body)


@pytest.mark.parametrize("row", [endpoint("databases/get"), endpoint(QUICK), endpoint("download/{file}")])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b"0",
        b'"ok"',
        b"[]",
        b"{}",
        b'{"error": null}',
        b'{"error": 0.5}',
        b'{"error": false}',
        b'{"error": 1e999}',
        b'{"error": "' + b"9" * 5000 + b'"}',
        b'{"error": {}}',
        b'{"error": 0, "data": "\xff"}',
        b"[" * 100_000,
        b'{"data":' * 100_000,
        b'{"error": 0',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_envelope_is_no_success(row, body):
    answer = reading(row, 200, {}, body)
    assert isinstance(answer, AltcraftError) == (row.answer is ResponseKind.ENVELOPE) or b"9999" in body


@pytest.mark.parametrize("depth", [10, 300, 600, 900])
@pytest.mark.parametrize("field", ["error_text", "error_debug", "data", "next_from_id", "task_id", "total_count"])
def test_no_depth_breaks_it(depth, field):
    nested = b"[" * depth + b"]" * depth
    for code in (b"0", b"400"):
        reading(endpoint("tasks/status"), 200, {}, b'{"error":' + code + b',"' + field.encode() + b'":' + nested + b"}")


def test_a_parameter_that_holds_itself_is_refused():
    circle = []
    circle.append(circle)
    with pytest.raises(AltcraftConfigurationError):
        request_of(endpoint("campaigns/get"), {"id": 1, "more": circle}, SETTINGS)


@SLOW
@given(
    st.sampled_from([row for row in ENDPOINTS.values() if row.paging]),
    st.lists(st.builds(Reply, st.just("x"), JSON, next_from_id=JSON, total_count=st.none() | HUGE), max_size=6),
    st.fixed_dictionaries({}, optional={"limit": JSON, "from_id": JSON}),
)
def test_no_pages_break_a_walk(row, replies, params):
    try:
        paginator = Paginator(row, params)
        for reply in replies:
            if paginator.over:
                break
            paginator.take(reply)
            assert paginator.pointer is None or isinstance(paginator.pointer, int | str)
    except AltcraftError:
        pass


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(ROWS, st.data(), st.sampled_from([200, 400, 500]), st.dictionaries(FIELDS, JSON) | JSON | st.binary())
def test_no_call_ends_in_anything_but_an_answer_or_an_error_of_ours(echo_server, row, data, status, answer):
    echo_server.reset()
    echo_server.status = status
    echo_server.answers.append(answer if isinstance(answer, bytes) else encoded(answer))
    with (
        AltcraftClient(Settings(echo_server.url, TOKEN, max_attempts=1)) as client,
        suppress(AltcraftError),
    ):
        client.call(row.name, data.draw(params_of(row)))


def test_values_of_python_become_json_or_an_error():
    for value in (Decimal("1.5"), date(2026, 1, 1), datetime(2026, 1, 1), b"x"):
        request_of(endpoint("campaigns/delete"), {"value": value}, SETTINGS)
    for value in (object(), 1j, {(1, 2): 3}, "\ud800"):
        with pytest.raises(AltcraftConfigurationError):
            request_of(endpoint("campaigns/delete"), {"value": value}, SETTINGS)
