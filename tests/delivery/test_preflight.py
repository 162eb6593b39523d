"""Whether the database has the fields, as far as Altcraft tells."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.delivery.preflight import check_fields
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

ANSWERS = [
    [{"name": "loyalty_id", "type": "string"}],
    {"fields": [{"name": "loyalty_id"}], "total": 1},
    [{"Name": "loyalty_id", "Id": 3}],
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_fields_of_the_database_and_of_every_profile_pass(answer):
    assert check_fields(["email", "_fname", "subscriptions", "loyalty_id"], answer, ["email"])


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_field_that_the_database_does_not_have_is_refused_with_the_nearest(answer):
    with pytest.raises(AltcraftConfigurationError, match=r"no field 'loyality_id'. Did you mean 'loyalty_id'\?"):
        check_fields(["email", "loyality_id"], answer, ["email"])


def test_a_field_that_finds_the_profile_passes():
    assert check_fields(["CRM_ID"], ANSWERS[0], ["CRM_ID"])


@pytest.mark.parametrize("answer", [None, {}, [], "x", 3, ["email"], {"fields": {}}, [{"id": 1}], [{"name": None}]])
def test_an_answer_that_names_no_fields_settles_nothing(answer):
    assert not check_fields(["anything"], answer, ["email"])
