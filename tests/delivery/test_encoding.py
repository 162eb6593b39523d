"""Profiles become JSON, each type with its one treatment, by either way of writing them."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder, RowEncoder
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Sex(StrEnum):
    FEMALE = "female"


def encoded(value, **settings):
    profile = ProfileEncoder(**{"timezone": ZoneInfo("Europe/Moscow"), **settings}).encode({"field": value})
    return json.loads(profile).get("field", "left out")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Анна", "Анна"),
        ("\ud800", "?"),
        (Sex.FEMALE, "female"),
        (True, True),
        (2**60, 2**60),
        (1.5, 1.5),
        (Decimal("1.10"), "1.10"),
        (Decimal("0E-8"), "0.00000000"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E+300000"), "1E+300000"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05+03:00"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=5))), "2026-01-02T00:00:00+05:00"),
        (time(3, 4), "03:04:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\x01", "AAE="),
        (memoryview(b"\x00\x01"), "AAE="),
        ({"a": [Decimal("1.0"), None]}, {"a": ["1.0", None]}),
        (None, "left out"),
        (float("nan"), "left out"),
        (Decimal("NaN"), "left out"),
    ],
)
def test_every_type_has_one_treatment(value, sent):
    assert encoded(value) == sent


def test_nulls_are_sent_where_they_are_meant_to_clear():
    assert encoded(None, nulls="send") is None
    assert encoded(float("inf"), nulls="send") is None


def test_text_is_utf8_and_not_escaped():
    assert "Анна".encode() in ProfileEncoder(timezone=UTC).encode({"_fname": "Анна"})


def test_a_type_without_a_treatment_is_refused_with_the_field():
    with pytest.raises(AltcraftConfigurationError, match=r"'field'.*timedelta"):
        encoded(timedelta(1))


@given(
    st.lists(
        st.decimals()
        | st.builds(
            Decimal,
            st.from_regex(
                r"-?[0-9]{1,30}(\.[0-9]{1,9})?[E][+-]?[0-9]{1,2}", fullmatch=True, alphabet=st.characters(codec="ascii")
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_decimal_is_written_out_and_says_the_same_number(numbers):
    encoder = ProfileEncoder(timezone=UTC)
    written = [json.loads(record) for record in RowEncoder(["n"], [0], [], encoder).encode([(one,) for one in numbers])]
    assert written == [json.loads(encoder.encode({"n": number})) for number in numbers]
    for number, row in zip(numbers, written, strict=True):
        assert ("n" in row) == number.is_finite()
        if row:
            assert re.fullmatch(r"-?\d+(\.\d+)?", row["n"])
            assert Decimal(row["n"]) == number


KINDS = [
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(st.characters()),
    st.just("\ud800"),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.times(),
    st.uuids(),
    st.binary(),
    st.just(Sex.FEMALE),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none() | st.floats(), max_size=2),
]
ANYTHING = st.one_of(KINDS)


COLUMNS = st.lists(st.sampled_from(KINDS), min_size=3, max_size=3).flatmap(
    lambda kinds: st.lists(st.tuples(*kinds), min_size=1, max_size=4)
)
"""Rows as databases have them: each column of one type."""


@given(
    rows=st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), max_size=4) | COLUMNS,
    constant=ANYTHING,
    nulls=st.sampled_from(["omit", "send", {"b": "send"}, {"d": "send"}]),
    zone=st.sampled_from(["UTC", "Europe/Moscow"]),
)
@settings(max_examples=300, deadline=None)
def test_rows_are_written_exactly_as_their_profiles_are(rows, constant, nulls, zone):
    encoder = ProfileEncoder(nulls=nulls, timezone=ZoneInfo(zone))
    fast = RowEncoder(["a", "b", "c", "d"], [2, 0, 1], [constant], encoder)
    profiles = [{"a": row[2], "b": row[0], "c": row[1], "d": constant} for row in rows]
    written = fast.encode(rows)
    assert [*written] == [encoder.encode(profile) for profile in profiles]
    nests = any(isinstance(value, dict | list) for record in written for value in json.loads(record).values())
    assert not (written.is_flat and nests)


def test_rows_of_plain_values_are_known_to_be_flat_and_stay_so():
    encoder = ProfileEncoder(timezone=UTC)
    plain = RowEncoder(["a", "b"], [0], ["x"], encoder).encode([(1,), (None,), (Decimal(3),)])
    nested = RowEncoder(["a", "b"], [0], [{"n": 1}], encoder).encode([(1,)])
    assert (plain.is_flat, plain[1:].is_flat, (plain + plain).is_flat) == (True, True, True)
    assert (nested.is_flat, (plain + nested).is_flat, (nested + plain)[1:].is_flat) == (False, False, False)


def test_a_row_of_one_column_is_written_too():
    assert [*RowEncoder(["email"], [0], [], ProfileEncoder(timezone=UTC)).encode([("a@b.c",)])] == [
        b'{"email":"a@b.c"}'
    ]


def test_constants_alone_are_written_for_each_row():
    assert [*RowEncoder(["a"], [], [1], ProfileEncoder(timezone=UTC)).encode([(), ()])] == [b'{"a":1}'] * 2


def test_a_line_break_in_a_text_is_no_end_of_a_row():
    encoder = RowEncoder(["a\nb"], [0], [], ProfileEncoder(timezone=UTC))
    assert [json.loads(record) for record in encoder.encode([("x\ny",), ("z",)])] == [{"a\nb": "x\ny"}, {"a\nb": "z"}]


def test_fields_may_have_any_name():
    encoder = RowEncoder(["class", "имя", "a b"], [0, 1, 2], [], ProfileEncoder(timezone=UTC))
    assert json.loads(encoder.encode([(1, 2, 3)])[0]) == {"class": 1, "имя": 2, "a b": 3}


def test_a_row_of_a_type_without_a_treatment_is_refused_with_the_field():
    encoder = RowEncoder(["a", "b"], [0, 1], [], ProfileEncoder(timezone=UTC))
    with pytest.raises(AltcraftConfigurationError, match=r"'b'.*timedelta"):
        encoder.encode([(1, timedelta(1))])
