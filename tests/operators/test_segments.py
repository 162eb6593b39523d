"""Segments, saved once; and whom they reach, counted before a launch."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from airflow_provider_altcraft.api.counters import counters_of
from airflow_provider_altcraft.exceptions import AltcraftJobFailed
from airflow_provider_altcraft.operators.segments import (
    AltcraftRefreshSegmentOperator,
    AltcraftSaveSegmentOperator,
)
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

REFRESH = "segments/refresh_counters"
READ = "segments/get_counters"
RULES = [{"condition": "and", "list_id": 1, "queries": [{"name": "age", "operator": "gt", "type": "int", "value": []}]}]


@pytest.fixture(autouse=True)
def three(altcraft_sandbox):
    """Three profiles who subscribed to e-mails, and one who has not said yes."""
    for number in range(4):
        subscription = {"channel": "email", "resource_id": 1, "email": f"u{number}@example.com"}
        if number == 3:
            subscription["status"] = "unconfirmed"
        data = {"email": f"u{number}@example.com", "subscriptions": [subscription]}
        altcraft_sandbox.world.database(1).save(data, "email", None, known=None)


def refresh(**arguments):
    defaults = {"task_id": "refresh", "segment_id": "1", "resource_id": "1", "poll_interval": 0.02, "timeout": 20}
    return AltcraftRefreshSegmentOperator(**{**defaults, **arguments})


def save(**arguments):
    return AltcraftSaveSegmentOperator(**{"task_id": "save", "name": "Adults", **arguments})


def test_the_counters_are_those_of_the_refresh(altcraft_sandbox, run):
    result = run(refresh())
    assert result["counters"] == {"email": {"subscribed_sendable": 3, "unconfirmed_sendable": 1}}
    assert (result["segment_id"], result["resource_id"], result["replayed"]) == (1, 1, False)
    assert [task.task_id for task in altcraft_sandbox.tasks] == [result["altcraft_task_id"]]


def test_the_counters_are_read_after_the_task_has_ended(altcraft_sandbox, run):
    run(refresh())
    names = [call.endpoint for call in altcraft_sandbox.journal]
    assert (names[0], names[-1]) == (REFRESH, READ)
    assert set(names[1:-1]) == {"tasks/status"}


def test_the_database_of_a_dynamic_segment_has_one_name(altcraft_sandbox, run):
    segment_id = save(rules=[{"condition": "and", "queries": []}]).execute(context(task_id="save"))
    assert run(refresh(segment_id=segment_id, db_id="1"))["counters"]["email"]["subscribed_sendable"] == 3
    assert altcraft_sandbox.journal.calls(REFRESH)[0].request["db_id"] == 1
    assert altcraft_sandbox.journal.calls(READ)[0].request["list_id"] == 1


@pytest.mark.parametrize(
    "bounds",
    [
        {"min_subscribed": "3", "max_subscribed": 3},
        {"max_subscribed": 4},
        {"min_subscribed": 1},
        {"min_subscribed": 1, "on_too_few": "skip"},
    ],
)
def test_within_its_bounds_it_ends_well(run, bounds):
    assert run(refresh(**bounds))["counters"]


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"min_subscribed": 4}, "has 3 subscribed to email, fewer than min_subscribed=4"),
        ({"max_subscribed": "2"}, "more than max_subscribed=2"),
        ({"min_subscribed": 1, "channel": "sms"}, "has 0 subscribed to sms"),
        ({"max_subscribed": 9, "channel": "sms"}, "for the channel 'sms'.*Their channels: email"),
        ({"max_subscribed": 2, "on_too_few": "skip"}, "more than max_subscribed=2"),
    ],
)
def test_out_of_its_bounds_it_fails_at_once(run, bounds, reason):
    with pytest.raises(AirflowFailException, match=reason):
        run(refresh(**bounds))


def test_too_few_may_skip_what_comes_after(run):
    with pytest.raises(AirflowSkipException, match="min_subscribed=4"):
        run(refresh(min_subscribed=4, on_too_few="skip"))


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_takes_up_the_refresh(altcraft_sandbox, run, remembers):
    store = Store() if remembers else None
    run(refresh(), context(store=store))
    result = run(refresh(), context(store=store, try_number=2))
    assert result["replayed"]
    assert len(altcraft_sandbox.tasks) == 1


def test_a_clear_counts_anew(altcraft_sandbox, run):
    store = Store()
    run(refresh(), context(store=store))
    altcraft_sandbox.world.database(1).profiles.popitem()
    result = run(refresh(), context(store=store, max_tries=1, try_number=2))
    assert result["counters"]["email"] == {"subscribed_sendable": 3, "unconfirmed_sendable": 0}
    assert len(altcraft_sandbox.tasks) == 2


def test_a_task_that_fails_fails_the_task(altcraft_sandbox, run):
    altcraft_sandbox.behaviour.tasks_fail = True
    with pytest.raises(AirflowFailException, match="failed"):
        run(refresh())
    assert not altcraft_sandbox.journal.calls(READ)


@pytest.mark.parametrize(
    "answer", [{}, "many", [{"channel": "email"}], [{"channel": "email", "status": 3}], [None], [{"status": {}}]]
)
def test_what_are_no_counters_is_no_audience(answer):
    with pytest.raises(AltcraftJobFailed, match="not a list of channels"):
        counters_of(answer)


def test_a_segment_without_counters_has_nobody_subscribed(altcraft_sandbox, run):
    altcraft_sandbox.world.database(1).profiles.clear()
    assert run(refresh())["counters"] == counters_of(None) == {}
    with pytest.raises(AirflowFailException, match="has 0 subscribed to email"):
        run(refresh(min_subscribed=1), task_id="guard")


@pytest.mark.parametrize("status", [{}, {"unconfirmed_sendable": 5}])
def test_a_channel_without_its_counter_holds_no_bound(status):
    counters = counters_of([{"channel": "email", "status": status}])
    with pytest.raises(AltcraftJobFailed, match="no subscribed_sendable for the channel 'email', so max_subscribed"):
        refresh(max_subscribed=9)._guard(counters)
    with pytest.raises(AltcraftJobFailed, match="has 0 subscribed to email"):
        refresh(min_subscribed=1)._guard(counters)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"segment_id": ""}, "segment_id is empty"),
        ({"resource_id": "None"}, "resource_id is empty"),
        ({"db_id": "first"}, "db_id must be"),
        ({"min_subscribed": "many"}, "min_subscribed must be"),
        ({"min_subscribed": 5, "max_subscribed": 4}, "above max_subscribed=4"),
        ({"on_too_few": "warn"}, "on_too_few"),
        ({"poll_interval": 0}, "poll_interval"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        refresh(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"rules": RULES}, (1, False, False)),
        ({"rules": RULES, "kind": "refreshed", "db_id": "1"}, (1, True, True)),
        ({"kind": "static", "db_id": 1}, (1, True, False)),
    ],
)
def test_a_segment_of_each_kind_is_created(altcraft_sandbox, arguments, kind):
    segment = altcraft_sandbox.world.segment(save(**arguments).execute(context()))
    assert (segment.db_id, segment.is_static, segment.is_refresh_daily) == kind
    assert (segment.name, segment.rules) == ("Adults", arguments.get("rules", []))


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_creates_no_second_segment(altcraft_sandbox, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", "segments/add", times=1))
    first = save(rules=RULES).execute(context(store=store))
    assert save(rules=RULES).execute(context(store=store, try_number=2)) == first
    cleared = context(store=store, try_number=3, max_tries=2)
    if remembers:
        assert save(rules=RULES).execute(cleared) == first
    else:
        with pytest.raises(AirflowFailException, match="nothing kept says with which content"):
            save(rules=RULES).execute(cleared)
    assert len(altcraft_sandbox.world.segments) == 2


def test_a_segment_is_changed_and_again_after_a_clear(altcraft_sandbox):
    store = Store()
    segment_id = save(rules=RULES).execute(context(task_id="create"))

    def change():
        return save(segment_id=str(segment_id), name="Grown-ups", rules=RULES)

    assert change().execute(context(store=store)) == segment_id
    segment = altcraft_sandbox.world.segment(segment_id)
    assert segment.name == "Grown-ups"
    segment.name = "By hand"
    change().execute(context(store=store, try_number=2, max_tries=1))
    assert segment.name == "Grown-ups"


def test_a_static_segment_is_changed_without_rules(altcraft_sandbox):
    segment_id = save(kind="static", db_id=1).execute(context(task_id="create"))
    save(segment_id=segment_id, db_id=1, name="Chosen").execute(context())
    assert altcraft_sandbox.world.segment(segment_id).name == "Chosen"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": " "}, "name is empty"),
        ({}, "needs rules"),
        ({"kind": "static", "rules": RULES, "db_id": 1}, "needs rules, unless it is static"),
        ({"kind": "static"}, "needs db_id"),
        ({"rules": RULES, "db_id": 1}, "list_id"),
        ({"rules": RULES, "kind": "daily"}, "'dynamic', 'refreshed' or 'static'"),
        ({"rules": RULES, "segment_id": 1, "kind": "static"}, "cannot be changed"),
        ({"rules": RULES, "segment_id": ""}, "segment_id is empty"),
        ({"segment_id": 1}, "would remove the segment's rules"),
        ({"rules": [], "segment_id": 1}, "would remove the segment's rules"),
        ({"rules": None}, "rules must be a list of groups"),
        ({"rules": "[{'condition': 'and', 'queries': []}]"}, "rules must be a list of groups"),
        ({"rules": ["None"], "segment_id": 1}, "rules must be a list of groups"),
        ({"rules": RULES[0]}, "rules must be a list of groups"),
    ],
)
def test_a_segment_that_cannot_be_is_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        save(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0
