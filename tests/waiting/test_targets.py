"""What is waited for knows what to ask, and learns from the answers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api import mailing_log
from airflow_provider_altcraft.api.mailing_log import LogMark
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import State
from airflow_provider_altcraft.delivery.answers import TaskOutcome, read_task_answer
from airflow_provider_altcraft.delivery.destinations import Scenario, TriggerMailing
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.waiting.targets import CampaignTarget, MailingTarget, TaskTarget, target_from

SETTINGS = Settings("https://example.com", "token")


def status(word, progress=0, result=None):
    return Reply("tasks/status", {"status": word, "progress": progress, "result": result})


def test_a_thousand_tasks_end_with_the_last_of_them():
    target = TaskTarget([f"t{number}" for number in range(1_000)])
    queries = target.queries()
    for query in queries[:-1]:
        target.observe(query, status("completed", 100, {"error": 0, "result": [{"profile_id": "p"}]}), SETTINGS)
    assert [query.subject for query in target.queries()] == ["t999"]
    assert target.state is State.RUNNING
    target.observe(queries[-1], status("failed"), SETTINGS)
    assert target.state is State.FAILED
    assert target.result["accepted"] == 999


def log_of(*marks):
    return Reply("campaigns/log_v2", [{"state": state, "time": time} for state, time in marks])


@pytest.mark.parametrize(
    ("marks", "state"),
    [
        ([], State.RUNNING),
        ([("end", "2026-11-20T09:00:00Z")], State.RUNNING),
        ([("start", "2026-11-21T09:00:01Z")], State.RUNNING),
        ([("start", "2026-11-21T09:00:01Z"), ("end", "2026-11-21T12:30:00+03:00")], State.SUCCEEDED),
        ([("end", "2026-11-21T09:30:00Z"), ("start", "2026-11-21T09:00:01Z")], State.SUCCEEDED),
        ([("start", "2026-11-21T09:00:01Z"), ("end", "2026-11-21T09:00:01Z")], State.SUCCEEDED),
        ([("end", "yesterday"), ("", "2026-11-21T09:10:00Z")], State.RUNNING),
    ],
)
def test_a_mailing_is_finished_when_its_log_shows_an_end_after_this_launch(marks, state):
    target = MailingTarget(7, "2026-11-21T09:00:00+00:00")
    target.observe(target.queries()[0], log_of(*marks), SETTINGS)
    assert target.state is state


def test_a_full_page_of_the_log_is_followed_by_what_came_after():
    target = MailingTarget(7, "2026-11-21T09:00:00+00:00")
    noise = [("", f"2026-11-21T09:{minute // 60:02d}:{minute % 60:02d}Z") for minute in range(1_000)]
    target.observe(target.queries()[0], log_of(*noise), SETTINGS)
    assert target.has_more
    # Pages overlap: whether the moment itself is included is not documented.
    assert target.queries()[0].params["from_time"] == "2026-11-21T09:16:38+00:00"


@pytest.mark.parametrize(
    ("word", "target", "state"),
    [
        ("active", "active", State.SUCCEEDED),
        ("Active", "active", State.SUCCEEDED),
        ("waiting", "active", State.RUNNING),
        ("completed", "active", State.FAILED),
        ("deleted", "completed", State.FAILED),
        ("", "active", State.RUNNING),
    ],
)
def test_a_campaign_ends_in_its_target_or_where_it_can_never_get_there(word, target, state):
    target = CampaignTarget(18, target)
    target.observe(target.queries()[0], Reply("scampaigns/get_status", {"status": word}), SETTINGS)
    assert target.state is state


@pytest.mark.parametrize(
    "target", [TaskTarget(["a", "b"]), MailingTarget(7, "2026-11-21T09:00:00+00:00"), CampaignTarget(18, "active")]
)
def test_a_target_survives_the_way_through_a_trigger(target):
    assert target_from(target.to_dict()) == target


def test_a_kind_of_another_release_is_refused():
    with pytest.raises(AltcraftConfigurationError):
        target_from({"kind": "segment"})


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "tasks", "ids": ["a", "b"]},
        {"kind": "mailing", "mailing_id": 7, "since": "2026-11-21T09:00:00+00:00"},
        {"kind": "campaign", "campaign_id": 18, "target": "active"},
    ],
)
def test_what_an_earlier_release_stored_is_understood_and_written_the_same(values):
    assert target_from(values).to_dict() == values


def test_what_is_known_of_tasks_that_have_ended_travels_along():
    target = TaskTarget(["a", "b"])
    refused = {"error": 0, "result": [{"profile_id": "p", "error": 0}, {"error": 400, "error_text": "ann@example.com"}]}
    target.observe(target.queries()[0], status("completed", 100, refused), SETTINGS)
    told = target.to_dict()
    # Numbers and ids: an event is logged.
    assert "example" not in str(told)
    again = target_from(told)
    assert [query.subject for query in again.queries()] == ["b"]
    again.observe(again.queries()[0], status("completed", 100), SETTINGS)
    assert (again.result["accepted"], again.result["rejected"]) == (1, 1)
    assert again.outcomes == {"a": {"items": 2, "refused": {"400": 1}}, "b": {}}


RESULTS = [
    None,
    "done",
    [],
    {"error": 0, "result": []},
    {"error": "0", "result": [{"profile_id": "p"}]},
    {"error": 0, "result": [{"profile_id": "p", "error": 0}, {"profile_id": "", "error": 0}]},
    {"error": 0, "result": [{"profile_id": "p"}, {"error": 409, "error_text": "no"}, {"nothing": 1}]},
    {"error": 0, "result": [{"profile_id": "p", "error": "word"}]},
    {"error": 0, "result": ["id1", "id2"]},
    {"error": 0, "result": ["id1", ""]},
    {"error": 0, "result": ["id1", {"profile_id": "p"}]},
    {"error": 0, "result": {"profile_id": "p"}},
    {"error": 500, "error_text": "boom", "result": [{"profile_id": "p"}]},
    {"error": 500, "error_text": "boom"},
    {"total": 5, "urls": ["/api/download/data/x"]},
    [{"profile_id": "p"}, {"error": 1}],
]


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_that_is_decoded_as_far_as_needed_says_the_same_as_a_whole_one(result):
    raw = msgspec.json.decode(msgspec.json.encode(result), type=msgspec.Raw)
    assert read_task_answer(raw) == read_task_answer(result)


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("sent", [0, 1, 2, 3])
@pytest.mark.parametrize("destination", [Scenario(12), TriggerMailing(9)], ids=["scenario", "trigger mailing"])
def test_counts_alone_account_for_the_rows_as_the_answer_does(result, sent, destination):
    answer = read_task_answer(result)
    whole, counted = answer.against(sent, destination.read), answer.outcome().against(sent, destination.read)
    assert (whole.accepted, whole.unaccounted, whole.itemised) == (
        counted.accepted,
        counted.unaccounted,
        counted.itemised,
    )
    assert Counter(reject.code for reject in whole.rejects) == Counter(reject.code for reject in counted.rejects)
    assert TaskOutcome.from_dict(answer.outcome().to_dict()) == answer.outcome()
    assert counted.accepted + len(counted.rejects) + counted.unaccounted == sent


def test_more_entries_in_one_second_than_a_page_holds_do_not_hide_the_end():
    log = [{"state": "start", "time": "2026-11-21T09:00:01Z", "message": "start"}]
    log += [{"state": "", "time": "2026-11-21T09:00:01Z", "message": str(number)} for number in range(2_500)]
    log += [{"state": "end", "time": "2026-11-21T09:00:02Z", "message": "end"}]
    target = MailingTarget(7, "2026-11-21T09:00:00+00:00")
    for _ in range(10):
        params = target.queries()[0].params
        found = [one for one in log if one["time"] >= params["from_time"][:19] + "Z"]
        target.observe(target.queries()[0], Reply("campaigns/log_v2", found[: params["limit"]]), SETTINGS)
        if not target.has_more:
            break
    assert target.state is State.SUCCEEDED


def test_a_run_that_ended_in_an_error_is_a_failure_unless_it_is_accepted():
    log = [
        {"state": "start", "time": "2026-11-21T09:00:01Z", "level": "INFO"},
        {"state": "end", "time": "2026-11-21T09:00:09Z", "level": "ERROR"},
    ]
    for accept_errors, state in ((False, State.FAILED), (True, State.SUCCEEDED)):
        target = MailingTarget(7, "2026-11-21T09:00:00+00:00", accept_errors=accept_errors)
        target.observe(target.queries()[0], Reply("campaigns/log_v2", log), SETTINGS)
        assert target.state is state
        assert target.result["ended_in_error"]
        assert "ERROR" in target.progress
        assert target_from(target.to_dict()) == target


def test_a_run_is_not_over_before_the_log_was_read_to_its_end(monkeypatch):
    monkeypatch.setattr(mailing_log, "PAGES_AT_ONCE", 4)
    target, since = MailingTarget(7, "2026-11-21T09:00:00+00:00"), datetime.fromisoformat("2026-11-21T09:00:00+00:00")
    begun = log_of(("start", since.isoformat()), ("end", since.isoformat())).data
    for number in range(4):
        params = target.queries()[0].params
        moment = max(since, datetime.fromisoformat(params["from_time"]))
        noise = [
            {"state": "", "time": (moment + timedelta(seconds=place)).isoformat(), "message": f"{number}"}
            for place in range(params["limit"])
        ]
        target.observe(target.queries()[0], Reply("campaigns/log_v2", begun + noise if not number else noise), SETTINGS)
        assert target.state is State.RUNNING
    assert not target.has_more


NOON = datetime.fromisoformat("2026-11-21T12:00:00+00:00")


def line(seconds, state="", number=0):
    return {"state": state, "time": (NOON + timedelta(seconds=seconds)).isoformat(), "message": str(number)}


def poke(target, log, *, inclusive=True):
    """One look at the log, as a poke of its own would have it; the target as the next one has it, and the calls."""
    target, calls = target_from(json.loads(json.dumps(target.to_dict()))), 0
    while calls == 0 or target.has_more:
        (query,) = target.queries()
        since, calls = datetime.fromisoformat(query.params["from_time"]), calls + 1
        moments = ((one, datetime.fromisoformat(one["time"])) for one in sorted(log, key=lambda one: one["time"]))
        found = [one for one, moment in moments if moment > since or (inclusive and moment == since)]
        reply = Reply(query.endpoint, found[: query.params["limit"]], server_time=NOON, total_count=len(found))
        target.observe(query, reply, SETTINGS)
    return target, calls


def test_a_wait_goes_on_where_the_last_poke_stopped_though_it_is_another_process():
    log = [line(-number, number=number) for number in range(20_000)]
    log += [line(-9_000, "start"), line(1, "start")]
    target, calls = poke(MailingTarget(7, NOON.isoformat()), log)
    assert calls > 1
    for number in range(5):
        log += [line(10 + number, number=number)]
        target, calls = poke(target, log)
        assert (calls, target.state) == (1, State.RUNNING)
    log += [line(60, "end")]
    target, calls = poke(target, log)
    # One that began before is still going on.
    assert (calls, target.state) == (1, State.RUNNING)
    log += [line(70, "end")]
    target, calls = poke(target, log)
    assert (calls, target.state) == (1, State.SUCCEEDED)
    assert target.result["finished_at"] == line(70)["time"]
    assert len(json.dumps(target.to_dict())) < 1_000


@given(
    seconds=st.lists(
        st.tuples(st.sampled_from(["start", "end", ""]), st.sampled_from([0, 1, 60, 120, 299, 300])), max_size=20
    ),
    rounds=st.integers(1, 6),
    inclusive=st.booleans(),
    marked=st.booleans(),
)
def test_pokes_of_their_own_see_what_one_long_wait_sees(seconds, rounds, inclusive, marked):
    second, entries = -1_500, []
    for number, (state, passed) in enumerate(seconds):
        second += passed
        entries.append(line(second, state, number))
    mark = LogMark(NOON.isoformat(), line(-1_200)["time"], (line(-900)["time"],), (line(-1_300)["time"],)).to_dict()
    alone = MailingTarget(7, NOON.isoformat(), mark=mark if marked else None)
    target = whole = alone
    size = len(entries) // rounds + 1
    for number in range(1, rounds + 1):
        target, _ = poke(target, entries[: size * number], inclusive=inclusive)
    whole, _ = poke(alone, entries, inclusive=inclusive)
    assert (target.state, target.result, target.progress) == (whole.state, whole.result, whole.progress)


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_start_at_the_very_moment_where_a_poke_stopped_counts_once(inclusive):
    # Pages go back five minutes.
    log = [line(10, "start"), line(310)]
    target, _ = poke(MailingTarget(7, NOON.isoformat()), log, inclusive=inclusive)
    assert target.to_dict()["log"]["read_from"] == line(10)["time"]
    log += [line(320, "end")]
    target, _ = poke(target, log, inclusive=inclusive)
    target, _ = poke(target, log, inclusive=inclusive)
    assert target.state is State.SUCCEEDED


def test_what_came_before_the_mark_is_not_ours_though_the_server_gives_it():
    mark = LogMark(NOON.isoformat(), line(-300)["time"]).to_dict()
    target = MailingTarget(7, NOON.isoformat(), mark=mark)
    old = [line(-86_400, "start"), line(-86_300, "end")]
    target.observe(target.queries()[0], Reply("campaigns/log_v2", old, server_time=NOON), SETTINGS)
    assert target.state is State.RUNNING
