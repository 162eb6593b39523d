"""What may be quoted of an answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.api.endpoints import endpoint
from airflow_provider_altcraft.api.redaction import quotable
from airflow_provider_altcraft.api.reply import read_reply
from airflow_provider_altcraft.api.request import encode, frame_of, request_with_body
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftRejected, AltcraftTransportError

TOKEN = "canary-token-5f2c1e"
SETTINGS = Settings("https://example.com", TOKEN)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ROWS = [
    {"email": "a@example.com", "_fname": "Canary", "city": "Springfield", "balance": 1234, "tags": ["gold member"]},
    {"email": "b@example.com", "_fname": "Имя", "notes": {"said": "call Fitzgerald"}, "active": True},
]


def test_what_altcraft_said_is_quoted_without_the_token_or_personal_data():
    said = f"profile ivan@example.com +7 903 123-45-67 is unknown to {TOKEN}"
    request = request_with_body(endpoint("profiles/import"), b"{}", SETTINGS)
    body = json.dumps({"error": 400, "error_text": said}).encode()
    with pytest.raises(AltcraftRejected) as caught:
        read_reply(request, http_status=200, headers={}, body=body, settings=SETTINGS)
    for secret in (TOKEN, "ivan", "123-45-67"):
        assert secret not in str(caught.value)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("said", ["[" * 1_000_000, "1" * 1_000_000, "a@" * 500_000, "ann " * 250_000])
def test_what_altcraft_said_is_quoted_in_no_time_however_long_it_is(said):
    assert len(quotable(said, SETTINGS)) <= 201


def test_a_word_that_is_cut_is_not_quoted_by_its_beginning():
    said = f"{'a' * 86}@example.com " * 20 + "ivan.petrov.of.moscow@example.com"
    assert said[:2000].endswith("ivan.petrov.of.mosco")
    assert quotable(said, SETTINGS) == " ".join(["***"] * 20)


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
    frame = frame_of(row, {"db_id": 1, "matching": "email"}, SETTINGS)
    request = request_with_body(row, frame.join([encode(item) for item in ROWS]), SETTINGS)
    body = json.dumps({"error": 400, "error_text": said, "error_debug": said}).encode()
    with pytest.raises(AltcraftRejected) as caught:
        read_reply(request, http_status=status, headers={}, body=body, settings=SETTINGS)
    assert (caught.value.text, caught.value.debug) == (shown, shown)


def test_nor_does_a_page_that_came_instead_of_an_answer():
    row = endpoint("profiles/import_batch")
    frame = frame_of(row, {"db_id": 1, "matching": "email"}, SETTINGS)
    request = request_with_body(row, frame.join([encode(item) for item in ROWS]), SETTINGS)
    with pytest.raises(AltcraftTransportError, match=r"cannot parse \*\*\*") as caught:
        read_reply(request, http_status=502, headers={}, body=b"cannot parse Springfield", settings=SETTINGS)
    assert "Springfield" not in str(caught.value)


def test_of_rows_that_are_too_deep_to_be_searched_nothing_is_said():
    row = endpoint("profiles/import_batch")
    body = b'{"data": [' + b'{"a": ' * 900 + b'"Canary"' + b"}" * 900 + b"]}"
    request = request_with_body(row, body, SETTINGS)
    assert "Canary" not in quotable("no Canary", SETTINGS, request)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3), st.text())
def test_whatever_is_said_of_whatever_rows_can_be_quoted(rows, said):
    row = endpoint("profiles/import_batch")
    frame = frame_of(row, {"db_id": 1, "matching": "email"}, SETTINGS)
    request = request_with_body(row, frame.join([encode(item) for item in rows]), SETTINGS)
    assert len(quotable(said, SETTINGS, request)) <= 3 * 201
