"""Addresses on suppression lists."""

from __future__ import annotations

import pytest

ADD = "suppresses/emails_add"
NUMBERS = ("total_count", "total_imported", "total_updated", "total_duplicated")


@pytest.fixture
def add(post):
    def add(*emails, list_id=3):
        answer = post(ADD, id=list_id, emails=list(emails)).json()
        return tuple(answer[name] for name in NUMBERS)

    return add


def test_an_address_that_was_there_is_a_duplicate(sandbox, add):
    assert add("a@example.com", "b@example.com") == (2, 2, 0, 0)
    assert add("b@example.com", "c@example.com") == (2, 1, 0, 1)
    assert sandbox.suppressed() == {"a@example.com", "b@example.com", "c@example.com"}


def test_an_address_twice_in_one_request_is_a_duplicate_once(add):
    assert add("a@example.com", "a@example.com") == (2, 1, 0, 1)


def test_what_is_no_address_is_in_the_total_alone(sandbox, add):
    assert add("a@example.com", "broken") == (2, 1, 0, 0)
    assert sandbox.suppressed() == {"a@example.com"}


def test_each_list_has_its_own_addresses(sandbox, add):
    sandbox.add_suppression_list(4)
    add("a@example.com")
    assert add("a@example.com", list_id=4) == (1, 1, 0, 0)
    assert sandbox.suppressed(4) == {"a@example.com"}


def test_one_address_gets_the_envelope_alone_however_often_it_comes(sandbox, post):
    # Other headers, so that the second is no repeat of the first.
    answers = [
        post("suppresses/email_add", {"Request-ID": number}, id=3, email="a@example.com").json() for number in "12"
    ]
    assert answers == [{"error": 0, "error_text": "Successful operation"}] * 2
    assert sandbox.suppressed() == {"a@example.com"}


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        (ADD, {"id": 99, "emails": []}, 404),
        (ADD, {"id": 3}, 400),
        (ADD, {"id": 3, "emails": "a@example.com"}, 400),
        (ADD, {"id": 3, "emails": [{"email": "a@example.com"}]}, 400),
        ("suppresses/email_add", {"id": 3, "email": "broken"}, 400),
        ("suppresses/email_add", {"id": 3, "emails": ["a@example.com"]}, 400),
    ],
)
def test_the_rest_is_refused(sandbox, post, name, body, error):
    assert post(name, **body).json()["error"] == error
    assert not sandbox.suppressed()


def test_a_repeated_request_is_counted_once(post):
    first, second = (post(ADD, {"Request-ID": "one"}, id=3, emails=["a@example.com"]) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Duplicate-Request"] == "true"
