"""Where rows go: what the body holds, byte for byte, and what the answers say."""

from __future__ import annotations

import json
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.protocol import Frame
from airflow_provider_altcraft.delivery.answers import BatchAnswer
from airflow_provider_altcraft.delivery.destinations import (
    Orders,
    ProfileDatabase,
    PromoCodes,
    Scenario,
    SuppressionList,
    TriggerMailing,
)
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.lines import Lines, Packed
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

ALL = {
    "profiles/import_batch": ProfileDatabase(1),
    "profiles/update_batch": ProfileDatabase(1, mode="update"),
    "workflows/import_and_start_batch_task": Scenario(12),
    "campaigns/triggers/import_and_start_batch_task": TriggerMailing(9),
    "campaigns/triggers/start_batch_task": TriggerMailing(9, import_profiles=False),
    "suppresses/emails_add": SuppressionList(3),
    "promocodes/import": PromoCodes(5),
    "market/orders/import": Orders(),
}


@pytest.mark.parametrize(("name", "destination"), ALL.items())
@given(values=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
def test_a_body_is_as_long_as_was_counted_and_holds_each_row(name, destination, values):
    assert destination.endpoint.name == name
    field = destination.only_field or "email"
    records = [ProfileEncoder(timezone=UTC).encode({field: value}) for value in values]
    frame = Frame(b'{"items":[', b"]}")
    lines = Lines.of(records[:1]) + Lines.of(records[1:]) if len(records) > 1 else Lines.of(records)
    body = frame.join([destination.items_of(part) for part in lines.parts])
    assert len(body) == frame.size + sum(map(len, records)) + destination.wrap_bytes * len(records) + len(records) - 1
    packed = Packed(body, frame, len(records), destination.record_of)
    assert [*packed] == [*lines] == records
    assert [*packed[1:]] == records[1:]
    assert frame.join([destination.items_of(part) for part in packed.parts]) == body
    expected = [value if destination.only_field else {"email": value} for value in values]
    items = json.loads(body)["items"]
    assert [item["data"] for item in items] == expected if destination.endpoint.wrapped else items == expected


@pytest.mark.parametrize("destination", [SuppressionList(3), PromoCodes(5)])
def test_a_list_of_bare_values_has_no_place_for_other_fields(destination):
    field = destination.only_field
    destination.check([f'{{"{field}":"a"}}'.encode(), b"{}"])
    with pytest.raises(AltcraftConfigurationError, match=f"takes the field '{field}' alone"):
        destination.check([f'{{"{field}":"a","_fname":"Ann"}}'.encode()])


@pytest.mark.parametrize(
    ("matching", "fields"),
    [
        ({}, ("email", "custom_data")),
        ({"matching": "custom", "field_name": "CRM_ID"}, ("CRM_ID", "custom_data")),
        ({"matching": "push_sub"}, ("provider", "subscription_id", "custom_data")),
    ],
)
def test_profiles_that_are_there_are_found_and_not_changed(matching, fields):
    destination = TriggerMailing(9, import_profiles=False, **matching)
    assert destination.takes == fields
    destination.check([json.dumps(dict.fromkeys(fields, "a")).encode()])
    with pytest.raises(AltcraftConfigurationError, match=f"'{fields[0]}' and .*'custom_data' alone"):
        destination.check([b'{"_fname":"Ann"}'])


@pytest.mark.parametrize(
    ("destination", "answer", "read"),
    [
        (SuppressionList(3), {"total_imported": 2, "total_duplicated": 1, "total_updated": 0}, (3, 0, 0)),
        (SuppressionList(3), {"total_imported": 2, "total_count": 3}, (2, 0, 1)),
        (SuppressionList(3), {}, (3, 0, 0)),
        (PromoCodes(5), [{"code": "A", "error": 0}, {"code": "B", "error": 400}, {"code": "C"}], (2, 1, 0)),
        (PromoCodes(5), {"inserted": 1, "duplicated": 1, "discarded_by_limit": 1}, (2, 0, 1)),
        (Orders(), [{"error": 0}, {"error": 0, "id": 7}, {"error": 400, "error_text": "no"}], (2, 1, 0)),
        (Orders(), [{}], (0, 0, 3)),
        (Orders(), {}, (3, 0, 0)),
        (
            TriggerMailing(9, import_profiles=False),
            [{"profile_id": "a"}, {"error": 404}, {"profile_id": "b"}],
            (2, 1, 0),
        ),
        (TriggerMailing(9, import_profiles=False), ["a", "b"], (2, 0, 1)),
        (TriggerMailing(9, import_profiles=False), ["a", "b", "c"], (3, 0, 0)),
        (TriggerMailing(9, import_profiles=False), None, (3, 0, 0)),
        (ProfileDatabase(1), [{"profile_id": "a"}, {"profile_id": ""}, {"error": 0}], (2, 1, 0)),
    ],
)
def test_answers_are_read_as_each_method_gives_them(destination, answer, read):
    verdict = destination.read(answer, 3)
    assert (verdict.accepted, len(verdict.refusals), verdict.unaccounted) == read


def test_an_answer_that_only_counts_is_one_of_the_batch_as_a_whole():
    assert SuppressionList(3).read({"total_imported": 3}, 3) == BatchAnswer(accepted=3, itemised=False)


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        (SuppressionList(""), "suppress_id is empty"),
        (PromoCodes("x"), "loyalty_id"),
        (TriggerMailing("", import_profiles=False), "trigger_id is empty"),
        (TriggerMailing(9, import_profiles=False, skip_triggers=True), "skip_triggers goes with an import"),
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused(destination, reason):
    with pytest.raises(AltcraftConfigurationError, match=reason):
        destination.params  # noqa: B018


@pytest.mark.parametrize(
    ("destination", "resource_id"),
    [
        (ProfileDatabase(1, resource_id="3"), 3),
        (ProfileDatabase(1, mode="update", resource_id=3), 3),
        (ProfileDatabase(1), None),
        (TriggerMailing(9, resource_id="3"), 3),
    ],
)
def test_the_resource_to_search_in_goes_with_the_matching(destination, resource_id):
    assert destination.params["resource_id"] == resource_id
    assert "resource_id" in destination.template_fields


@pytest.mark.parametrize(
    ("destination", "since"),
    [
        (ProfileDatabase(1, mode="add", resource_id=3), "mode is 'add'"),
        (TriggerMailing(9, import_profiles=False, resource_id=3), "import_profiles is False"),
    ],
)
def test_what_altcraft_would_not_look_at_is_refused(destination, since):
    with pytest.raises(AltcraftConfigurationError, match=f"resource_id goes with an import, and {since}"):
        destination.params  # noqa: B018
