"""What sending would take, shown without anybody's data."""

from __future__ import annotations

import json
from datetime import UTC, date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.preview import Preview, masked
from airflow_provider_altcraft.delivery.source import from_profiles
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from tests.delivery.altcraft import Altcraft, delivery

PROFILES = [
    {
        "email": f"anna{n}@example.com",
        "_bdate": date(1990, 1, 2),
        "balance": Decimal("1.5"),
        "_city": None if n else "Омск",
    }
    for n in range(20)
]


def preview(profiles=PROFILES, size=100, **arguments):
    altcraft = Altcraft()
    shown = Preview.of(
        delivery(altcraft, **arguments), from_profiles(profiles, ProfileEncoder(timezone=UTC)), size=size
    )
    assert not altcraft.bodies
    return shown


def test_a_source_that_ends_within_the_sample_is_forecast_exactly():
    sending = Altcraft()
    delivery(sending).run(from_profiles(PROFILES, ProfileEncoder(timezone=UTC)))
    shown = preview()
    assert shown.is_all
    assert shown.summary(len(shown), 3) == {
        "sample": 20,
        "rows": 20,
        "requests": len(sending.bodies),
        "bytes": sum(map(len, sending.bodies)),
        "skipped": 0,
        "without_key": 0,
        "too_large": 0,
    }


def test_a_longer_source_is_forecast_from_the_sample_and_the_count():
    shown = preview(PROFILES * 10, size=20, batch_size=50)
    assert not shown.is_all
    assert shown.summary(200, 50)["requests"] == 4
    assert shown.summary(None, 50)["requests"] == 2_000


def test_a_body_limit_makes_more_requests():
    assert preview(PROFILES * 10, size=20, limit=300, batch_size=50).summary(200, 50)["requests"] > 40


def test_rows_that_would_not_be_sent_are_counted():
    shown = preview([*PROFILES, None, {"_city": "Омск"}, {"email": "x" * 10**6}])
    assert (shown.forecast.skipped, shown.forecast.keyless, shown.forecast.oversized) == (1, 1, 1)
    assert len(shown) == len(PROFILES) + 3


def test_a_type_without_a_treatment_is_found():
    with pytest.raises(AltcraftConfigurationError, match="'tags' holds a set"):
        preview([{"email": "a@b.c", "tags": {1}}])


def test_the_table_shows_fields_types_and_shapes_and_nobody():
    text = preview().text(20, 3)
    assert "email" in text
    assert "xxxx9@xxxxxxx.xxx" in text
    assert "9999-99-99" in text
    assert "anna" not in text
    assert "Омск" not in text
    assert "1990" not in text


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_a_mask_has_no_letter_and_no_digit_of_the_value(value):
    # JSON writes control characters with letters of its own; those are masked too.
    assert all(sign == "x" or not sign.isalpha() for sign in masked(value))
    assert all(sign == "9" or not sign.isdecimal() for sign in masked(value))
    assert len(masked(value)) <= 32


def test_an_empty_source_is_previewed_too():
    assert preview([]).summary(0, 10)["requests"] == 0
    assert json.dumps(preview([]).summary(0, 10))
