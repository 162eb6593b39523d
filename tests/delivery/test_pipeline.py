"""Rows in, requests out, and every row accounted for."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.delivery.answers import TaskOutcome, read_task_answer
from airflow_provider_altcraft.delivery.destinations import Scenario
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.pipeline import keep_rejects, settle
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.delivery.report import Report
from airflow_provider_altcraft.delivery.source import AT_A_TIME, from_profiles
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRowsError, AltcraftTransportError
from tests.delivery.altcraft import Altcraft, Reply, Sender, delivery


def source(profiles):
    return from_profiles(profiles, ProfileEncoder(timezone=UTC))


BAD_ROW = {"error": 400, "error_text": "Invalid email"}


def asked(status):
    """What asking for a finished task gives."""
    answer = read_task_answer(status["result"])
    return answer, answer.outcome()


def never(task_id):
    raise AssertionError(f"{task_id} is asked for again")


def profiles(number):
    return [{"email": f"u{index}@e.com"} for index in range(number)]


@given(
    number=st.integers(0, 60),
    refused=st.sets(st.integers(0, 60)),
    batch_size=st.integers(1, 20),
    in_flight=st.integers(1, 4),
    limit=st.integers(60, 600),
)
@settings(max_examples=60, deadline=None)
def test_the_counters_add_up_whatever_is_refused_and_however_it_is_cut(number, refused, batch_size, in_flight, limit):
    altcraft = Altcraft(limit=limit, refuses={f"u{index}@e.com" for index in refused})
    sending = delivery(altcraft, batch_size=batch_size, in_flight=in_flight)
    sending.run(source(profiles(number)))
    report = sending.report
    rejected = len([index for index in refused if index < number])
    assert (report.read, report.sent, report.accepted, report.rejected) == (number, number, number - rejected, rejected)
    assert sorted(altcraft.taken) == sorted(
        profile["email"] for profile in profiles(number) if profile["email"] not in altcraft.refuses
    )
    assert all(len(body) <= limit for body in altcraft.bodies)


class Unreliable(Altcraft):
    """Loses requests and answers, and like the real one remembers what it answered. Its store outlives a try."""

    def __init__(self, faults, *, keeps, **arguments):
        super().__init__(**arguments)
        self.faults, self.keeps = iter(faults), keeps
        self.memory, self.store = {}, {}

    def recall(self, batch):
        return self.store.get(batch)

    def settle(self, batch, verdict):
        if self.keeps:
            self.store[batch] = verdict

    def send(self, body, batch, **facts):
        assert batch not in self.store
        fault = next(self.faults, None)
        if fault == "request lost":
            raise AltcraftTransportError("lost")
        replayed = batch in self.memory
        if not replayed:
            self.memory[batch] = super().send(body, batch, **facts)
        if fault == "answer lost":
            raise AltcraftTransportError("lost")
        return Reply(self.memory[batch].data, replayed=replayed)


@given(
    number=st.integers(0, 40),
    refused=st.sets(st.integers(0, 40), max_size=3),
    faults=st.lists(st.sampled_from([None, "request lost", "answer lost"]), max_size=12),
    keeps=st.booleans(),
    batch_size=st.integers(1, 9),
    in_flight=st.integers(1, 4),
)
@settings(max_examples=100, deadline=None)
def test_tries_until_one_comes_through_send_each_row_once(number, refused, faults, keeps, batch_size, in_flight):
    altcraft = Unreliable(faults, keeps=keeps, refuses={f"u{index}@e.com" for index in refused})
    for _ in range(len(faults) + 1):
        sending = delivery(altcraft, batch_size=batch_size, in_flight=in_flight)
        with suppress(AltcraftTransportError):
            sending.run(source(profiles(number)))
            break
    report = sending.report
    rejected = len([index for index in refused if index < number])
    assert (report.read, report.sent, report.accepted, report.rejected) == (number, number, number - rejected, rejected)
    assert len(altcraft.taken) == len(set(altcraft.taken)) == number - rejected
    report.check(max_rejects=rejected, kept_at=None)


def test_a_body_the_server_finds_too_large_is_halved_down_to_one_row():
    altcraft = Altcraft(limit=40)
    sending = delivery(altcraft, batch_size=8)
    sending.run(source([*profiles(7), {"email": f"{'x' * 50}@e.com"}]))
    assert (sending.report.accepted, sending.report.rejected) == (7, 1)
    assert len(altcraft.bodies) == 7


def test_a_row_without_its_key_is_a_reject_and_is_not_sent(tmp_path):
    altcraft = Altcraft()
    sending = delivery(altcraft, rejects=Rejects(tmp_path, ["email"]))
    sending.run(source([{"email": None}, {"email": "a@e.com"}]))
    assert (sending.report.read, sending.report.accepted, sending.report.rejected) == (2, 1, 1)
    assert altcraft.taken == ["a@e.com"]
    (path,) = tmp_path.glob("row-1-*.jsonl")
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["row"] == 1


def test_rejects_are_kept_with_row_key_code_text_and_record(tmp_path):
    sending = delivery(Altcraft(refuses={"u4@e.com"}), rejects=Rejects(tmp_path, ["email"]))
    sending.run(source(profiles(6)))
    (line,) = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert json.loads(line) == {
        "row": 5,
        "key": {"email": "u4@e.com"},
        "code": 400,
        "text": "no",
        "record": {"email": "u4@e.com"},
    }


def test_a_batch_that_cannot_be_delivered_ends_the_delivery():
    class Broken(Sender):
        def send(self, body, batch, **facts):
            raise AltcraftTransportError("gone")

    with pytest.raises(AltcraftTransportError):
        delivery(Broken(), in_flight=2).run(source(profiles(20)))


def test_the_same_rows_twice_in_one_delivery_are_two_batches_with_the_same_names_at_every_try():
    def names():
        seen = []

        class Remembering(Altcraft):
            def send(self, body, batch, **facts):
                seen.append(batch)
                return super().send(body, batch, **facts)

        delivery(Remembering(), batch_size=2).run(source([*profiles(2), *profiles(2), *profiles(2)]))
        return seen

    assert len(set(names())) == 3
    assert names() == names()


def test_no_more_than_the_requests_in_flight_are_held():
    sending = delivery(Altcraft(), batch_size=1, in_flight=2)
    ahead = []

    def rows():
        for profile in profiles(5_000):
            ahead.append(len(ahead) + 1 - sending.report.accepted)
            yield profile

    sending.run(source(rows()))
    # One being cut, one waiting for a place, two in flight, and those that are written in one go.
    assert max(ahead) <= 4 + AT_A_TIME


@pytest.mark.parametrize("profile", [("ann@e.com", "Ann"), "ann@e.com", 3])
def test_what_is_no_profile_is_refused_and_not_quoted(profile):
    with pytest.raises(AltcraftConfigurationError, match="must be a dictionary") as caught:
        delivery(Altcraft()).run(source([{"email": "a@e.com"}, profile]))
    assert "ann@e.com" not in str(caught.value)


@pytest.mark.parametrize("key", [None, "", float("nan"), Decimal("NaN")])
def test_a_key_that_is_written_as_null_is_none(key):
    altcraft = Altcraft()
    sending = delivery(altcraft)
    sending.run(source([{"email": key}, {"email": "a@e.com"}]))
    assert (sending.report.rejected, altcraft.taken) == (1, ["a@e.com"])


def test_a_task_that_nobody_can_ask_leaves_its_rows_open():
    class Silent(Sender):
        def send(self, body, batch, **facts):
            return Reply()

    sending = delivery(Silent(), destination=Scenario(12))
    sending.run(source(profiles(3)))
    assert sending.report.unaccounted == 3


class TestTasks:
    """Destinations that answer with a task."""

    class Altcraft(Sender):
        def __init__(self):
            self.tasks = {}

        def send(self, body, batch, **facts):
            task_id = f"task-{len(self.tasks) + 1}"
            self.tasks[task_id] = [item["data"]["email"] for item in json.loads(body)["data"]]
            return Reply(task_id=task_id)

    def sent(self, tmp_path):
        altcraft, rejects = self.Altcraft(), Rejects(tmp_path, ["email"])
        sending = delivery(altcraft, destination=Scenario(12), rejects=rejects)
        sending.run(source(profiles(5)))
        return altcraft, sending, rejects

    def test_rows_are_counted_when_their_task_has_answered(self, tmp_path):
        altcraft, sending, rejects = self.sent(tmp_path)
        assert (sending.report.sent, sending.report.accepted) == (5, 0)

        def status(task_id):
            bad = {"error": 400, "error_text": "Invalid email"}
            items = [bad if row == "u3@e.com" else {"profile_id": row} for row in altcraft.tasks[task_id]]
            return {"status": "completed", "result": {"error": 0, "result": items}}

        settle(
            sending.report,
            sending.tasks,
            rejects,
            destination=Scenario(12),
            outcomes={},
            ask=lambda task_id: asked(status(task_id)),
        )
        assert (sending.report.accepted, sending.report.rejected) == (4, 1)
        (line,) = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
        assert json.loads(line)["record"] == {"email": "u3@e.com"}
        assert not list((tmp_path / "pending").iterdir())

    def test_rejects_whose_rows_cannot_be_reached_are_kept_by_their_place(self, tmp_path):
        _, sending, _ = self.sent(tmp_path / "on another worker")
        here = Rejects(tmp_path / "here", ["email"])
        settle(
            sending.report,
            sending.tasks,
            here,
            destination=Scenario(12),
            outcomes={task.task_id: TaskOutcome(failure="status failed") for task in sending.tasks},
            ask=never,
        )
        with pytest.raises(AltcraftRowsError, match="a place that all workers share"):
            sending.report.check(max_rejects=9, kept_at="there")
        lines = [json.loads(line) for file in (tmp_path / "here").glob("*.jsonl") for line in file.open()]
        assert len(lines) == sending.report.rejected == 5
        assert sorted((line["batch"], line["position"]) for line in lines)[0][1] == 0

    def answers(self, altcraft):
        """By task: one row of all is refused."""
        return {
            task_id: asked(
                {
                    "result": {
                        "error": 0,
                        "result": [BAD_ROW if row == "u3@e.com" else {"profile_id": row} for row in rows],
                    }
                }
            )
            for task_id, rows in altcraft.tasks.items()
        }

    def settled(self, sending, rejects, outcomes, ask):
        return settle(sending.report, sending.tasks, rejects, destination=Scenario(12), outcomes=outcomes, ask=ask)

    def test_a_task_is_asked_for_again_only_where_its_rows_were_refused(self, tmp_path):
        altcraft, sending, rejects = self.sent(tmp_path)
        answers, again = self.answers(altcraft), []
        outcomes = {task_id: outcome for task_id, (_, outcome) in answers.items()}
        forgotten = self.settled(sending, rejects, outcomes, lambda task_id: again.append(task_id) or answers[task_id])
        assert (len(again), forgotten) == (1, [])
        assert (sending.report.accepted, sending.report.rejected) == (4, 1)
        (line,) = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
        assert json.loads(line)["text"] == "Invalid email"

    def test_what_was_kept_while_it_was_known_needs_no_asking(self, tmp_path):
        altcraft, sending, rejects = self.sent(tmp_path)
        outcomes = {}
        for task in sending.tasks:
            answer, outcome = self.answers(altcraft)[task.task_id]
            is_kept = outcome.has_reasons and keep_rejects(task, answer, rejects, Scenario(12))
            outcomes[task.task_id] = answer.outcome(is_kept=is_kept)
        assert self.settled(sending, rejects, outcomes, never) == []
        (line,) = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
        assert (json.loads(line)["text"], json.loads(line)["record"]) == ("Invalid email", {"email": "u3@e.com"})
        assert not list((tmp_path / "pending").iterdir())

    def test_a_task_that_is_forgotten_still_counts_and_its_rows_stay_put_aside(self, tmp_path):
        altcraft, sending, rejects = self.sent(tmp_path)
        outcomes = {task_id: outcome for task_id, (_, outcome) in self.answers(altcraft).items()}

        def gone(task_id):
            raise AltcraftTransportError("404")

        (forgotten,) = self.settled(sending, rejects, outcomes, gone)
        assert (sending.report.accepted, sending.report.rejected) == (4, 1)
        (pending,) = (tmp_path / "pending").iterdir()
        assert pending.stem == next(task.batch for task in sending.tasks if task.task_id == forgotten)

    @pytest.mark.parametrize("failure", ["", "status failed"])
    @pytest.mark.parametrize("keeps_early", [True, False])
    def test_rejects_that_an_earlier_try_kept_are_not_lost_at_the_next(self, tmp_path, failure, keeps_early):
        altcraft, sending, _ = self.sent(tmp_path)
        (answers, before), refused = (self.answers(altcraft), sending.report.to_dict()), []
        for _ in range(2):
            rejects, outcomes = Rejects(tmp_path, ["email"]), {}
            sending.report = Report.from_dict(before)
            for task in sending.tasks:
                answer, outcome = answers[task.task_id]
                is_kept = keeps_early and outcome.has_reasons and keep_rejects(task, answer, rejects, Scenario(12))
                outcomes[task.task_id] = answer.outcome(failure=failure, is_kept=is_kept)
            assert self.settled(sending, Rejects(tmp_path, ["email"]), outcomes, answers.get) == []
            assert not list((tmp_path / "pending").iterdir())
            sending.report.check(max_rejects=5, kept_at="there")
            refused.append(sorted(line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()))
        assert refused[0] == refused[1]
        assert len(refused[1]) == sending.report.rejected

    def test_rejects_of_which_only_the_places_are_known_are_lost_at_the_next_try_too(self, tmp_path):
        _, sending, _ = self.sent(tmp_path / "on another worker")
        before = sending.report.to_dict()
        outcomes = {task.task_id: TaskOutcome(failure="status failed") for task in sending.tasks}
        for _ in range(2):
            sending.report = Report.from_dict(before)
            self.settled(sending, Rejects(tmp_path / "here", ["email"]), outcomes, never)
            assert sending.report.lost == 5

    def test_a_task_that_failed_took_none_of_its_rows(self, tmp_path):
        _, sending, rejects = self.sent(tmp_path)
        settle(
            sending.report,
            sending.tasks,
            rejects,
            destination=Scenario(12),
            outcomes={task.task_id: TaskOutcome(failure="status failed") for task in sending.tasks},
            ask=never,
        )
        assert (sending.report.accepted, sending.report.rejected) == (0, 5)


def test_a_report_whose_sums_do_not_meet_is_not_green():
    with pytest.raises(AltcraftRowsError, match="do not add up"):
        Report(read=2, sent=2, accepted=1).check(max_rejects=10, kept_at=None)


def test_more_rejects_than_allowed_are_not_green_and_the_error_says_where_they_are():
    report = Report(read=2, sent=2, accepted=1, rejected=1)
    with pytest.raises(AltcraftRowsError, match="/rejects"):
        report.check(max_rejects=0, kept_at="/rejects")
    report.check(max_rejects=1, kept_at="/rejects")


def test_a_report_survives_the_way_through_a_trigger():
    report = Report(read=3, sent=3, accepted=2, rejected=1, task_ids=["t"])
    report.reasons["400"] += 1
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_what_goes_to_xcom_is_small_however_many_tasks_there_were():
    report = Report(task_ids=[f"task_{number:036d}" for number in range(10_000)])
    assert len(json.dumps(report.summary(kept_at="/rejects"))) < 4096
