"""Columns become fields."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_altcraft.delivery.mapping import FieldMapping, path_of
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


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


SMS = {
    "mail": ["email", "subscriptions[0].email"],
    "phone": "subscriptions[1].phone",
}
CHANNELS = {
    "subscriptions[0].channel": "email",
    "subscriptions[0].resource_id": 3,
    "subscriptions[1].channel": "sms",
    "subscriptions[1].resource_id": 4,
}


def test_columns_fill_what_lies_below_the_surface():
    mapping = FieldMapping(["mail", "phone"], SMS, CHANNELS)
    assert mapping.profile(("a@b.c", "+7903")) == {
        "email": "a@b.c",
        "subscriptions": [
            {"email": "a@b.c", "channel": "email", "resource_id": 3},
            {"phone": "+7903", "channel": "sms", "resource_id": 4},
        ],
    }


@pytest.mark.parametrize("nothing", [None, float("nan"), Decimal("NaN")])
def test_a_row_without_a_phone_gets_no_subscription_to_one(nothing):
    mapping = FieldMapping(["phone", "mail"], SMS, CHANNELS)
    (subscription,) = mapping.profile((nothing, "a@b.c"))["subscriptions"]
    assert subscription["channel"] == "email"
    (subscription,) = mapping.profile(("+7903", nothing))["subscriptions"]
    assert subscription["channel"] == "sms"


def test_a_row_without_any_value_below_has_no_such_field_at_all():
    assert FieldMapping(["mail", "phone"], {"phone": "a.b", "mail": "email"}).profile(("a@b.c", None)) == {
        "email": "a@b.c"
    }


def test_a_constant_further_inside_does_not_bring_it_back():
    constants = {"subscriptions[0].channel": "sms", "subscriptions[0].custom_fields.source": "warehouse"}
    mapping = FieldMapping(["id", "phone"], {"id": "CRM_ID", "phone": "subscriptions[0].phone"}, constants)
    assert mapping.profile((1, None)) == {"CRM_ID": 1}
    (subscription,) = mapping.profile((1, "+7903"))["subscriptions"]
    assert subscription["custom_fields"] == {"source": "warehouse"}


def test_a_target_cannot_be_both_a_list_and_an_object():
    with pytest.raises(AltcraftConfigurationError, match="a both a list and an object"):
        FieldMapping(["x", "y"], {"x": "a[0]", "y": "a.b"})


def test_an_object_of_constants_alone_belongs_to_every_row():
    mapping = FieldMapping(["mail"], {"mail": "email"}, {"source.name": "warehouse", "tags[1]": "b", "tags[0]": "a"})
    assert mapping.profile(("a@b.c",)) == {"email": "a@b.c", "source": {"name": "warehouse"}, "tags": ["a", "b"]}


@pytest.mark.parametrize("target", ["", "a..b", "a[x]", "[0]", "a[0]b", "a."])
def test_what_is_not_a_path_is_refused(target):
    with pytest.raises(AltcraftConfigurationError, match="is not a field"):
        path_of(target)


@pytest.mark.parametrize(
    ("mapping", "constants"),
    [
        ({"mail": "a", "phone": "a.b"}, {}),
        ({"mail": "a.b", "phone": "a.b"}, {}),
        ({"mail": "a"}, {"a": 1}),
        ({"mail": "a[0]"}, {"a[0].b": 1}),
    ],
)
def test_targets_that_get_in_each_others_way_are_refused(mapping, constants):
    with pytest.raises(AltcraftConfigurationError, match="more than once"):
        FieldMapping(["mail", "phone"], mapping, constants)


def test_a_column_under_its_own_name_is_no_path():
    assert FieldMapping(["a.b"]).profile((1,)) == {"a.b": 1}
