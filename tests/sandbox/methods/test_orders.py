"""Orders of the market."""

from __future__ import annotations

import pytest

IMPORT = "market/orders/import"
ORDER = {
    "external_id": "O-1",
    "matching": "email",
    "email": "a@example.com",
    "status": "paid",
    "total_price": "1990.00",
    "currency": "RUB",
    "create_time": "2026-01-01T10:00:00+03:00",
    "lines": [{"sku": "S-1", "price": "1990.00"}],
}


@pytest.fixture
def load(post):
    def load(*orders, **parameters):
        return post(IMPORT, data=list(orders), **parameters).json()

    return load


def test_orders_are_stored_and_answered_in_their_order(sandbox, load):
    answer = load(ORDER, {**ORDER, "external_id": "O-2"})
    assert [(item["error"], item["id"]) for item in answer["result"]] == [(0, 1), (0, 2)]
    assert sandbox.orders == {"O-1": ORDER, "O-2": {**ORDER, "external_id": "O-2"}}


def test_an_order_that_comes_again_is_the_same_order(sandbox, load):
    first, again = (load({**ORDER, "status": status})["result"][0]["id"] for status in ("paid", "shipped"))
    assert first == again
    assert sandbox.orders["O-1"]["status"] == "shipped"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"external_id": None}, "external_id"),
        ({"external_id": ""}, "external_id"),
        ({"total_price": 1990.0}, "total_price"),
        ({"total_price": None}, "total_price"),
        ({"matching": "name"}, "matching"),
        ({"create_time": "01.01.2026"}, "RFC 3339"),
        ({"lines": {}}, "lines"),
    ],
)
def test_a_wrong_order_is_refused_by_itself(sandbox, load, change, reason):
    answer = load({**ORDER, **change}, {**ORDER, "external_id": "O-2"})
    refused, accepted = answer["result"]
    assert (answer["error"], refused["error"], accepted["error"]) == (0, 400, 0)
    assert reason in refused["error_text"]
    assert "id" not in refused
    assert sandbox.orders.keys() == {"O-2"}


def test_what_is_no_order_is_refused_by_itself(load):
    assert [item["error"] for item in load("O-1", ORDER)["result"]] == [400, 0]


def test_the_answer_may_be_the_envelope_alone(sandbox, load):
    sandbox.behaviour.orders_answer = "none"
    assert load(ORDER, {}) == {"error": 0, "error_text": "Successful operation"}
    assert sandbox.orders.keys() == {"O-1"}


def test_the_documented_parameters_are_taken(load):
    statuses = [{"name": "on its way", "type": "in_process"}]
    answer = load(ORDER, custom_fields=[{"name": "shop"}], custom_line_statuses=statuses, skip_triggers=True)
    assert answer["error"] == 0


@pytest.mark.parametrize(
    "parameters", [{"custom_line_statuses": [{"type": "lost"}]}, {"custom_fields": {}}, {"db_id": 1}]
)
def test_the_rest_is_refused(sandbox, load, parameters):
    assert load(ORDER, **parameters)["error"] == 400
    assert not sandbox.orders


def test_the_number_of_orders_is_in_the_state(sandbox, load):
    load(ORDER)
    state = sandbox.state()
    assert state["orders"] == 1
    assert state["suppression_lists"] == [{"id": 3, "name": "Complaints", "emails": 0}]
    assert state["programmes"] == [{"id": 5, "name": "Bonus", "codes": 0}]


@pytest.mark.parametrize("search", [{"id": 1}, {"external_id": "O-1"}])
def test_the_status_of_an_order_is_at_the_top(post, load, search):
    load({**ORDER, "endpoint": "web"})
    assert post("market/orders/get_status", **search).json()["result"] == {"endpoint": "web", "status": "paid"}


@pytest.mark.parametrize(("search", "error"), [({}, 400), ({"id": 9}, 404), ({"external_id": "O-9"}, 404)])
def test_an_order_that_is_not_named_or_not_there_has_no_status(post, load, search, error):
    load(ORDER)
    assert post("market/orders/get_status", **search).json()["error"] == error
