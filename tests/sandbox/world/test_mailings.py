"""Runs of a mailing that are stopped, and what was sent by then."""

from __future__ import annotations

import pytest

START = "campaigns/broadcasts/start"
TEN = [{"email": f"p{number}@example.com"} for number in range(10)]


@pytest.fixture(autouse=True)
def started(sandbox, post):
    """Broadcast 7, with ten messages that take ten seconds."""
    post("profiles/import_batch", db_id=1, data=TEN)
    sandbox.mailing(7).duration = 10
    post(START, id=7)


@pytest.mark.parametrize(("seconds", "sent"), [(0, 0), (3, 3), (9.5, 9), (10, 10), (60, 10)])
def test_an_aborted_run_sent_what_had_left_by_then(sandbox, post, seconds, sent):
    sandbox.clock.advance(seconds)
    post("campaigns/deactivate", id=7, abort_if_running=True)
    sandbox.clock.advance(60)
    assert sandbox.deliveries.count(7) == sent
    assert sum(sandbox.deliveries.times_sent(7, profile_id) for profile_id in sandbox.profiles()) == sent
    assert len(sandbox.deliveries.report()["sent"]) == sent
    assert len(sandbox.deliveries.launches(7)) == 1


def test_a_run_that_is_not_aborted_goes_on_to_its_end(sandbox, post):
    post("campaigns/deactivate", id=7)
    assert sandbox.deliveries.count(7) == 10
    assert sandbox.mailing(7).running(sandbox.clock.now())


def test_aborting_twice_takes_nothing_back_twice(sandbox, post):
    sandbox.clock.advance(5)
    for number in "12":
        post("campaigns/deactivate", {"Request-ID": number}, id=7, abort_if_running=True)
    assert sandbox.deliveries.count(7) == 5


def test_an_earlier_run_keeps_its_messages(sandbox, post):
    sandbox.clock.advance(60)
    post(START, {"Request-ID": "again"}, id=7)
    post("campaigns/deactivate", id=7, abort_if_running=True)
    assert [launch.recipients for launch in sandbox.deliveries.launches(7)] == [10, 0]
    assert {sandbox.deliveries.times_sent(7, profile_id) for profile_id in sandbox.profiles()} == {1}
