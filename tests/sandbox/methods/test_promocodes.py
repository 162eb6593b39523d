"""Promo codes of a programme."""

from __future__ import annotations

import pytest

IMPORT = "promocodes/import"


@pytest.fixture
def load(post):
    def load(*codes, loyalty_id=5):
        return post(IMPORT, loyalty_id=loyalty_id, codes=list(codes)).json()

    return load


def numbers(answer):
    return answer["inserted"], answer["duplicated"], answer["discarded_by_limit"]


def test_every_code_has_an_item_and_is_in_one_number(sandbox, load):
    answer = load("A", "B")
    assert [item["code"] for item in answer["data"]] == ["A", "B"]
    assert numbers(answer) == (2, 0, 0)
    assert numbers(load("B", "C", "C")) == (1, 2, 0)
    assert sandbox.promocodes() == {"A", "B", "C"}


def test_what_is_over_the_limit_is_discarded(sandbox, load):
    sandbox.add_programme(6, limit=2)
    answer = load("A", "B", "C", "A", loyalty_id=6)
    assert numbers(answer) == (2, 1, 1)
    assert sandbox.promocodes(6) == {"A", "B"}
    assert not sandbox.promocodes(5)


@pytest.mark.parametrize(("duplicate", "of_a_duplicate"), [(False, 0), (True, 400)])
@pytest.mark.parametrize(("discarded", "of_a_discarded"), [(False, 0), (True, 400)])
def test_a_code_that_was_not_taken_may_carry_an_error(
    sandbox, load, duplicate, of_a_duplicate, discarded, of_a_discarded
):
    sandbox.behaviour.duplicate_code_is_error = duplicate
    sandbox.behaviour.discarded_code_is_error = discarded
    sandbox.add_programme(6, limit=1)
    answer = load("A", "A", "B", loyalty_id=6)
    assert [item["error"] for item in answer["data"]] == [0, of_a_duplicate, of_a_discarded]
    assert (answer["error"], *numbers(answer)) == (0, 1, 1, 1)


def test_by_default_a_discarded_code_carries_an_error_and_a_duplicate_none(sandbox, load):
    sandbox.add_programme(6, limit=1)
    assert [item["error"] for item in load("A", "A", "B", loyalty_id=6)["data"]] == [0, 0, 400]


def test_an_empty_code_is_refused_by_itself_and_in_no_number(load):
    answer = load("A", "")
    assert [item["error"] for item in answer["data"]] == [0, 400]
    assert numbers(answer) == (1, 0, 0)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"loyalty_id": 99, "codes": ["A"]}, 404),
        ({"codes": ["A"]}, 400),
        ({"loyalty_id": 5, "codes": [1]}, 400),
        ({"loyalty_id": 5, "codes": ["A"], "limit": 1}, 400),
    ],
)
def test_the_rest_is_refused(sandbox, post, body, error):
    assert post(IMPORT, **body).json()["error"] == error
    assert not sandbox.promocodes()


class TestAttaching:
    """Codes given to profiles."""

    @pytest.fixture
    def attach(self, again):
        again("profiles/add", db_id=1, data={"email": "a@example.com"})
        return lambda **body: again("promocodes/attach", **{"db_id": 1, "email": "a@example.com", **body}).json()

    def test_without_a_code_the_next_free_one_is_taken(self, post, load, attach):
        load("A", "B")
        assert [attach()["data"]["code"] for _ in range(2)] == ["A", "B"]
        assert attach()["error_text"] == "No free code"
        shown = post("promocodes/export_all", loyalty_id=5).json()["data"]
        assert shown == [{"code": "A", "attached": True}, {"code": "B", "attached": True}]

    def test_a_code_that_is_taken_is_refused_unless_it_may_be_used_again(self, sandbox, load, attach):
        load("A")
        assert [attach(code="A")["error"] for _ in range(2)] == [0, 400]
        sandbox.world.programme(5).single_use = False
        assert attach(code="A")["error"] == 0

    def test_an_unknown_code_is_imported(self, sandbox, attach):
        attach(code="NEW")
        assert sandbox.promocodes() == {"NEW"}

    def test_a_programme_can_be_named(self, sandbox, load, attach):
        sandbox.add_programme(6)
        load("A", loyalty_id=6)
        assert attach(loyalty_id=6)["data"]["code"] == "A"

    def test_the_answer_may_be_the_envelope_alone(self, sandbox, load, attach):
        sandbox.behaviour.attach_answer = "none"
        load("A")
        assert "data" not in attach()

    def test_an_unknown_profile_takes_none(self, sandbox, load, attach):
        load("A")
        assert attach(email="nobody@example.com")["error"] == 404
        assert sandbox.world.programme(5).codes["A"].attached is None
