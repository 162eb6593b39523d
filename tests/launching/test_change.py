"""What a task is asked for changes between two tries, or after a clear: it launches what it says, once."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.api.objects import Content
from airflow_provider_altcraft.operators.mailings import (
    AltcraftCreateMailingOperator,
    AltcraftLaunchMailingOperator,
    AltcraftStartTriggerMailingOperator,
    AltcraftUpdateMailingOperator,
)
from airflow_provider_altcraft.sandbox import Fault
from tests.dag_run import DagRun

START = "campaigns/broadcasts/start"


KEEPING = ("store", "records", "nothing kept")


@pytest.fixture(autouse=True)
def mailings(time_passes):
    """Three broadcasts that can be launched."""
    for mailing_id in (101, 102, 103):
        time_passes.add_mailing(mailing_id)


@pytest.fixture(params=[(keeping, deferred) for keeping in KEEPING for deferred in (False, True)], ids=str)
def dag_run(request, altcraft_sandbox, tmp_path, monkeypatch):
    """A DAG run, whatever it keeps between tries and wherever it waits."""
    keeping, deferred = request.param
    return DagRun(altcraft_sandbox, monkeypatch, keeping=keeping, folder=tmp_path, deferred=deferred)


@pytest.fixture
def recorded(altcraft_sandbox, monkeypatch):
    """A DAG run with a task state store."""
    return DagRun(altcraft_sandbox, monkeypatch)


@pytest.fixture
def staging(altcraft_sandbox, monkeypatch):
    """The same DAG, run and task in another Airflow."""
    return DagRun(altcraft_sandbox, monkeypatch)


def launch(**arguments):
    return AltcraftLaunchMailingOperator(
        **{"task_id": "launch", "mailing_id": 101, "poll_interval": 0.02, "timeout": 5, **arguments}
    )


def sent(altcraft_sandbox):
    """How often each mailing went out."""
    return {number: len(altcraft_sandbox.deliveries.launches(number)) for number in (101, 102, 103)}


class TestAMappedLaunchWhoseListShifts:
    def test_sends_what_was_not_sent_and_nothing_twice(self, altcraft_sandbox, dag_run):
        dag_run.map(launch, "mailing_id", [101, 103])
        dag_run.clear()
        ends = dag_run.map(launch, "mailing_id", [101, 102, 103])
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: 1}
        if dag_run.keeps:
            assert [end.green and end.result["mailing_id"] for end in ends] == [101, 102, 103]
        else:
            # Nobody can tell what the clear found launched, so it is not called done.
            assert [end.word for end in ends] == ["AltcraftLaunchConflict", "green", "AltcraftLaunchConflict"]

    @pytest.mark.parametrize("after", [[103, 102, 101], [102], [102, 101], [103, 101, 102, 101]])
    def test_in_any_order_and_length(self, altcraft_sandbox, dag_run, after):
        dag_run.map(launch, "mailing_id", [101, 102])
        dag_run.clear()
        ends = dag_run.map(launch, "mailing_id", after)
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: int(103 in after)}
        for mailing_id, end in zip(after, ends, strict=True):
            assert not end.green or end.result["mailing_id"] == mailing_id

    def test_waits_for_the_run_that_another_instance_launched_at_each_try(self, altcraft_sandbox, recorded):
        recorded.map(launch, "mailing_id", [101, 103])
        recorded.clear()
        *_, last = recorded.map(launch, "mailing_id", [101, 102, 103])
        again = recorded.attempt(launch(mailing_id=103), 2)
        (run,) = altcraft_sandbox.mailing(103).runs
        assert last.result["finished_at"] == again.result["finished_at"] == run.end.isoformat()
        assert last.result["launched_at"] <= run.start.isoformat()

    @pytest.mark.parametrize("after", [[103], [102, 103, 101], [102, 104, 103]])
    def test_sends_nothing_twice_though_altcraft_has_forgotten_it(self, altcraft_sandbox, recorded, after):
        altcraft_sandbox.add_mailing(104)
        recorded.map(launch, "mailing_id", [101, 103])
        altcraft_sandbox.clock.advance(25 * 3600)
        recorded.clear()
        ends = recorded.map(launch, "mailing_id", after)
        assert [end.green and end.result["mailing_id"] for end in ends] == after
        assert max(sent(altcraft_sandbox).values()) == 1

    def test_leaves_alone_what_another_instance_may_have_sent_where_nobody_remembers(self, altcraft_sandbox, recorded):
        altcraft_sandbox.behaviour.deduplication = "off"
        recorded.extra(deduplication_window=0)
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
        audience = {"override_source_type": "segment", "override_source_id": 1}
        mapped = lambda **one: launch(**audience, **one)  # noqa: E731
        assert recorded.attempt(mapped(mailing_id=103), 1).word == "AltcraftOutcomeUnknown"
        recorded.clear()
        end = recorded.attempt(mapped(mailing_id=103), 0)
        assert end.word == "AltcraftOutcomeUnknown"
        assert "Another mapped instance" in str(end.error)
        assert sent(altcraft_sandbox)[103] == 1

    def test_tells_its_siblings_the_content_it_went_out_with(self, altcraft_sandbox, recorded):
        recorded.attempt(launch(content=Content(1, subject="02:00"), wait_for_completion=False), 0)
        assert recorded.attempt(launch(content=Content(1, subject="02:05"), wait_for_completion=False), 0).green
        assert recorded.attempt(launch(content=Content(1, subject="02:05")), 1).word == "AltcraftLaunchConflict"

    def test_one_mailing_for_three_segments_goes_to_each_once(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.add_segment(2)
        altcraft_sandbox.add_segment(3)
        mapped = lambda **one: launch(override_source_type="segment", **one)  # noqa: E731
        dag_run.map(mapped, "override_source_id", [1, 3])
        dag_run.clear()
        dag_run.map(mapped, "override_source_id", [1, 2, 3])
        audiences = [call.request["override_source_id"] for call in altcraft_sandbox.journal.calls(START)]
        assert sent(altcraft_sandbox)[101] == 3
        assert set(audiences) == {1, 2, 3}

    def test_recipients_of_a_trigger_mailing_get_it_once_each(self, altcraft_sandbox, dag_run):
        people = [{"email": f"{name}@example.com"} for name in ("a", "b", "c")]
        ids = [altcraft_sandbox.world.databases[1].save(person, "email", None, known=None) for person in people]
        start = lambda **one: AltcraftStartTriggerMailingOperator(task_id="launch", trigger_id=9, **one)  # noqa: E731
        dag_run.map(start, "recipient", [people[0], people[2]])
        dag_run.clear()
        dag_run.map(start, "recipient", people)
        assert [altcraft_sandbox.deliveries.times_sent(9, profile_id) for profile_id in ids] == [1, 1, 1]

    def test_a_request_id_of_the_users_own_is_derived_for_each(self, altcraft_sandbox, dag_run):
        ends = dag_run.map(lambda **one: launch(request_id="x", **one), "mailing_id", [101, 102, 103])
        assert all(end.green for end in ends)
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: 1}

    def test_the_same_target_twice_in_a_list_is_launched_once_and_says_so(self, altcraft_sandbox, dag_run):
        first, second = dag_run.map(launch, "mailing_id", [101, 101])
        assert first.green
        assert sent(altcraft_sandbox)[101] == 1
        assert second.green
        assert second.result["replayed"]


class TestATaskThatIsRenamedWithinARun:
    def test_does_not_launch_again_and_names_the_task_that_did(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch())
        dag_run.rename("renamed")
        end = dag_run.attempt(launch())
        assert end.word == "AltcraftLaunchConflict"
        assert "'task'" in str(end.error)
        assert sent(altcraft_sandbox)[101] == 1

    def test_stays_red_if_it_is_cleared_and_launches_if_that_is_meant(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch())
        dag_run.rename("renamed")
        dag_run.attempt(launch())
        dag_run.clear()
        assert not dag_run.attempt(launch()).green
        dag_run.clear()
        assert dag_run.attempt(launch(relaunch_on_clear=True)).green
        assert sent(altcraft_sandbox)[101] == 2

    def test_launches_another_mailing(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch())
        dag_run.rename("renamed")
        assert dag_run.attempt(launch(mailing_id=102)).green

    def test_does_not_launch_what_may_have_happened(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=9))
        dag_run.attempt(launch())
        altcraft_sandbox.faults.clear()
        dag_run.rename("renamed")
        assert dag_run.attempt(launch()).word == "AltcraftLaunchConflict"
        assert sent(altcraft_sandbox)[101] == 1

    def test_launches_what_was_refused(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.faults.add(Fault("api_error", START, times=9, code=400))
        assert not dag_run.attempt(launch()).green
        altcraft_sandbox.faults.clear()
        dag_run.rename("renamed")
        assert dag_run.attempt(launch()).green
        assert sent(altcraft_sandbox)[101] == 1

    def test_or_mapped_does_not_launch_what_it_did_before(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch())
        dag_run.rename("task")
        ends = dag_run.map(launch, "mailing_id", [101, 102])
        assert [end.word for end in ends] == ["AltcraftLaunchConflict", "green"]
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: 0}

    def test_or_not_mapped_any_more_does_not_either(self, altcraft_sandbox, dag_run):
        dag_run.map(launch, "mailing_id", [101, 102])
        dag_run.rename("task")
        assert dag_run.attempt(launch(mailing_id=102)).word == "AltcraftLaunchConflict"
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: 0}

    def test_is_not_one_whose_list_is_shorter_now(self, altcraft_sandbox, recorded):
        recorded.map(launch, "mailing_id", [101, 102])
        recorded.clear()
        recorded.shorten(1)
        (end,) = recorded.map(launch, "mailing_id", [102])
        assert end.green
        assert end.result["mailing_id"] == 102
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: 0}


class TestARetry:
    def test_takes_up_what_was_begun_though_its_content_renders_differently_now(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=9))
        first = dag_run.attempt(launch(content=Content(1, subject="02:00")))
        assert not first.green
        altcraft_sandbox.faults.clear()
        second = dag_run.retry(launch(content=Content(1, subject="02:05")))
        assert second.green
        assert sent(altcraft_sandbox)[101] == 1
        if dag_run.keeps:
            assert "subject" in dag_run.log
            assert len({call.body_digest for call in altcraft_sandbox.journal.calls(START)}) == 1

    def test_says_which_mailing_it_launched_if_its_argument_has_changed(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch(mailing_id=101, wait_for_completion=False))
        end = dag_run.retry(launch(mailing_id=102, wait_for_completion=False))
        launched = sent(altcraft_sandbox)
        assert end.green
        assert launched[end.result["mailing_id"]] == 1
        if dag_run.keeps:
            assert (launched[101], launched[102], end.result["mailing_id"]) == (1, 0, 101)

    def test_sends_what_a_lost_request_asked_for_and_not_what_its_arguments_render_to_now(
        self, altcraft_sandbox, recorded
    ):
        altcraft_sandbox.faults.add(Fault("drop_before", START, times=9))
        recorded.attempt(launch(mailing_id=101))
        altcraft_sandbox.faults.clear()
        end = recorded.retry(launch(mailing_id=102))
        assert end.result["mailing_id"] == 101
        assert sent(altcraft_sandbox) == {101: 1, 102: 0, 103: 0}

    def test_stops_where_what_was_begun_cannot_be_repeated(self, altcraft_sandbox, recorded):
        one, other = ({"email": f"{name}@example.com"} for name in "ab")
        ids = [altcraft_sandbox.world.databases[1].save(person, "email", None, known=None) for person in (one, other)]
        start = lambda person: AltcraftStartTriggerMailingOperator(  # noqa: E731
            task_id="launch", trigger_id=9, recipient=person
        )
        altcraft_sandbox.faults.add(Fault("drop_after", "campaigns/triggers/start", times=9))
        recorded.attempt(start(one))
        altcraft_sandbox.faults.clear()
        end = recorded.retry(start(other))
        assert end.word == "AltcraftOutcomeUnknown"
        assert "example.com" not in str(end.error)
        assert [altcraft_sandbox.deliveries.times_sent(9, profile_id) for profile_id in ids] == [1, 0]

    def test_creates_no_second_mailing_though_its_name_renders_differently(self, altcraft_sandbox, dag_run):
        first = dag_run.attempt(create(name="02:00"))
        second = dag_run.retry(create(name="02:05"))
        assert first.result == second.result
        assert len(altcraft_sandbox.journal.calls("campaigns/broadcasts/add")) == (1 if dag_run.keeps else 2)


class TestAClear:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({"content": Content(1, subject="Old")}, {"content": Content(1, subject="New")}),
            ({}, {"override_limit": 5}),
            ({}, {"override_source_type": "segment", "override_source_id": 1}),
        ],
        ids=["content", "settings", "audience"],
    )
    def test_with_other_arguments_than_were_launched_ends_red_and_names_both(
        self, altcraft_sandbox, dag_run, before, after
    ):
        dag_run.attempt(launch(**before))
        dag_run.clear()
        end = dag_run.attempt(launch(**after))
        assert end.word == "AltcraftLaunchConflict"
        assert "relaunch_on_clear=True" in str(end.error)
        assert sent(altcraft_sandbox)[101] == 1
        if dag_run.keeps:
            for arguments in (before, after):
                for value in arguments.values():
                    assert str(getattr(value, "subject", value)) in str(end.error)

    def test_with_the_arguments_put_back_is_green_again(self, altcraft_sandbox, recorded):
        recorded.attempt(launch())
        recorded.clear()
        assert not recorded.attempt(launch(override_limit=5)).green
        recorded.clear()
        assert recorded.attempt(launch()).green
        assert sent(altcraft_sandbox)[101] == 1

    def test_and_a_retry_after_it_takes_up_the_launch_whatever_its_content_renders_to_by_then(
        self, altcraft_sandbox, recorded
    ):
        recorded.attempt(launch(content=Content(1, subject="02:00"), wait_for_completion=False))
        recorded.clear()
        assert recorded.attempt(launch(content=Content(1, subject="02:00"), wait_for_completion=False)).green
        assert recorded.retry(launch(content=Content(1, subject="02:05"))).green
        assert sent(altcraft_sandbox)[101] == 1

    @pytest.mark.parametrize("fault", ["drop_before", "html"])
    def test_with_other_content_is_red_though_the_first_answer_was_lost(self, altcraft_sandbox, dag_run, fault):
        dag_run.attempt(launch())
        dag_run.clear()
        altcraft_sandbox.faults.add(Fault(fault, START, times=1))
        assert dag_run.attempt(launch(content=Content(1, subject="New"))).word == "AltcraftLaunchConflict"

    def test_that_launches_again_is_retried_as_any_first_try(self, altcraft_sandbox, time_passes, monkeypatch):
        dag_run = DagRun(time_passes, monkeypatch, keeping="nothing kept", retries=3)
        again = lambda: launch(relaunch_on_clear=True, retries=3)  # noqa: E731
        assert dag_run.attempt(again()).green
        dag_run.clear()
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=9))
        assert dag_run.attempt(again()).word == "AltcraftTransportError"
        altcraft_sandbox.faults.clear()
        assert dag_run.retry(again()).green
        assert sent(altcraft_sandbox)[101] == 2

    def test_with_relaunch_on_clear_launches_what_they_say_now(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch())
        dag_run.clear()
        assert dag_run.attempt(launch(override_limit=5, relaunch_on_clear=True)).green
        assert sent(altcraft_sandbox)[101] == 2

    def test_for_another_mailing_launches_that_one(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch(mailing_id=101))
        dag_run.clear()
        end = dag_run.attempt(launch(mailing_id=102))
        assert end.result["mailing_id"] == 102
        assert sent(altcraft_sandbox) == {101: 1, 102: 1, 103: 0}

    def test_without_changes_does_not_launch_again(self, altcraft_sandbox, dag_run):
        dag_run.attempt(launch())
        dag_run.clear()
        end = dag_run.attempt(launch())
        assert sent(altcraft_sandbox)[101] == 1
        assert end.green is dag_run.keeps

    def test_of_an_update_does_it_again(self, altcraft_sandbox, dag_run):
        update = lambda: AltcraftUpdateMailingOperator(  # noqa: E731
            task_id="launch", mailing_id=101, mailing_type="broadcast", name="Sale", data_type="list", data_id=1,
            content=[Content(1)],
        )  # fmt: skip
        dag_run.attempt(update())
        altcraft_sandbox.mailing(101).name = "By hand"
        dag_run.clear()
        assert dag_run.attempt(update()).green
        assert altcraft_sandbox.mailing(101).name == "Sale"

    def test_of_a_creation_with_other_content_ends_red(self, altcraft_sandbox, dag_run):
        dag_run.attempt(create(name="One"))
        dag_run.clear()
        assert dag_run.attempt(create(name="Two")).word == "AltcraftLaunchConflict"
        assert len(altcraft_sandbox.world.mailings) == len({*altcraft_sandbox.world.mailings})
        assert [m.name for m in altcraft_sandbox.world.mailings.values()].count("Two") == 0


class TestTwoDeploymentsWithOneToken:
    def test_do_not_swallow_each_others_launch(self, altcraft_sandbox, staging, dag_run):
        assert staging.attempt(launch()).green
        end = dag_run.attempt(launch())
        assert end.word == "AltcraftLaunchConflict"
        assert isinstance(end.error, AirflowFailException)
        assert "deployment" in str(end.error)
        assert sent(altcraft_sandbox)[101] == 1

    def test_stay_apart_though_the_red_task_is_cleared(self, altcraft_sandbox, staging, dag_run):
        staging.attempt(launch())
        dag_run.attempt(launch())
        dag_run.clear()
        assert not dag_run.attempt(launch()).green
        dag_run.extra(deployment="production")
        dag_run.clear()
        assert dag_run.attempt(launch()).green
        assert sent(altcraft_sandbox)[101] == 2

    def test_with_names_of_their_own_both_launch(self, altcraft_sandbox, staging, dag_run):
        staging.attempt(launch())
        dag_run.extra(deployment="production")
        end = dag_run.attempt(launch())
        assert end.green
        assert not end.result["replayed"]
        assert sent(altcraft_sandbox)[101] == 2

    def test_an_answer_that_was_lost_once_is_still_ones_own(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
        end = dag_run.attempt(launch())
        assert end.green
        assert end.result["launched_at"]
        assert sent(altcraft_sandbox)[101] == 1


def create(name):
    return AltcraftCreateMailingOperator(
        task_id="launch", name=name, mailing_type="broadcast", data_type="list", data_id=1,
        content=[{"message_id": 1}], send_channel="email",
    )  # fmt: skip
