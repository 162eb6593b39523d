"""Subscriptions, set one by one and all at once."""

from __future__ import annotations

import pytest
import requests


@pytest.fixture
def profile_id(post):
    return post("profiles/add", db_id=1, data={"email": "a@example.com"}).json()["profile_id"]


@pytest.fixture
def put(again, profile_id):
    def put(**body):
        defaults = {
            "db_id": 1,
            "profile_id": profile_id,
            "resource_id": 1,
            "channel": "email",
            "email": "a@example.com",
        }
        return again("subscriptions/set", **{**defaults, **body}).json()

    return put


def listed(sandbox):
    (profile,) = sandbox.profiles().values()
    return profile.get("subscriptions", [])


def test_a_subscription_is_added_once_and_then_changed(sandbox, put):
    put()
    put(status="unsubscribed", priority=2)
    (one,) = listed(sandbox)
    assert (one["status"], one["priority"]) == ("unsubscribed", 2)


def test_a_status_that_is_not_passed_stays(sandbox, put):
    put(status=5)
    put(priority=1)
    assert listed(sandbox)[0]["status"] == "suspended"


@pytest.mark.parametrize(("status", "priority", "kept"), [(-1, -1, ("suspended", 3)), (0, 0, ("subscribed", 0))])
def test_zero_is_a_value_in_a_batch_and_minus_one_is_none(sandbox, post, put, status, priority, kept):
    put(status="suspended", priority=3)
    one = {"channel": "email", "resource_id": 1, "email": "a@example.com", "status": status, "priority": priority}
    post("profiles/update_batch", db_id=1, data=[{"email": "a@example.com", "subscriptions": [one]}])
    assert [(one["status"], one["priority"]) for one in listed(sandbox)] == [kept]


def test_each_channel_and_resource_has_its_own(sandbox, put):
    sandbox.add_resource(2, token="other")
    put()
    put(resource_id=2)
    put(channel="sms", phone="+79031234567")
    put(channel="telegram_bot", cc_data={"id": "t1"})
    assert len(listed(sandbox)) == 4


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"channel": "pigeon"}, 400),
        ({"channel": "sms"}, 400),
        ({"channel": "push", "provider": "ios"}, 400),
        ({"status": "asleep"}, 400),
        ({"status": 7}, 400),
        ({"date": "yesterday"}, 400),
        ({"profile_id": "none"}, 404),
        ({"resource_id": 9}, 404),
        ({"db_id": 9}, 404),
    ],
)
def test_the_rest_is_refused(sandbox, put, change, error):
    assert put(**change)["error"] == error
    assert not listed(sandbox)


class TestUnsubscribing:
    """profiles/message_unsub: by what a message carries."""

    @pytest.fixture
    def message_id(self, sandbox, post, put):
        put()
        post("campaigns/broadcasts/start", id=7)
        (message_id,) = sandbox.deliveries.message_ids(7)
        return message_id

    def test_the_recipient_leaves_the_resource(self, sandbox, post, message_id, profile_id):
        answer = post("profiles/message_unsub", rtoken="resource-token", smid=message_id).json()
        assert answer["profile_id"] == profile_id
        assert listed(sandbox)[0]["status"] == "unsubscribed"

    def test_categories_leave_the_status(self, sandbox, post, message_id):
        post("profiles/message_unsub", rtoken="resource-token", smid=message_id, categories=["news"])
        assert listed(sandbox)[0]["status"] == "subscribed"
        assert listed(sandbox)[0]["unsubscribed_categories"] == ["news"]

    @pytest.mark.parametrize(("rtoken", "smid", "error"), [("wrong", None, 403), ("resource-token", "9-x", 404)])
    def test_a_wrong_token_or_message_is_refused(self, sandbox, post, message_id, rtoken, smid, error):
        assert post("profiles/message_unsub", rtoken=rtoken, smid=smid or message_id).json()["error"] == error
        assert listed(sandbox)[0]["status"] == "subscribed"


class TestSuspendingAll:
    """The deprecated method of v1.0, with the token in its URL."""

    def ask(self, sandbox, what="suspend_all", db_id=1):
        url = f"{sandbox.url}/api/v1.0/lists/{db_id}/{what}?token={sandbox.token}"
        return requests.post(url, timeout=5).json()

    def test_what_is_subscribed_becomes_suspended(self, sandbox, put):
        sandbox.add_resource(2, token="other")
        put()
        put(resource_id=2, status="complained")
        assert self.ask(sandbox)["error"] == 0
        assert [one["status"] for one in listed(sandbox)] == ["suspended", "complained"]
        assert sandbox.journal.calls("v1.0/lists/{list_id}/suspend_all")

    def test_the_way_back_is_not_emulated(self, sandbox):
        answer = self.ask(sandbox, "unsuspend_all")
        assert answer["error_text"] == "v1.0/lists/{list_id}/unsuspend_all is not emulated"

    def test_a_database_that_is_not_there_is_not_found(self, sandbox):
        assert self.ask(sandbox, db_id=9)["error"] == 404
