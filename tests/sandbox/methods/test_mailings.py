"""Broadcasts and regulars: made, changed, copied and read back."""

from __future__ import annotations

import pytest

BROADCAST = {
    "name": "Sale",
    "data_type": "list",
    "data_id": 1,
    "content": [{"message_id": 15, "subject": "Hello"}],
    "send_channel": "email",
    "limit": 100,
    "agllimit_percent": 1.5,
    "watched_list_id": 3,
    "start_schedule": {"start_mins": [0], "start_hours": [9]},
    "attributes": {"season": ["spring"]},
}
SHOWN = {
    "id", "name", "is_active", "data_id", "data_type", "content", "send_channel", "channel", "resource_id", "subid",
    "limit", "aglimit_count", "aglimit_percent", "start_schedule", "for_confirm", "policy_id", "description",
    "virtual_sender_id", "is_random_tracking_prefix", "custom_tracking_domains", "watcher_list_id", "watcher_limit",
    "blind_carbon_copy", "unconditional_sending", "skip_unique_checking", "sub_cats_filter", "sub_fields_filter",
    "updated_user", "update_time",
}  # fmt: skip


@pytest.fixture(params=["broadcast", "regular"])
def kind(request):
    return request.param


@pytest.fixture
def mailing_id(post, kind):
    return post(f"campaigns/{kind}s/add", **BROADCAST).json()["data"]["saved_id"]


@pytest.fixture
def read(post, kind, mailing_id):
    return lambda: post(f"campaigns/{kind}s/get", id=mailing_id).json()["data"]


def test_what_was_written_is_read_under_the_names_for_reading(read):
    shown = read()
    assert shown.keys() >= SHOWN
    assert (shown["aglimit_percent"], shown["watcher_list_id"], shown["channel"]) == (1.5, 3, "email")
    assert not shown.keys() & {"agllimit_percent", "watched_list_id"}
    assert shown["start_schedule"].items() >= {"start_hours": [9], "start_wdays": [], "losers": False}.items()


def test_an_update_changes_all_but_the_channel(post, kind, mailing_id, read):
    change = {**BROADCAST, "name": "Big sale", "limit": 5, "send_channel": "sms", "is_active": True}
    assert post(f"campaigns/{kind}s/update", id=mailing_id, **change).json()["error"] == 0
    shown = read()
    assert (shown["name"], shown["limit"], shown["is_active"], shown["channel"]) == ("Big sale", 5, True, "email")


def test_an_update_is_of_its_own_kind(post, kind, mailing_id):
    other = {"broadcast": "regulars", "regular": "broadcasts"}[kind]
    assert post(f"campaigns/{other}/update", id=mailing_id, **BROADCAST).json()["error"] == 404


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"content": []}, "content"),
        ({"content": [{"subject": "no template"}]}, "content"),
        ({"send_channel": "pigeon"}, "send_channel"),
        ({"data_type": "database"}, "data_type"),
        ({"push_sending_mode": "all"}, "push_sending_mode"),
        ({"start_schedule": {"start_hours": [24]}}, "start_schedule"),
        ({"start_schedule": {"start_mins": 5}}, "start_schedule"),
        ({"start_schedule": {"start_seconds": [1]}}, "start_schedule"),
    ],
)
def test_what_is_out_of_its_range_is_refused(sandbox, post, kind, change, parameter):
    before = len(sandbox.world.mailings)
    answer = post(f"campaigns/{kind}s/add", **{**BROADCAST, **change}).json()
    assert answer["error"] == 400
    assert parameter in answer["error_debug"]
    assert len(sandbox.world.mailings) == before


def test_a_copy_does_not_change_with_the_original(post, kind, mailing_id, read):
    copy = post("campaigns/clone", id=mailing_id, name="Copy").json()["data"]["saved_id"]
    post(f"campaigns/{kind}s/update", id=copy, **{**BROADCAST, "limit": 1})
    assert read()["limit"] == 100


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"attributes": {"season": {"options": ["spring", "autumn"]}}}, 1),
        ({"attributes": {"season": {"options": ["autumn"]}}}, 0),
        ({"attributes": {"season": {"options": []}}}, 2),
        ({"ui_tags": ["x"]}, 0),
        ({"is_active": False}, 1),
    ],
)
def test_lists_can_be_asked_for_some(post, kind, mailing_id, asked, count):
    assert post(f"campaigns/{kind}s/list", **asked).json()["total_count"] == count


class TestFiles:
    """Uploaded, and attached to a launch."""

    DATA = "data:text/plain;base64,SGVsbG8="

    def test_an_uploaded_file_can_be_attached_by_its_key(self, sandbox, post):
        file_id = post("file_upload", header="a.txt", data=self.DATA).json()["data"]["file"]
        assert sandbox.world.uploads[file_id] == ("a.txt", b"Hello")
        assert post("campaigns/broadcasts/start", id=7, attach=[{"file_key": file_id}]).json()["error"] == 0

    @pytest.mark.parametrize(
        "file", [{"file_key": "none"}, {"name": "a.txt"}, {"name": "a.txt", "data": "Hello"}, {"data": DATA}]
    )
    def test_what_is_no_file_stops_the_launch(self, sandbox, post, file):
        assert post("campaigns/broadcasts/start", id=7, attach=[file]).json()["error"] == 400
        assert not sandbox.deliveries.total_launches

    @pytest.mark.parametrize("data", ["Hello", "data:text/plain,Hello", "data:text/plain;base64,SGVsbG8"])
    def test_only_a_data_uri_in_base64_is_uploaded(self, post, data):
        assert post("file_upload", header="a.txt", data=data).json()["error"] == 400

    def test_a_body_with_files_may_be_larger(self, sandbox, post):
        sandbox.behaviour.max_body_bytes = 50
        assert post("file_upload", header="a.txt", data=self.DATA).json()["error"] == 0
        sandbox.behaviour.max_body_bytes_with_files = 60
        assert post("file_upload", header="b.txt", data=self.DATA).json()["error_debug"].endswith("too large")
