"""The fields of a database."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "example_dags"
SHAPES = {"list": lambda data: data, "object": lambda data: data["fields"]}


def mapped():
    """Every field that an example maps a column to; of a path, the field it begins with."""
    for path in EXAMPLES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "field_mapping":
                for targets in ast.literal_eval(node.value).values():
                    paths = [targets] if isinstance(targets, str) else targets
                    yield from (re.split(r"[.\[]", path)[0] for path in paths)


def test_the_fields_are_those_of_the_system_and_those_declared(sandbox, post):
    sandbox.add_database(2, fields={"shoe_size": "int"})
    shown = {field["name"]: field["type"] for field in post("databases/fields_get", id=2).json()["data"]}
    assert shown["shoe_size"] == "int"
    assert {"_fname", "_bdate", "email", "phones", "subscriptions"} <= shown.keys()
    assert "CRM_ID" not in shown


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_database_has_the_fields_of_the_examples_in_either_shape(sandbox, post, shape):
    sandbox.behaviour.fields_shape = shape
    shown = {field["name"] for field in SHAPES[shape](post("databases/fields_get", id=1).json()["data"])}
    assert {"CRM_ID", "balance"} <= set(mapped()) <= shown


def test_the_fields_may_be_refused(sandbox, post):
    sandbox.behaviour.fields_shape = "refused"
    assert post("databases/fields_get", id=1).json()["error"] == 403


def test_a_database_that_is_not_there_has_no_fields(post):
    assert post("databases/fields_get", id=2).json()["error"] == 404


def test_a_profile_may_carry_a_field_that_is_not_declared(sandbox, post):
    post("profiles/import", db_id=1, data={"email": "a@example.com", "undeclared": "x"})
    (profile,) = sandbox.profiles().values()
    assert profile["undeclared"] == "x"


@pytest.mark.parametrize(("allowed", "error", "left"), [(False, 403, 1), (True, 0, 0)])
def test_a_database_is_wiped_only_where_that_is_allowed(sandbox, post, allowed, error, left):
    sandbox.behaviour.data_may_be_wiped = allowed
    post("profiles/import", db_id=1, data={"email": "a@example.com"})
    answer = post("databases/wipe", id=1).json()
    assert (answer["error"], len(sandbox.profiles())) == (error, left)
    assert answer.get("data") == (None if error else {"count_action": 0, "count_profile": 1})


def test_after_a_wipe_nobody_is_found(sandbox, post):
    sandbox.behaviour.data_may_be_wiped = True
    post("profiles/import", db_id=1, data={"email": "a@example.com"})
    post("databases/wipe", id=1)
    assert post("profiles/update", db_id=1, data={"email": "a@example.com"}).json()["error"] == 404
