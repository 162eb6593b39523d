"""Profiles, stored and searched for in every documented way."""

from __future__ import annotations

import pytest

EMAIL = "a@example.com"


@pytest.fixture
def add(again):
    def add(**data):
        return again("profiles/add", db_id=1, data=data).json()["profile_id"]

    return add


def test_adding_searches_nothing_and_refuses_a_known_email(sandbox, post, add):
    assert add(email=EMAIL) != add(phones=["+79031234567"])
    answer = post("profiles/add", db_id=1, data={"email": EMAIL, "_fname": "Ann"}).json()
    assert (answer["error"], answer["error_text"]) == (400, "Duplicate email")
    assert len(sandbox.profiles()) == 2


def test_empty_data_adds_an_empty_profile(sandbox, add):
    assert sandbox.profiles() == {add(): {}}


def test_the_search_value_may_stand_beside_the_data(sandbox, post, add):
    profile_id = add(email=EMAIL)
    body = {"db_id": 1, "matching": "email", "email": EMAIL, "data": {"_fname": "Ann"}}
    assert post("profiles/import", **body).json()["profile_id"] == profile_id
    assert sandbox.profiles()[profile_id] == {"email": EMAIL, "_fname": "Ann"}


def test_a_new_profile_is_found_again_by_what_it_was_searched_for(sandbox, again):
    body = {"db_id": 1, "matching": "phone", "phone": "+79031234567", "data": {"_fname": "Ann"}}
    first, second = (again("profiles/import", **body).json()["profile_id"] for _ in range(2))
    assert first == second
    assert sandbox.profiles()[first]["phones"] == ["+79031234567"]


@pytest.mark.parametrize(
    ("matching", "search"),
    [
        ("email", {"email": EMAIL}),
        ("email", {"email": "other@example.com"}),
        ("email_profile", {"email": EMAIL}),
        ("email_sub", {"email": "other@example.com"}),
        ("phone", {"phone": "+79031234567"}),
        ("phone_sub", {"phone": "+79037654321"}),
        ("push_sub", {"provider": "ios-firebase", "subscription_id": "p1"}),
        ("custom", {"field_name": "CRM_ID", "field_value": 17}),
        ("custom_sub", {"field_name": "id", "field_value": "t1"}),
        ("email_phone", {"phone": "+79031234567"}),
        ("email_phone_sub", {"email": "other@example.com"}),
    ],
)
def test_every_way_of_matching_finds_it(post, add, matching, search):
    profile_id = add(
        email=EMAIL,
        phones=["+79031234567"],
        CRM_ID="17",
        subscriptions=[
            {"channel": "email", "resource_id": 1, "email": "other@example.com"},
            {"channel": "sms", "resource_id": 1, "phone": "+79037654321"},
            {"channel": "push", "resource_id": 1, "provider": "ios-firebase", "subscription_id": "p1"},
            {"channel": "telegram_bot", "resource_id": 1, "cc_data": {"id": "t1"}},
        ],
    )
    answer = post("profiles/update", db_id=1, matching=matching, data={"seen": 1}, **search).json()
    assert answer["profile_id"] == profile_id


@pytest.mark.parametrize(
    ("matching", "search"), [("email_sub", {"email": EMAIL}), ("email_profile", {"email": "x@y.zz"})]
)
def test_a_matching_does_not_look_elsewhere(post, add, matching, search):
    add(email=EMAIL, subscriptions=[{"channel": "email", "resource_id": 1, "email": "x@y.zz"}])
    assert post("profiles/update", db_id=1, matching=matching, data={}, **search).json()["error"] == 404


@pytest.mark.parametrize(("behaviour", "answer"), [("refuse", (404, None)), ("ignore", (0, None))])
def test_an_update_of_an_unknown_profile_is_refused_or_ignored(sandbox, post, behaviour, answer):
    sandbox.behaviour.unknown_profile = behaviour
    got = post("profiles/update", db_id=1, data={"email": EMAIL}).json()
    (item,) = post("profiles/update_batch", db_id=1, data=[{"email": EMAIL}]).json()["result"]
    assert (got["error"], got.get("profile_id")) == (item["error"], item.get("profile_id")) == answer
    assert not sandbox.profiles()


@pytest.mark.parametrize(("behaviour", "error"), [("latest", 0), ("refuse", 409)])
def test_several_that_match_are_a_choice_or_a_conflict(sandbox, post, add, behaviour, error):
    sandbox.behaviour.several_profiles = behaviour
    first, second = add(CRM_ID="17"), add(CRM_ID="17")
    body = {"db_id": 1, "matching": "custom", "field_name": "CRM_ID", "field_value": "17"}
    answer = post("profiles/update", **body, data={"seen": 1}).json()
    assert answer["error"] == error
    assert "seen" not in sandbox.profiles()[first]
    assert ("seen" in sandbox.profiles()[second]) is (error == 0)


def test_one_of_several_that_is_deleted_leaves_the_other(sandbox, again, add):
    first, second = add(CRM_ID="17"), add(CRM_ID="17")
    search = {"db_id": 1, "matching": "custom", "field_name": "CRM_ID", "field_value": "17"}
    answers = [again("profiles/delete", **search).json() for _ in range(3)]
    assert [answer["error"] for answer in answers] == [0, 0, 404]
    assert [answer["data"]["profile_id"] for answer in answers[:2]] == [second, first]
    assert not sandbox.profiles()


def test_a_deleted_profile_leaves_its_id_to_nobody(sandbox, post, add):
    gone = add(email=EMAIL)
    post("profiles/delete", db_id=1, email=EMAIL)
    assert add(email="b@example.com") not in (gone, add(email="c@example.com"))


def test_deleting_needs_a_permission(sandbox, post, add):
    sandbox.behaviour.profiles_may_be_deleted = False
    add(email=EMAIL)
    assert post("profiles/delete", db_id=1, email=EMAIL).json()["error"] == 403
    assert sandbox.profiles()


def test_functions_act_again_when_they_are_repeated(sandbox, again, add):
    profile_id = add(email=EMAIL, balance=10, tags=["a"], old="x")
    functions = {
        "balance": {"action": "increase", "value": 5},
        "tags": {"action": "add", "value": ["b"]},
        "old": {"action": "delete"},
        "_fname": {"action": "set", "value": "Ann"},
    }
    for _ in range(2):
        again("profiles/import", db_id=1, data={"email": EMAIL, **functions})
    assert sandbox.profiles()[profile_id] == {"email": EMAIL, "balance": 20, "tags": ["a", "b"], "_fname": "Ann"}


@pytest.mark.parametrize("function", [{"action": "double", "value": 2}, {"action": "decrease", "value": "much"}])
def test_a_function_that_cannot_be_applied_is_refused(sandbox, post, add, function):
    profile_id = add(email=EMAIL, balance=10)
    assert post("profiles/import", db_id=1, data={"email": EMAIL, "balance": function}).json()["error"] == 400
    assert sandbox.profiles()[profile_id]["balance"] == 10


@pytest.mark.parametrize(("skips", "error", "kept"), [(False, 400, None), (True, 0, 1)])
def test_an_invalid_subscription_is_refused_or_skipped(sandbox, post, skips, error, kept):
    listed = [{"channel": "email", "email": EMAIL, "resource_id": 1}, {"channel": "pigeon"}]
    body = {"db_id": 1, "data": {"email": EMAIL, "subscriptions": listed}, "skip_invalid_subscriptions": skips}
    assert post("profiles/import", **body).json()["error"] == error
    assert [len(profile["subscriptions"]) for profile in sandbox.profiles().values()] == (
        [] if kept is None else [kept]
    )


def test_static_segments_take_profiles_and_give_them_up(sandbox, post):
    sandbox.add_segment(2, is_static=True)
    (first, second) = (
        post("profiles/import", db_id=1, data={"email": email}, add_to_segments=[2]).json()["profile_id"]
        for email in ("a@example.com", "b@example.com")
    )
    post("profiles/import", db_id=1, data={"email": "a@example.com"}, remove_from_segments=[2])
    assert sandbox.world.segment(2).members == {second}
    assert post("profiles/import", db_id=1, data={"email": EMAIL}, add_to_segments=[1]).json()["error"] == 400
    assert first in sandbox.profiles()


class TestListing:
    """profiles/list: pages, queries and fields."""

    @pytest.fixture(autouse=True)
    def five(self, post):
        rows = [{"email": f"p{number}@example.com", "age": 20 + number, "subscriptions": []} for number in range(5)]
        post("profiles/add_batch", db_id=1, data=rows)

    def test_the_pointer_leads_through_all_pages(self, post):
        seen, pointer = [], ""
        while True:
            answer = post("profiles/list", db_id=1, limit=2, from_id=pointer).json()
            seen += [profile["email"] for profile in answer["data"]]
            pointer = answer["next_from_id"]
            if not pointer:
                break
            assert isinstance(pointer, str)
        assert seen == [f"p{number}@example.com" for number in range(5)]

    def test_only_the_fields_asked_for_come_with_the_id(self, post):
        (profile, *_) = post("profiles/list", db_id=1, fields=["age"]).json()["data"]
        assert profile.keys() == {"id", "age"}

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"age": 21}, 1),
            ({"age": {"$gte": 22, "$lt": 24}}, 2),
            ({"email": {"$in": ["p0@example.com", "p4@example.com"]}}, 2),
            ({"$or": [{"age": 20}, {"age": 24}]}, 2),
            ({"shoe_size": {"$exists": False}}, 5),
            ({"email": {"$gt": 5}}, 0),
        ],
    )
    def test_a_query_chooses(self, post, query, count):
        assert len(post("profiles/list", db_id=1, query=query).json()["data"]) == count

    @pytest.mark.parametrize("body", [{"query": {"email": {"$regex": "p"}}}, {"query": {"$or": 5}}, {"from_id": "7"}])
    def test_what_it_cannot_do_is_refused(self, post, body):
        assert post("profiles/list", db_id=1, **body).json()["error"] == 400
