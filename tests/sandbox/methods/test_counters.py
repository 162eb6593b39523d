"""Statistics of subscriptions: counted by a task, then read."""

from __future__ import annotations

import pytest

COUNTED = [
    {"channel": "email", "status": {"subscribed_sendable": 1, "unconfirmed_sendable": 1}},
    {"channel": "sms", "status": {"subscribed_sendable": 1, "unconfirmed_sendable": 0}},
]


@pytest.fixture(autouse=True)
def subscribed(sandbox, post):
    sandbox.add_resource(2, token="other")
    email = {"channel": "email", "resource_id": 1}
    rows = [
        {"subscriptions": [{**email, "email": "a@example.com"}, {"channel": "sms", "resource_id": 1, "phone": "1"}]},
        {"subscriptions": [{**email, "email": "b@example.com", "status": "unconfirmed"}]},
        {"subscriptions": [{**email, "email": "c@example.com", "status": 1}]},
        {"subscriptions": [{**email, "email": "d@example.com", "resource_id": 2}]},
    ]
    post("profiles/add_batch", db_id=1, data=rows)


def test_a_segment_shows_what_was_counted_once_the_task_has_ended(sandbox, post):
    read = {"id": 1, "resource_id": 1}
    task_id = post("segments/refresh_counters", id=1, resource_id=1).json()["data"]["task_id"]
    assert post("segments/get_counters", **read).json()["data"] == []
    sandbox.clock.advance(10)
    (result,) = post("tasks/status", task_id=task_id).json()["data"]["result"]
    assert result.keys() == {"channels", "in_progress", "list_id", "refresh_task_id", "resource_id", "updated"}
    assert (result["channels"], result["refresh_task_id"]) == (COUNTED, task_id)
    assert post("segments/get_counters", **read).json()["data"] == COUNTED
    assert post("segments/get_counters", id=1, resource_id=2).json()["data"] == []
    post("segments/refresh_counters", id=1, resource_id=1)
    assert post("segments/get_counters", **read).json()["data"] == COUNTED


def test_a_dynamic_segment_names_its_database_by_two_names(sandbox, post):
    rules = [{"condition": "and", "queries": []}]
    segment_id = post("segments/add", name="All", segment=rules).json()["data"]["saved_id"]
    assert post("segments/refresh_counters", id=segment_id, resource_id=1).json()["error"] == 400
    assert post("segments/refresh_counters", id=segment_id, resource_id=1, db_id=1).json()["error"] == 0
    sandbox.clock.advance(10)
    assert post("segments/get_counters", id=segment_id, resource_id=1).json()["error"] == 400
    assert post("segments/get_counters", id=segment_id, resource_id=1, list_id=1).json()["data"] == COUNTED


@pytest.mark.parametrize("position", ["top", "data"])
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("databases/refresh_counters", {"id": 1, "resource_id": 1}),
        ("resources/refresh_counters", {"id": 1, "list_id": 1, "feedback": {"type": "http", "url": "http://x"}}),
    ],
)
def test_databases_and_resources_are_counted_by_a_task_whose_id_is_in_either_place(sandbox, post, name, body, position):
    sandbox.behaviour.task_id_position = position
    answer = post(name, **body).json()
    task_id = answer["task_id"] if position == "top" else answer["data"]["task_id"]
    sandbox.clock.advance(10)
    (result,) = post("tasks/status", task_id=task_id).json()["data"]["result"]
    assert result["channels"] == COUNTED


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("databases/refresh_counters", {"id": 1, "resource_id": 9}, 404),
        ("databases/refresh_counters", {"id": 9, "resource_id": 1}, 404),
        ("resources/refresh_counters", {"id": 1, "list_id": 9}, 404),
        ("resources/refresh_counters", {"id": 1, "list_id": 1, "feedback": {"mail": "x"}}, 400),
        ("segments/refresh_counters", {"id": 9, "resource_id": 1}, 404),
        ("segments/get_counters", {"id": 1, "resource_id": 9}, 404),
    ],
)
def test_the_rest_is_refused(post, name, body, error):
    assert post(name, **body).json()["error"] == error
