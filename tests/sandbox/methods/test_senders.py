"""Senders."""

from __future__ import annotations


def test_senders_and_virtual_ones_have_lists_of_their_own(sandbox, post):
    sandbox.add_sender(2, name="SMS", channel="sms", kind="bulksms_com")
    sandbox.add_sender(3, name="Virtual", is_virtual=True)
    answer = post("senders/list", from_id=2).json()
    assert answer["data"] == [{"id": 2, "name": "SMS", "channel": "sms", "type": "bulksms_com"}]
    assert (answer["total_count"], answer["next_from_id"]) == (2, 3)
    assert [one["id"] for one in post("vsenders/list").json()["data"]] == [3]
