"""What Altcraft says of each row."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.delivery.answers import BatchAnswer, Reject, read_items, read_task_answer
from tests.seeds.pages import TASK_STATUS


def test_the_result_of_the_seed_page_accepts_every_row():
    assert read_task_answer(TASK_STATUS["response"]["data"]["result"]).against(2, read_items) == BatchAnswer(accepted=2)


@pytest.mark.parametrize(
    ("item", "refused"),
    [
        ({"profile_id": "p"}, False),
        ({"error": 0, "error_text": "", "profile_id": "p"}, False),
        ({"error": "0", "error_text": "ok"}, False),
        ("p", False),
        ({"error": 400, "error_text": "Invalid email"}, True),
        ({"error": "400"}, True),
        ({"error": "bad"}, True),
        ({"error": 0, "profile_id": ""}, True),
        ({}, True),
        (None, True),
    ],
)
def test_an_item_is_accepted_only_if_it_says_so(item, refused):
    answer = read_items([item], 1)
    assert (answer.accepted, len(answer.rejects)) == ((0, 1) if refused else (1, 0))


def test_a_list_of_another_length_accounts_for_no_row():
    assert read_items([{"profile_id": "p"}], 2) == BatchAnswer(accepted=0, unaccounted=2)


def test_an_answer_without_a_list_speaks_of_the_batch_as_a_whole():
    assert read_items(None, 3) == BatchAnswer(accepted=3, itemised=False)


def test_a_result_that_says_error_refuses_every_row():
    answer = read_task_answer({"error": 500, "error_text": "boom"}).against(2, read_items)
    assert answer.rejects == [Reject(0, 500, "boom"), Reject(1, 500, "boom")]
