"""What the planned moves of a campaign do to its mailings: campaign 18 holds broadcast 7."""

from __future__ import annotations

from datetime import timedelta

import pytest

START = "campaigns/broadcasts/start"
TEN = [{"email": f"p{number}@example.com"} for number in range(10)]


@pytest.fixture
def plan(sandbox, post):
    """Activate campaign 18, and plan moves for so many seconds later."""
    post("profiles/import_batch", db_id=1, data=TEN)
    sandbox.mailing(7).duration = 10

    def plan(**seconds):
        dates = {name: (sandbox.clock.now() + timedelta(seconds=after)).isoformat() for name, after in seconds.items()}
        return post("scampaigns/activate", id=18, start_date=sandbox.clock.now().isoformat(), **dates)

    return plan


@pytest.mark.parametrize(
    ("date", "state", "still_active"),
    [("deactivate_date", "inactive", True), ("completed_date", "completed", False)],
)
def test_a_planned_end_stops_the_mailings_at_its_moment(sandbox, post, plan, date, state, still_active):
    plan(**{date: 4})
    post(START, id=7)
    sandbox.clock.advance(60)
    assert sandbox.campaign_state(18) == state
    assert sandbox.mailing(7).is_active is still_active
    assert sandbox.deliveries.count(7) == 4
    assert post("campaigns/get_status", id=7).json()["data"]["is_completed"] is True


def test_nothing_stops_before_its_moment(sandbox, post, plan):
    plan(completed_date=3600)
    post(START, id=7)
    sandbox.clock.advance(60)
    assert sandbox.deliveries.count(7) == 10
    assert sandbox.mailing(7).is_active


def test_a_mailing_that_was_activated_after_the_end_stays_so(sandbox, post, plan):
    plan(completed_date=5)
    sandbox.clock.advance(10)
    post("campaigns/activate", id=7)
    sandbox.clock.advance(10)
    assert sandbox.mailing(7).is_active


def test_a_run_that_began_after_a_pause_is_not_stopped_by_it(sandbox, post, plan):
    plan(deactivate_date=5)
    sandbox.clock.advance(10)
    post(START, id=7)
    assert sandbox.deliveries.count(7) == 10


def test_leaving_by_hand_drops_what_was_planned(sandbox, post, plan):
    plan(completed_date=60)
    post("scampaigns/deactivate", id=18)
    sandbox.clock.advance(120)
    assert sandbox.campaign_state(18) == "inactive"


def test_completing_stops_sending_and_sets_the_mailings_inactive(sandbox, post, plan):
    plan()
    post(START, id=7)
    sandbox.clock.advance(2)
    post("scampaigns/completed", id=18)
    assert sandbox.deliveries.count(7) == 2
    assert not sandbox.mailing(7).is_active
