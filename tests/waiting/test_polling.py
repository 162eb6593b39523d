"""A wait asks no more than it must, survives hiccups, and keeps to its deadlines and to ``Retry-After``."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest

from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftAuthenticationError,
    AltcraftJobFailed,
    AltcraftRateLimited,
    AltcraftTransportError,
    AltcraftWaitTimeout,
)
from airflow_provider_altcraft.waiting.policy import ERROR_BUDGET, Deadlines, Decision
from airflow_provider_altcraft.waiting.polling import Poller, wait
from airflow_provider_altcraft.waiting.targets import TaskTarget

SETTINGS = Settings("https://example.com", "token")
START = 1_000.0


class Altcraft:
    """Answers questions, by a function of the moment and the question; time passes by the pauses alone."""

    def __init__(self, answer):
        self.now, self.pauses, self.calls = START, [], []
        self._answer = answer

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def call(self, name, params, *, attempts, raw_result=False):
        self.calls.append((self.now, params.get("task_id")))
        answer = self._answer(self.now, params.get("task_id"))
        if isinstance(answer, Exception):
            raise answer
        return answer


def drive(target, answer, *, deadlines=None, poll_interval=10.0, **known):
    """Wait; the verdict, the log, and the other side, which saw the calls."""
    altcraft, log = Altcraft(answer), []
    poller = Poller(
        target,
        SETTINGS,
        deadlines or Deadlines(),
        poll_interval=poll_interval,
        log=log.append,
        clock=altcraft.clock,
        **known,
    )
    return wait(poller, altcraft, sleep=altcraft.sleep, clock=altcraft.clock), log, altcraft


def rounds(*answers):
    """One answer for each call."""
    given = iter(answers)
    return lambda now, task_id: next(given)


def status(word, progress=0, result=None):
    return Reply("tasks/status", {"status": word, "progress": progress, "result": result})


def test_a_word_nobody_documents_means_still_running():
    verdict, log, altcraft = drive(
        TaskTarget(["t"]), rounds(status("brewing"), status("brewing"), status("completed", 100))
    )
    assert verdict.decision is Decision.DONE
    assert len(altcraft.pauses) == 2
    assert sum("brewing" in line for line in log) == 1


@pytest.mark.parametrize("word", ["completed", "success", "Completed"])
def test_both_words_for_a_finished_task_are_understood(word):
    assert drive(TaskTarget(["t"]), rounds(status(word, 100)))[0].decision is Decision.DONE


def test_a_task_whose_result_says_error_has_failed():
    verdict, *_ = drive(TaskTarget(["t"]), rounds(status("completed", 100, {"error": 500, "error_text": "boom"})))
    with pytest.raises(AltcraftJobFailed, match="t: error 500 in its result"):
        verdict.raise_for_failure()


def test_polls_are_jittered_around_the_interval():
    _, _, altcraft = drive(TaskTarget(["t"]), rounds(*[status("x")] * 30, status("completed")))
    assert all(8 <= pause <= 12.001 for pause in altcraft.pauses)
    assert len(set(altcraft.pauses)) > 20


def test_a_hiccup_is_not_a_failure():
    hiccups = [AltcraftTransportError("502")] * (ERROR_BUDGET - 1)
    verdict, *_ = drive(TaskTarget(["t"]), rounds(*hiccups, status("x"), *hiccups, status("completed")))
    assert verdict.decision is Decision.DONE


def test_errors_without_end_end_the_wait_and_say_that_the_job_goes_on():
    verdict, _, altcraft = drive(TaskTarget(["t"]), rounds(*[AltcraftTransportError("502")] * ERROR_BUDGET))
    with pytest.raises(AltcraftTransportError, match="keeps working"):
        verdict.raise_for_failure()
    assert sum(altcraft.pauses) > 1_000


def test_an_authentication_error_ends_at_once():
    verdict, _, altcraft = drive(TaskTarget(["t"]), rounds(AltcraftAuthenticationError("tasks/status", code=403)))
    assert not altcraft.pauses
    with pytest.raises(AltcraftAuthenticationError):
        verdict.raise_for_failure()


def test_retry_after_is_obeyed_and_costs_no_budget():
    limited = AltcraftRateLimited("tasks/status", code=429, retry_after=60)
    verdict, _, altcraft = drive(TaskTarget(["t"]), rounds(*[limited] * 30, status("completed")))
    assert verdict.decision is Decision.DONE
    assert all(pause >= 60 for pause in altcraft.pauses)


@pytest.mark.parametrize(
    ("deadlines", "cause"),
    [(Deadlines(timeout=1_025), "timeout"), (Deadlines(timeout=2_000, execution=1_025), "execution_timeout")],
)
def test_the_earlier_deadline_ends_the_wait_after_one_last_look(deadlines, cause):
    verdict, _, altcraft = drive(TaskTarget(["t"]), lambda now, task_id: status("x"), deadlines=deadlines)
    assert (verdict.decision, verdict.cause) == (Decision.TIMED_OUT, cause)
    assert sum(altcraft.pauses) == pytest.approx(25)
    assert altcraft.calls[-1][0] == 1_025
    with pytest.raises(AltcraftWaitTimeout):
        verdict.raise_for_failure()


@pytest.mark.slow
def test_one_failing_poll_in_a_hundred_does_not_end_a_wait_for_a_thousand_tasks():
    dice = random.Random(7)

    def answer(now, task_id):
        return AltcraftTransportError("502") if dice.random() < 0.01 else status("completed" if now > 2_000 else "x")

    verdict, _, altcraft = drive(TaskTarget([f"t{number}" for number in range(1_000)]), answer)
    assert verdict.decision is Decision.DONE
    assert len(altcraft.calls) > 50_000


def test_a_question_that_always_fails_ends_the_wait_and_is_named_though_the_others_are_answered():
    verdict, _, altcraft = drive(
        TaskTarget(["good", "bad"]),
        lambda now, task_id: status("x") if task_id == "good" else AltcraftTransportError("502 of the gateway"),
    )
    with pytest.raises(
        AltcraftTransportError, match=f"about task bad failed {ERROR_BUDGET} times in a row.*502 of the gateway"
    ):
        verdict.raise_for_failure()
    asked = [task_id for _, task_id in altcraft.calls]
    assert asked.count("bad") == ERROR_BUDGET
    # What fails is asked ever more seldom, and puts off nobody else.
    good = [moment for moment, task_id in altcraft.calls if task_id == "good"]
    assert max(later - earlier for earlier, later in pairwise(good)) <= 12.001


def test_an_answer_starts_the_count_of_its_question_anew():
    def answer(now, task_id):
        if now > 8_000:
            return status("completed")
        return status("x") if next(turn) % ERROR_BUDGET == 0 else AltcraftTransportError("502")

    turn = iter(range(10_000))
    assert drive(TaskTarget(["t"]), answer)[0].decision is Decision.DONE


def test_retry_after_does_not_hold_a_wait_beyond_its_deadline():
    limited = AltcraftRateLimited("tasks/status", code=429, retry_after=86_400)
    verdict, _, altcraft = drive(TaskTarget(["t"]), lambda *_: limited, deadlines=Deadlines(timeout=START + 60))
    assert verdict.decision is Decision.TIMED_OUT
    assert altcraft.now == START + 60
    assert len(altcraft.calls) == 1


def test_after_a_429_the_other_questions_wait_too():
    def answer(now, task_id):
        return AltcraftRateLimited("tasks/status", code=429, retry_after=60) if now == START else status("completed")

    verdict, _, altcraft = drive(TaskTarget([f"t{number}" for number in range(50)]), answer)
    assert verdict.decision is Decision.DONE
    assert len(altcraft.calls) == 51
    assert altcraft.calls[1][0] >= START + 60


def test_a_429_without_retry_after_is_a_pause_and_no_error():
    limited = AltcraftRateLimited("tasks/status", code=429)
    verdict, _, altcraft = drive(TaskTarget(["t"]), rounds(*[limited] * 30, status("completed")))
    assert verdict.decision is Decision.DONE
    assert min(altcraft.pauses) >= 8


def test_nothing_is_asked_before_the_next_poll_is_due():
    verdict, _, altcraft = drive(TaskTarget(["t"]), rounds(status("completed")), next_poll_at=START + 33)
    assert verdict.decision is Decision.DONE
    assert altcraft.calls == [(START + 33, "t")]


def test_what_cannot_be_read_counts_as_no_answer():
    broken = status("completed", result=msgspec.Raw(b'{"error": 0, "result": [nonsense]}'))
    verdict, log, _ = drive(TaskTarget(["t"]), rounds(broken, status("completed")))
    assert verdict.decision is Decision.DONE
    assert any("not JSON" in line for line in log)
