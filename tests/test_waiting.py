"""One policy: what was observed and two deadlines in, one decision out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.protocol import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.api.states import State
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftConfigurationError,
    AltcraftJobFailed,
    AltcraftRateLimited,
    AltcraftTransportError,
    AltcraftWaitTimeout,
)
from airflow_provider_altcraft.waiting import ERROR_BUDGET, Deadlines, Decision, Pause, Verdict, decide, vigil
from airflow_provider_altcraft.watches import CampaignWatch, MailingWatch, TaskWatch, watch_from

SETTINGS = Settings("https://example.com", "token")


class Time:
    """A clock that moves by the pauses it is given."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def drive(watch, rounds, *, deadlines=None, poll_interval=10.0):
    """Answer each round of a vigil; the verdict, the pauses and the log."""
    clock, pauses, log = Time(), [], []
    steps = vigil(watch, SETTINGS, deadlines or Deadlines(), poll_interval=poll_interval, log=log.append, clock=clock)
    answers = iter(rounds)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                clock.now += step.seconds
                step = steps.send(None)
            else:
                answer = next(answers)
                step = steps.send([answer] * len(step))
    except StopIteration as end:
        return end.value, pauses, log


def status(word, progress=0, result=None):
    return Reply("tasks/status", {"status": word, "progress": progress, "result": result})


@given(
    state=st.sampled_from(State),
    errors=st.integers(0, 20),
    now=st.floats(0, 100),
    timeout=st.none() | st.floats(0, 100),
    execution=st.none() | st.floats(0, 100),
)
def test_the_policy_decides_by_state_first_then_errors_then_deadlines(state, errors, now, timeout, execution):
    decision = decide(state, errors=errors, now=now, deadlines=Deadlines(timeout, execution))
    late = any(moment is not None and now >= moment for moment in (timeout, execution))
    if state is State.SUCCEEDED:
        assert decision is Decision.DONE
    elif state is State.FAILED or errors >= ERROR_BUDGET:
        assert decision is Decision.FAILED
    else:
        assert decision is (Decision.TIMED_OUT if late else Decision.WAIT)


def test_a_word_nobody_documents_means_still_running():
    verdict, pauses, log = drive(TaskWatch(["t"]), [status("brewing"), status("brewing"), status("completed", 100)])
    assert verdict.decision is Decision.DONE
    assert len(pauses) == 2
    assert sum("brewing" in line for line in log) == 1


@pytest.mark.parametrize("word", ["completed", "success", "Completed"])
def test_both_words_for_a_finished_task_are_understood(word):
    assert drive(TaskWatch(["t"]), [status(word, 100)])[0].decision is Decision.DONE


def test_a_task_whose_result_says_error_has_failed():
    verdict, *_ = drive(TaskWatch(["t"]), [status("completed", 100, {"error": 500, "error_text": "boom"})])
    with pytest.raises(AltcraftJobFailed, match="t: its result says error 500"):
        verdict.raise_for_failure()


def test_polls_are_jittered_around_the_interval():
    _, pauses, _ = drive(TaskWatch(["t"]), [status("x")] * 30 + [status("completed")])
    assert all(8 <= pause <= 12 for pause in pauses)
    assert len(set(pauses)) > 20


def test_a_hiccup_is_not_a_failure():
    hiccups = [AltcraftTransportError("502")] * (ERROR_BUDGET - 1)
    verdict, *_ = drive(TaskWatch(["t"]), [*hiccups, status("x"), *hiccups, status("completed")])
    assert verdict.decision is Decision.DONE


def test_errors_without_end_end_the_wait_and_say_that_the_job_goes_on():
    verdict, pauses, _ = drive(TaskWatch(["t"]), [AltcraftTransportError("502")] * ERROR_BUDGET)
    with pytest.raises(AltcraftTransportError, match="goes on"):
        verdict.raise_for_failure()
    assert sum(pauses) > 1_000


def test_an_authentication_error_ends_at_once():
    verdict, pauses, _ = drive(TaskWatch(["t"]), [AltcraftAuthenticationError("tasks/status", code=403)])
    assert not pauses
    with pytest.raises(AltcraftAuthenticationError):
        verdict.raise_for_failure()


def test_retry_after_is_obeyed_and_costs_no_budget():
    limited = AltcraftRateLimited("tasks/status", code=429, retry_after=60)
    verdict, pauses, _ = drive(TaskWatch(["t"]), [limited] * 30 + [status("completed")])
    assert verdict.decision is Decision.DONE
    assert all(pause >= 60 for pause in pauses)


@pytest.mark.parametrize(
    ("deadlines", "cause"),
    [(Deadlines(timeout=1_025), "timeout"), (Deadlines(timeout=2_000, execution=1_025), "execution_timeout")],
)
def test_the_earlier_deadline_ends_the_wait_after_one_last_look(deadlines, cause):
    verdict, pauses, _ = drive(TaskWatch(["t"]), [status("x")] * 9, deadlines=deadlines)
    assert (verdict.decision, verdict.cause) == (Decision.TIMED_OUT, cause)
    assert sum(pauses) == pytest.approx(25)
    with pytest.raises(AltcraftWaitTimeout):
        verdict.raise_for_failure()


def test_a_thousand_tasks_end_with_the_last_of_them():
    watch = TaskWatch([f"t{number}" for number in range(1_000)])
    asks = watch.asks()
    for ask in asks[:-1]:
        watch.hear(ask, status("completed", 100, {"error": 0, "result": [{"profile_id": "p"}]}), SETTINGS)
    assert [ask.subject for ask in watch.asks()] == ["t999"]
    assert watch.state is State.RUNNING
    watch.hear(asks[-1], status("failed"), SETTINGS)
    assert watch.state is State.FAILED
    assert watch.result["accepted"] == 999


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
    watch = MailingWatch(7, "2026-11-21T09:00:00+00:00")
    watch.hear(watch.asks()[0], log_of(*marks), SETTINGS)
    assert watch.state is state


def test_a_full_page_of_the_log_is_followed_by_what_came_after():
    watch = MailingWatch(7, "2026-11-21T09:00:00+00:00")
    noise = [("", f"2026-11-21T09:{minute // 60:02d}:{minute % 60:02d}Z") for minute in range(1_000)]
    watch.hear(watch.asks()[0], log_of(*noise), SETTINGS)
    assert watch.asks()[0].params["from_time"] == "2026-11-21T09:16:39+00:00"


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
    watch = CampaignWatch(18, target)
    watch.hear(watch.asks()[0], Reply("scampaigns/get_status", {"status": word}), SETTINGS)
    assert watch.state is state


@pytest.mark.parametrize(
    "watch", [TaskWatch(["a", "b"]), MailingWatch(7, "2026-11-21T09:00:00+00:00"), CampaignWatch(18, "active")]
)
def test_a_watch_survives_the_way_through_a_trigger(watch):
    assert watch_from(watch.to_dict()) == watch


def test_a_kind_of_another_release_is_refused():
    with pytest.raises(AltcraftConfigurationError):
        watch_from({"kind": "segment"})


@pytest.mark.parametrize("event", [None, "done", {}, {"decision": "splendid", "cause": "", "reason": "", "result": {}}])
def test_an_event_that_cannot_be_read_is_never_a_success(event):
    with pytest.raises(AltcraftTransportError):
        Verdict.from_event(event).raise_for_failure()
