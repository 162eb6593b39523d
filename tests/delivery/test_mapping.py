"""Rows become profiles, each type with its one treatment."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.mapping import FieldMapping
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


def test_columns_become_fields_in_the_order_of_the_mapping():
    mapping = FieldMapping(["id", "mail", "name"], {"mail": "email", "id": "CRM_ID"})
    assert mapping.profile((1, "a@b.c", "A")) == {"email": "a@b.c", "CRM_ID": 1}


@pytest.mark.parametrize(
    ("columns", "mapping", "reason"),
    [
        (["a", "a"], None, "more than once"),
        (["a"], {"b": "email"}, "does not return: b"),
        (["a", "b"], {"a": "email", "b": "email"}, "more than once"),
    ],
)
def test_columns_that_do_not_fit_are_refused_before_the_first_row(columns, mapping, reason):
    with pytest.raises(AltcraftConfigurationError, match=reason):
        FieldMapping(columns, mapping)
