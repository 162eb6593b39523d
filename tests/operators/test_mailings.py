"""Creating mailings, and launching them once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_altcraft.api.objects import Content, StartSchedule
from airflow_provider_altcraft.exceptions import AltcraftWaitTimeout
from airflow_provider_altcraft.operators.mailings import (
    AltcraftCreateMailingOperator,
    AltcraftLaunchMailingOperator,
    AltcraftUpdateMailingOperator,
)
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context
from tests.seeds.pages import CREATE_REGULAR

START = "campaigns/broadcasts/start"


def launch(**arguments):
    return AltcraftLaunchMailingOperator(
        **{"task_id": "launch", "mailing_id": "7", "poll_interval": 0.02, "timeout": 20, **arguments}
    )


def create(**arguments):
    page = {name: CREATE_REGULAR["request"][name] for name in ("name", "data_type", "data_id", "send_channel")}
    return AltcraftCreateMailingOperator(**{"task_id": "create", **page, "content": [Content(15)], **arguments})


def update(**arguments):
    page = {"name": "Sale", "data_type": "list", "data_id": "1", "content": [Content(16, subject="Hi")]}
    return AltcraftUpdateMailingOperator(
        **{"task_id": "update", "mailing_id": "7", "mailing_type": "broadcast", **page, **arguments}
    )


@pytest.mark.parametrize(("mailing_id", "kind"), [("7", "broadcast"), (8, "regular")])
def test_a_mailing_is_launched_once_and_waited_for(altcraft_sandbox, run, mailing_id, kind):
    result = run(launch(mailing_id=mailing_id, mailing_type=kind))
    assert len(altcraft_sandbox.deliveries.launches(int(mailing_id))) == 1
    assert result["mailing_id"] == int(mailing_id)
    assert not result["replayed"]
    assert result["finished_at"] > result["launched_at"]


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_takes_up_the_launch_and_says_so(altcraft_sandbox, run, remembers):
    store = Store() if remembers else None
    run(launch(), context(store=store))
    result = run(launch(), context(store=store, try_number=2))
    assert altcraft_sandbox.deliveries.total_launches == 1
    assert result["replayed"]
    assert result["finished_at"]


def test_a_cleared_task_launches_again_only_if_it_is_told_to(altcraft_sandbox, run):
    store = Store()
    run(launch(), context(store=store, max_tries=0))
    run(launch(), context(store=store, max_tries=1))
    assert altcraft_sandbox.deliveries.total_launches == 1
    run(launch(relaunch_on_clear=True), context(store=store, max_tries=2))
    run(launch(relaunch_on_clear=True), context(store=store, max_tries=3))
    assert altcraft_sandbox.deliveries.total_launches == 3


def test_yesterdays_end_is_not_todays(altcraft_sandbox, run):
    run(launch(), context(run_id="yesterday"))
    altcraft_sandbox.clock.advance(3600)
    result = run(launch(), context(run_id="today"))
    assert altcraft_sandbox.deliveries.total_launches == 2
    assert result["finished_at"] > result["launched_at"]


def test_the_end_is_read_by_the_servers_clock(altcraft_sandbox, run):
    altcraft_sandbox.clock.advance(-30 * 86_400)
    assert run(launch())["finished_at"]


def test_a_gateway_that_fails_while_waiting_ends_nothing(altcraft_sandbox, run):
    altcraft_sandbox.faults.add(Fault("status", "campaigns/log_v2", times=3))
    assert run(launch())["finished_at"]


def test_a_token_that_is_refused_while_waiting_ends_at_once(altcraft_sandbox, run):
    altcraft_sandbox.faults.add(Fault("api_error", "campaigns/log_v2", code=403, text="No access"))
    with pytest.raises(AirflowFailException, match="No access"):
        run(launch())
    assert len(altcraft_sandbox.journal.calls("campaigns/log_v2")) <= 2


def test_a_wait_that_is_over_says_what_was_last_seen(altcraft_sandbox, run):
    altcraft_sandbox.mailing(7).duration = 10**6
    with pytest.raises(AltcraftWaitTimeout, match="running since"):
        run(launch(timeout=0.2))


def test_the_execution_timeout_ends_the_wait_too(altcraft_sandbox, run):
    altcraft_sandbox.mailing(7).duration = 10**6
    with pytest.raises(AltcraftWaitTimeout, match="execution_timeout"):
        run(launch(execution_timeout=timedelta(seconds=0.2)))


def test_without_waiting_the_launch_is_the_result(altcraft_sandbox, run):
    assert "finished_at" not in run(launch(wait_for_completion=False))


def test_overrides_are_sent(altcraft_sandbox, run):
    arguments = {"override_source_type": "segment", "override_source_id": "1", "override_limit": 5}
    run(launch(**arguments, content={"message_id": 15, "subject": "Hi"}))
    (call,) = altcraft_sandbox.journal.calls(START)
    assert call.request == {
        "id": 7,
        "override_source_type": "segment",
        "override_source_id": 1,
        "override_limit": 5,
        "content": {"message_id": 15, "subject": "Hi"},
        "token": "***",
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"mailing_id": ""}, "mailing_id is empty"),
        ({"mailing_id": "None"}, "mailing_id is empty"),
        ({"mailing_type": "trigger"}, "'broadcast' or 'regular'"),
        ({"override_source_type": "segment"}, "go together"),
        ({"override_source_type": "file", "override_source_id": 1}, "'list' or 'segment'"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"timeout": "soon"}, "timeout"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        launch(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_a_mailing_that_is_not_active_is_not_launched(altcraft_sandbox):
    altcraft_sandbox.mailing(7).is_active = False
    with pytest.raises(AirflowFailException, match="not active"):
        launch().execute(context())
    assert not altcraft_sandbox.journal.calls(START)


def test_a_regular_mailing_is_created_as_on_the_seed_page(altcraft_sandbox):
    request = dict(CREATE_REGULAR["request"])
    mailing_id = AltcraftCreateMailingOperator(task_id="create", **request).execute(context())
    (call,) = altcraft_sandbox.journal.calls("campaigns/regulars/add")
    assert call.request == {**request, "token": "***"}
    assert altcraft_sandbox.mailing(mailing_id).kind == "regular"


def test_every_parameter_of_the_page_can_be_given(altcraft_sandbox):
    everything = {
        "subid": "Adv_1",
        "aglimit_count": 5,
        "aglimit_percent": 99.0,
        "policy_id": 1,
        "push_sending_mode": "last",
        "attributes": {"season": "summer_2024"},
        "is_random_tracking_prefix": False,
        "blind_carbon_copy": ["john@example.com"],
        "unconditional_sending": True,
        "watched_list_id": 12,
        "watcher_limit": 100,
    }
    create(**everything).execute(context())
    (call,) = altcraft_sandbox.journal.calls("campaigns/regulars/add")
    expected = {**everything, "agllimit_percent": 99.0}
    del expected["aglimit_percent"]
    assert expected.items() <= call.request.items()


def test_a_schedule_from_cron_is_sent(altcraft_sandbox):
    create(start_schedule=StartSchedule.from_cron("30 9 1 * *")).execute(context())
    schedule = altcraft_sandbox.journal.calls("campaigns/regulars/add")[0].request["start_schedule"]
    assert (schedule["start_mins"], schedule["start_hours"], schedule["start_mdays"]) == ([30], [9], [1])


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_creates_no_second_mailing(altcraft_sandbox, remembers):
    store = Store() if remembers else None
    first = create(mailing_type="broadcast").execute(context(store=store))
    second = create(mailing_type="broadcast").execute(context(store=store, try_number=2))
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"mailing_type": "trigger"}, "mailing_type"),
        ({"name": ""}, "name"),
        ({"name": "None"}, "name is empty"),
        ({"send_channel": ""}, "send_channel"),
        ({"data_type": "file"}, "data_type"),
        ({"data_id": ""}, "data_id is empty"),
        ({"content": []}, "content"),
        ({"content": [{"subject": "no template"}]}, "content"),
        ({"push_sending_mode": "all"}, "push_sending_mode"),
    ],
)
def test_a_mailing_that_cannot_be_created_is_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        create(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize(("mailing_id", "kind"), [("7", "broadcast"), (8, "regular")])
def test_a_mailing_is_changed(altcraft_sandbox, mailing_id, kind):
    assert update(mailing_id=mailing_id, mailing_type=kind, limit=100).execute(context()) == int(mailing_id)
    (call,) = altcraft_sandbox.journal.calls(f"campaigns/{kind}s/update")
    assert call.request == {
        "id": int(mailing_id),
        "name": "Sale",
        "data_type": "list",
        "data_id": 1,
        "content": [{"message_id": 16, "subject": "Hi"}],
        "limit": 100,
        "token": "***",
    }
    assert altcraft_sandbox.mailing(int(mailing_id)).name == "Sale"


def test_a_retry_changes_nothing_that_was_changed_since_and_a_clear_does(altcraft_sandbox):
    store = Store()
    update().execute(context(store=store))
    altcraft_sandbox.mailing(7).name = "By hand"
    update().execute(context(store=store, try_number=2))
    assert altcraft_sandbox.mailing(7).name == "By hand"
    update().execute(context(store=store, try_number=3, max_tries=2))
    assert altcraft_sandbox.mailing(7).name == "Sale"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"mailing_id": ""}, "mailing_id is empty"),
        ({"mailing_type": "trigger"}, "mailing_type"),
        ({"name": ""}, "name"),
        ({"name": "None"}, "name is empty"),
        ({"content": []}, "content"),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        update(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_the_channel_of_a_mailing_cannot_be_changed():
    with pytest.raises((TypeError, AirflowException), match="send_channel"):
        update(send_channel="sms")
