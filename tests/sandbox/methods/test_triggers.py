"""Trigger mailings, made and started in every documented way."""

from __future__ import annotations

from datetime import timedelta

import pytest

MADE = {"name": "Receipt", "content": [{"message_id": 1}], "send_channel": "email", "trigger_type": "api_call"}
PREFIX = "campaigns/triggers/"
SEARCH = [{"email": "a@example.com"}, {"email": "nobody@example.com"}, {"email": "b@example.com"}]


@pytest.fixture
def ids(post):
    rows = [{"email": "a@example.com", "CRM_ID": "A"}, {"email": "b@example.com", "CRM_ID": "B"}]
    return [item["profile_id"] for item in post("profiles/add_batch", db_id=1, data=rows).json()["result"]]


@pytest.fixture
def task_result(sandbox, post):
    def task_result(answer):
        sandbox.clock.advance(10)
        return post("tasks/status", task_id=answer["task_id"]).json()["data"]["result"]["result"]

    return task_result


def test_a_trigger_that_is_made_can_be_shown_copied_and_started(sandbox, post, ids):
    trigger_id = post(f"{PREFIX}add", **MADE, is_active=True, skip_minutes=5).json()["data"]["saved_id"]
    shown = post(f"{PREFIX}get", id=trigger_id).json()["data"]
    assert {name: shown[name] for name in ("trigger_type", "skip_minutes", "list_id")} == {
        "trigger_type": "api_call",
        "skip_minutes": 5,
        "list_id": 1,
    }
    assert post(f"{PREFIX}start", id=str(trigger_id), email="a@example.com").json()["error"] == 0
    assert sandbox.deliveries.times_sent(trigger_id, ids[0]) == 1
    copy = post(f"{PREFIX}clone", id=trigger_id).json()["data"]["saved_id"]
    assert (sandbox.mailing(copy).name, sandbox.mailing(copy).is_active) == ("Clone of Receipt", False)


def test_only_triggers_are_cloned_as_triggers(post):
    assert post(f"{PREFIX}clone", id=7).json()["error"] == 404


def test_a_trigger_of_another_type_is_not_started_by_a_call(post, ids):
    made = {**MADE, "trigger_type": "on_import", "is_active": True}
    trigger_id = post(f"{PREFIX}add", **made).json()["data"]["saved_id"]
    assert post(f"{PREFIX}start", id=trigger_id, email="a@example.com").json()["error"] == 400


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("start", {"id": 9, "email": "a@example.com"}),
        ("start_batch", {"trigger_id": 9, "data": SEARCH}),
        ("start_batch_task", {"id": 9, "data": SEARCH}),
        ("import_and_start", {"trigger_id": 9, "data": {"email": "a@example.com"}}),
        ("import_and_start_batch", {"trigger_id": 9, "data": [{"data": {"email": "a@example.com"}}]}),
        ("import_and_start_batch_task", {"trigger_id": 9, "data": [{"data": {"email": "a@example.com"}}]}),
    ],
)
def test_an_inactive_trigger_sends_nothing(sandbox, post, ids, name, body):
    sandbox.mailing(9).is_active = False
    assert post(PREFIX + name, **body).json()["error"] == 400
    sandbox.mailing(9).is_active = True
    assert not sandbox.deliveries.launches(9)
    assert post(PREFIX + name, {"Request-ID": "active"}, **body).json()["error"] == 0
    assert sandbox.deliveries.launches(9)


def test_a_query_chooses_many(sandbox, post, ids):
    assert post(f"{PREFIX}start", id=9, custom_request={"CRM_ID": {"$in": ["A", "B"]}}).json()["error"] == 0
    assert [sandbox.deliveries.times_sent(9, profile_id) for profile_id in ids] == [1, 1]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [({"email": "a@example.com", "not_strict": True}, 0), ({"subscription_id": "p1"}, 400), ({"name": "x"}, 400)],
)
def test_a_subscription_filter_has_a_documented_form(post, ids, wanted, error):
    assert post(f"{PREFIX}start", id=9, email="a@example.com", subscription_filter=wanted).json()["error"] == error


def test_a_call_for_nobody_launches_nothing(sandbox, post, ids):
    sandbox.behaviour.unknown_profile = "ignore"
    for body in ({"email": "nobody@example.com"}, {"custom_request": {"CRM_ID": "Z"}}):
        assert post(f"{PREFIX}start", id=9, **body).json()["error"] == 0
    assert not sandbox.deliveries.launches(9)


def test_a_batch_answers_with_those_it_was_sent_to(sandbox, post, ids):
    assert post(f"{PREFIX}start_batch", trigger_id=9, data=SEARCH).json()["result"] == ids
    assert sandbox.deliveries.count(9) == 2


@pytest.mark.parametrize("item", [{"CRM_ID": "B"}, {"field_value": "B"}])
def test_a_batch_can_match_by_a_field(post, ids, item):
    body = {"trigger_id": 9, "matching": "custom", "field_name": "CRM_ID", "data": [item]}
    assert post(f"{PREFIX}start_batch", **body).json()["result"] == ids[1:]


@pytest.mark.parametrize(
    ("reads", "sent", "error"),
    [
        ("id", {"id": 9}, 0),
        ("id", {"trigger_id": 9}, 400),
        ("trigger_id", {"trigger_id": 9}, 0),
        ("trigger_id", {"id": 9}, 400),
        ("trigger_id", {"id": 1, "trigger_id": 9}, 0),
        ("either", {"trigger_id": 9}, 0),
        ("either", {"id": 9}, 0),
        ("either", {}, 400),
    ],
)
def test_the_task_reads_one_name_of_the_trigger_or_either(sandbox, post, ids, reads, sent, error):
    sandbox.behaviour.start_batch_task_field = reads
    assert post(f"{PREFIX}start_batch_task", data=SEARCH, **sent).json()["error"] == error


def test_a_task_for_a_batch_says_who_was_not_found(sandbox, post, ids, task_result):
    result = task_result(post(f"{PREFIX}start_batch_task", id=9, data=SEARCH).json())
    assert [item.get("profile_id") for item in result] == [ids[0], None, ids[1]]
    assert result[1]["error"] == 404
    assert sandbox.deliveries.count(9) == 2


@pytest.mark.parametrize(("behaviour", "shown"), [("profile_id", True), ("none", False)])
def test_one_is_imported_and_gets_it(sandbox, post, behaviour, shown):
    sandbox.behaviour.import_and_start_answer = behaviour
    body = {"trigger_id": 9, "email": "a@example.com", "data": {"_fname": "Ann"}}
    answer = post(f"{PREFIX}import_and_start", **body).json()
    ((profile_id, profile),) = sandbox.profiles().items()
    assert profile == {"email": "a@example.com", "_fname": "Ann"}
    assert sandbox.deliveries.times_sent(9, profile_id) == 1
    assert answer.get("profile_id") == (profile_id if shown else None)


def test_a_batch_is_imported_and_the_good_ones_get_it(sandbox, post):
    items = [{"data": {"email": "a@example.com"}}, {"data": {"email": "broken"}, "custom_data": {"n": 1}}]
    answer = post(f"{PREFIX}import_and_start_batch", trigger_id=9, data=items).json()
    assert [item["error"] for item in answer["result"]] == [0, 400]
    assert sandbox.deliveries.count(9) == len(sandbox.profiles()) == 1


STARTS = {
    f"{PREFIX}start_batch": ("trigger", {"trigger_id": 9}),
    f"{PREFIX}start_batch_task": ("trigger", {"trigger_id": 9, "id": 9}),
    f"{PREFIX}import_and_start_batch": ("trigger", {"trigger_id": 9}),
    f"{PREFIX}import_and_start_batch_task": ("trigger", {"trigger_id": 9}),
    "workflows/import_and_start_batch": ("scenario", {"workflow_id": 12, "matching": "email"}),
    "workflows/import_and_start_batch_task": ("scenario", {"workflow_id": 12, "matching": "email"}),
}


def items(method, *custom):
    searches = [{"email": "broken@"}, {"email": "a@example.com"}, {"email": "b@example.com"}]
    beside = [{} if data is None else {"custom_data": data} for data in custom]
    return [
        {**({"data": search} if "import" in method else search), **data}
        for search, data in zip(searches, beside, strict=True)
    ]


@pytest.mark.parametrize("method", STARTS)
def test_data_for_hooks_is_that_of_the_item_or_of_the_request(sandbox, post, ids, method):
    kind, target = STARTS[method]
    post(method, **target, custom_data={"n": 0}, data=items(method, {"n": 9}, {"n": 1}, None))
    (started_id, *_) = [value for value in target.values() if isinstance(value, int)]
    assert [sandbox.deliveries.hook_data(kind, started_id, one) for one in ids] == [[{"n": 1}], [{"n": 0}]]
    assert sandbox.deliveries.report()["hook_data"] == {
        f"{kind}/{started_id}/{ids[0]}": [{"n": 1}],
        f"{kind}/{started_id}/{ids[1]}": [{"n": 0}],
    }


@pytest.mark.parametrize("method", STARTS)
def test_data_for_hooks_is_an_object(sandbox, post, ids, method):
    _, target = STARTS[method]
    answer = post(method, **target, data=items(method, None, "text", None)).json()
    assert (answer["error"], "custom_data" in answer["error_debug"]) == (400, True)


@pytest.mark.parametrize("method", STARTS)
def test_files_of_a_batch_are_looked_at(sandbox, post, ids, method):
    _, target = STARTS[method]
    answer = post(method, **target, data=items(method, None, None, None), attach=[{"name": "a.txt"}]).json()
    assert (answer["error"], "data" in answer["error_debug"]) == (400, True)


def test_a_timeout_is_a_delay(sandbox, post):
    body = {"trigger_id": 9, "data": {"email": "a@example.com"}, "timeout": {"days": 0, "hours": 1, "minutes": 5}}
    post(f"{PREFIX}import_and_start", **body)
    (launch,) = sandbox.deliveries.launches(9)
    assert launch.at - sandbox.clock.now() == timedelta(minutes=65)


@pytest.mark.parametrize(
    "change", [{"timeout": {"weeks": 1}}, {"timeout": {"minutes": "5"}}, {"db_id": 2}, {"data": {"email": "broken"}}]
)
def test_a_wrong_import_sends_nothing(sandbox, post, change):
    body = {"trigger_id": 9, "data": {"email": "a@example.com"}, **change}
    assert post(f"{PREFIX}import_and_start", **body).json()["error"] == 400
    assert not sandbox.deliveries.launches(9)
