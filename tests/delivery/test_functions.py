"""A batch that acts again when it is repeated is told from one that does not."""

from __future__ import annotations

import json
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, PromoCodes, Scenario
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.functions import CONVERGING, converges
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.mapping import FieldMapping
from airflow_provider_altcraft.delivery.source import from_profiles, from_rows
from tests.delivery.altcraft import Altcraft, delivery

FRAME = Frame(b'{"content":{"action":"increase"},"data":[', b"]}")
ACTIONS = st.sampled_from(["set", "delete", "add", "remove", "increase", "decrease", "Set", "", None, 3, ["set"]])
FUNCTIONS = st.fixed_dictionaries({"action": ACTIONS}, optional={"value": st.integers() | st.text(max_size=3)})
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.sampled_from(["action", '"action"', '{"action":"increase"}']),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "action"]), inner, max_size=2),
    max_leaves=4,
)
PROFILES = st.lists(
    st.dictionaries(st.sampled_from(["email", "n", "action", "имя"]), FUNCTIONS | VALUES, max_size=3), max_size=3
)


def body_of(profiles, destination):
    lines = JsonLines.of([ProfileEncoder(timezone=UTC, nulls="send").encode(profile) for profile in profiles])
    return FRAME.join([destination.items_of(part) for part in lines.parts])


@given(profiles=PROFILES, destination=st.sampled_from([ProfileDatabase(1), Scenario(12)]))
def test_a_function_is_found_wherever_a_profile_has_one_and_nowhere_else(profiles, destination):
    functions = [
        value for profile in profiles for value in profile.values() if isinstance(value, dict) and "action" in value
    ]
    expected = all(any(function["action"] == word for word in CONVERGING) for function in functions)
    body, wrapped = body_of(profiles, destination), destination.endpoint.wrapped
    assert [item.get("data") if wrapped else item for item in json.loads(body)["data"]] == profiles
    assert converges(body, FRAME, wrapped=wrapped) == expected


@pytest.mark.parametrize("word", ["increase", "decrease", "add", "multiply"])
def test_what_changes_a_value_once_more_or_may_does_not_converge(word):
    profile = {"email": "a", "balance": {"action": word, "value": 5}}
    assert not converges(body_of([{"email": "b"}, profile], ProfileDatabase(1)), FRAME, wrapped=False)


def test_what_goes_to_hooks_is_no_function():
    profile = {"email": "a", "custom_data": {"action": "increase"}}
    assert converges(body_of([profile], Scenario(12)), FRAME, wrapped=True)


def test_a_code_may_be_called_action():
    assert converges(body_of([{"code": "action"}], PromoCodes(5)), FRAME, wrapped=False)


def test_the_sender_is_told_of_each_batch_whether_it_converges():
    told = []

    class Noting(Altcraft):
        def send(self, body, batch):
            told.append(batch.converges)
            return super().send(body, batch)

    rows = [{"email": "a"}, {"email": "b", "n": {"action": "set", "value": 1}}]
    rows += [{"email": "c", "n": {"action": "increase", "value": 1}}, {"email": "d"}]
    sending = delivery(Noting(), batch_size=1)
    sending.run(from_profiles(rows, ProfileEncoder(timezone=UTC)))
    assert told == [True, True, False, True]


@pytest.mark.parametrize("value", [{"action": "increase", "value": 1}, 1], ids=["a function", "a value"])
@pytest.mark.parametrize("place", ["a column", "a constant"])
def test_a_function_of_a_query_is_found_too(value, place):
    told = []

    class Noting(Altcraft):
        def send(self, body, batch):
            told.append(batch.converges)
            return super().send(body, batch)

    constants = {"balance": value} if place == "a constant" else {}
    columns, row = (["email"], ("a",)) if constants else (["email", "balance"], ("a", value))
    mapping = FieldMapping(columns, constants=constants)
    delivery(Noting()).run(from_rows([[row]], mapping, ProfileEncoder(timezone=UTC)))
    assert told == [value == 1]
