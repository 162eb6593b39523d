"""Where rows go: what the body holds, byte for byte, and what the answers say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.request import Frame
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
from airflow_provider_altcraft.delivery.json_lines import JsonLines, Packed
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
    lines = JsonLines.of(records[:1]) + JsonLines.of(records[1:]) if len(records) > 1 else JsonLines.of(records)
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
    destination.checked(JsonLines.of([f'{{"{field}":"a"}}'.encode(), b"{}"]))
    with pytest.raises(AltcraftConfigurationError, match=f"takes only the field '{field}'"):
        destination.checked(JsonLines.of([f'{{"{field}":"a","_fname":"Ann"}}'.encode()]))


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
    destination.checked(
        JsonLines.of([ProfileEncoder(timezone=UTC).encode({**dict.fromkeys(fields, "a"), "custom_data": {}})])
    )
    with pytest.raises(AltcraftConfigurationError, match=f"'{fields[0]}' and .*'custom_data'"):
        destination.checked(JsonLines.of([b'{"_fname":"Ann"}']))


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
    assert (verdict.accepted, len(verdict.rejects), verdict.unaccounted) == read


def test_an_answer_that_only_counts_is_one_of_the_batch_as_a_whole():
    assert SuppressionList(3).read({"total_imported": 3}, 3) == BatchAnswer(accepted=3, itemised=False)


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        (SuppressionList(""), "suppress_id is empty"),
        (PromoCodes("x"), "loyalty_id"),
        (TriggerMailing("", import_profiles=False), "trigger_id is empty"),
        (TriggerMailing(9, import_profiles=False, skip_triggers=True), "skip_triggers cannot be used with"),
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
        (ProfileDatabase(1, mode="add", resource_id=3), "mode='add'"),
        (TriggerMailing(9, import_profiles=False, resource_id=3), "import_profiles=False"),
    ],
)
def test_what_altcraft_would_not_look_at_is_refused(destination, since):
    with pytest.raises(AltcraftConfigurationError, match=f"resource_id cannot be used with {since}"):
        destination.params  # noqa: B018


STARTED = [Scenario(12), TriggerMailing(9), TriggerMailing(9, import_profiles=False)]
FIELDS = st.dictionaries(
    st.sampled_from(["_fname", "custom", 'cu"stom_data', "custom_data_2", "nested"]),
    st.text(max_size=4)
    | st.just(',"custom_data":{')
    | st.dictionaries(st.sampled_from(["custom_data", "a"]), st.integers() | st.just({"custom_data": {}}), max_size=2),
)


@given(
    profiles=st.lists(
        st.tuples(
            FIELDS,
            st.none() | st.dictionaries(st.sampled_from(["custom_data", "n", "data"]), st.text(max_size=3) | FIELDS),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    nulls=st.sampled_from(["omit", "send"]),
)
def test_data_for_hooks_stands_beside_the_profile_and_comes_back_from_there(profiles, nulls):
    encoder = ProfileEncoder(timezone=UTC, nulls=nulls)
    rows = []
    for fields, data, is_first in profiles:
        beside = {"custom_data": data}
        rows.append({**(beside if is_first else {}), **fields, "email": "a@b.c", **beside})
    for destination in STARTED[:2]:
        lines = destination.checked(JsonLines.of([encoder.encode(row) for row in rows]))
        frame = Frame(b'{"data":[', b"]}")
        body = frame.join([destination.items_of(part) for part in lines.parts])
        assert json.loads(body)["data"] == [
            {"data": {**fields, "email": "a@b.c"}} | ({} if data is None else {"custom_data": data})
            for fields, data, _ in profiles
        ]
        assert len(body) == frame.size + lines.size + (destination.wrap_bytes + 1) * len(lines) - 1
        packed = Packed(body, frame, len(lines), destination.record_of)
        assert [*packed] == [*lines]
        assert [json.loads(record).get("custom_data") for record in packed] == [data for _, data, _ in profiles]


@pytest.mark.parametrize("destination", STARTED)
@pytest.mark.parametrize("data", ["x", 3, [1], True])
def test_data_for_hooks_that_is_no_object_is_refused_and_not_quoted(destination, data):
    record = ProfileEncoder(timezone=UTC).encode({"email": "a", "custom_data": data})
    with pytest.raises(AltcraftConfigurationError, match="custom_data of a row must be an object"):
        destination.checked(JsonLines.of([record]))


@pytest.mark.parametrize("destination", [ProfileDatabase(1), Orders()])
def test_elsewhere_a_field_may_be_called_custom_data(destination):
    lines = JsonLines.of([b'{"custom_data":"mine","email":"a"}'])
    assert destination.checked(lines) is lines
    assert destination.items_of(lines.parts[0]) == b'{"custom_data":"mine","email":"a"}'


@pytest.mark.parametrize("destination", STARTED)
def test_what_is_in_a_file_does_not_show_where_airflow_shows_the_destination(destination):
    with_file = replace(destination, attach=[{"name": "a.txt", "data": "data:;base64,c2VjcmV0"}])
    assert "c2VjcmV0" not in repr(with_file)
    assert with_file.params["attach"] == [{"name": "a.txt", "data": "data:;base64,c2VjcmV0"}]
    assert (with_file.has_files, destination.has_files) == (True, False)
