"""Profiles from Python into a scenario or a trigger mailing."""

from __future__ import annotations

import asyncio
import json

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, TaskDeferred

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario, TriggerMailing
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRowsError, AltcraftWaitTimeout
from airflow_provider_altcraft.operators.files import AltcraftUploadFileOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator
from tests.conftest import event_of
from tests.contexts import context
from tests.dag_run import DagRun
from tests.seeds.pages import SCENARIO_BATCH

BATCH = "workflows/import_and_start_batch_task"


def profiles(number, broken=0):
    return [{"email": "broken" if index < broken else f"u{index}@example.com"} for index in range(number)]


def operator(**arguments):
    if "trigger_id" not in arguments:
        arguments.setdefault("workflow_id", "12")
    return AltcraftImportAndStartOperator(
        task_id="start", **{"profiles": profiles(5), "batch_size": 2, "poll_interval": 0.02, "timeout": 20, **arguments}
    )


def test_profiles_enter_the_scenario_once_each(altcraft_sandbox, run):
    result = run(operator())
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 5
    assert (result["read"], result["accepted"], result["rejected"], result["tasks"]) == (5, 5, 0, 3)
    assert result["task_ids"] == [task.task_id for task in altcraft_sandbox.tasks] or len(result["task_ids"]) == 3


def test_profiles_may_be_yielded_into_a_trigger_mailing(altcraft_sandbox, run):
    result = run(operator(trigger_id=9, profiles=lambda: iter(profiles(5))))
    assert altcraft_sandbox.deliveries.count(9) == 5
    assert result["accepted"] == 5


def test_the_request_is_that_of_the_seed_page(altcraft_sandbox, run):
    page = SCENARIO_BATCH["request"]
    run(operator(profiles=[item["data"] for item in page["data"]], max_in_flight=1))
    (call,) = altcraft_sandbox.journal.calls(BATCH)
    assert call.request == {**page, "token": "***"}


@pytest.mark.parametrize("position", ["top", "data"])
def test_the_task_id_is_found_in_either_place(altcraft_sandbox, run, position):
    altcraft_sandbox.behaviour.task_id_position = position
    altcraft_sandbox.behaviour.task_id_prefix = "task_"
    assert run(operator())["accepted"] == 5


def test_a_reject_fails_the_task_unless_it_is_allowed(altcraft_sandbox, run):
    with pytest.raises(AltcraftRowsError, match="1 of 5 rows were rejected"):
        run(operator(profiles=profiles(5, broken=1)))


def test_rejects_are_kept_with_their_rows(altcraft_sandbox, run, tmp_path):
    result = run(operator(profiles=profiles(5, broken=2), max_rejects=2, reject_path=str(tmp_path)))
    assert (result["accepted"], result["rejected"]) == (3, 2)
    lines = [json.loads(line) for file in tmp_path.rglob("*.jsonl") for line in file.read_text().splitlines()]
    assert sorted(line["row"] for line in lines) == [1, 2]
    assert {line["text"] for line in lines} == {"Invalid email"}
    assert result["reject_path"] in {str(file.parent) for file in tmp_path.rglob("*.jsonl")}


def test_rejects_that_would_not_be_kept_are_not_allowed(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="reject_path"):
        operator(max_rejects=1).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_without_waiting_every_task_id_is_handed_over_and_nothing_is_left_behind(altcraft_sandbox, run, tmp_path):
    arguments = {"batch_size": 1, "wait_for_completion": False, "reject_path": str(tmp_path)}
    ctx = context()
    result = run(operator(profiles=profiles(60), **arguments), ctx)
    assert sorted(ctx["ti"].xcoms["altcraft_task_ids"]) == sorted(task.task_id for task in altcraft_sandbox.tasks)
    assert (result["tasks"], result["task_ids"]) == (60, None)
    assert not list(tmp_path.rglob("*.jsonl"))


def test_without_waiting_a_row_without_its_key_is_not_green_either(altcraft_sandbox, run):
    with pytest.raises(AltcraftRowsError, match="1 of 6 rows"):
        run(operator(profiles=[*profiles(5), {"_fname": "Nobody"}], wait_for_completion=False))


def test_a_task_that_fails_rejects_its_rows(altcraft_sandbox, run):
    altcraft_sandbox.behaviour.tasks_fail = True
    with pytest.raises(AltcraftRowsError, match="5 of 5"):
        run(operator())


def test_an_answer_without_rows_is_taken_for_the_batch_and_counted_as_such(altcraft_sandbox, run):
    altcraft_sandbox.behaviour.result_of_batches = "absent"
    result = run(operator())
    assert (result["accepted"], result["as_batch"]) == (5, 5)


def test_a_retry_sends_no_profile_twice(altcraft_sandbox, run):
    run(operator())
    result = run(operator(), try_number=2)
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 5
    assert (result["accepted"], result["replayed"]) == (5, 3)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status", "html", "cut_body"])
def test_no_profile_is_sent_twice_whatever_the_wire_does(altcraft_sandbox, run, kind):
    altcraft_sandbox.faults.add(Fault(kind, BATCH, nth=2, times=1))
    assert run(operator(max_in_flight=1))["accepted"] == 5
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 5


def test_a_body_the_installation_finds_too_large_is_halved(altcraft_sandbox, run):
    altcraft_sandbox.behaviour.max_body_bytes = 200
    result = run(operator(profiles=profiles(8), batch_size=8))
    assert result["accepted"] == 8
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 8


def test_a_profile_too_large_for_a_request_is_a_reject_and_the_others_are_sent(altcraft_sandbox, run, tmp_path):
    people = [*profiles(2), {"email": "x" * 10_000_001}, *profiles(4)[2:]]
    result = run(operator(profiles=people, reject_path=str(tmp_path), max_rejects=1))
    assert (result["accepted"], result["rejected"]) == (4, 1)
    (line,) = [json.loads(line) for path in tmp_path.rglob("*.jsonl") for line in path.read_text().splitlines()]
    assert (line["row"], len(line["record"]["email"])) == (3, 10_000_001)
    assert "over the limit of 10,000,000 (max_body_bytes" in line["text"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"workflow_id": ""}, "workflow_id is empty"),
        ({"trigger_id": "None"}, "trigger_id is empty"),
        ({"matching": "name"}, "matching"),
        ({"changes_only": True, "ledger_path": "/x"}, "changes_only needs a destination that answers at once"),
        ({"resource_id": 1}, "resource_id is only for trigger_id"),
        ({"workflow_id": None, "destination": Scenario(12), "matching": "phone"}, "Set matching in the destination"),
        ({"workflow_id": None, "destination": ProfileDatabase(1)}, "must be a Scenario or TriggerMailing, not Profile"),
        ({"matching": "custom"}, "field_name"),
        ({"profiles": "{{ ti.xcom_pull('extract') }}"}, "extract.output"),
        ({"profiles": [{"email": object()}]}, "'email' holds a object"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_in_flight": 0}, "max_in_flight"),
        ({"nulls": "drop"}, "nulls"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        operator(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize(
    "arguments",
    [{"workflow_id": None}, {"workflow_id": 12, "trigger_id": 9}, {"workflow_id": 12, "destination": Scenario(12)}],
)
def test_a_dag_that_names_no_destination_or_two_is_not_parsed(arguments):
    with pytest.raises(AltcraftConfigurationError, match="either workflow_id or trigger_id or destination"):
        operator(**arguments)


@pytest.mark.parametrize(
    ("flat", "whole"),
    [
        ({"workflow_id": 12, "content": {"day": "1"}}, Scenario(12, content={"day": "1"})),
        ({"trigger_id": 9, "matching": "email", "resource_id": 1}, TriggerMailing(9, matching="email", resource_id=1)),
    ],
)
def test_a_destination_says_the_same_as_its_parts(altcraft_sandbox, flat, whole):
    for number, where in enumerate([flat, {"destination": whole}]):
        operator(**{"workflow_id": None, "wait_for_completion": False, "batch_size": 5, **where}).execute(
            context(run_id=f"run {number}")
        )
    first, second = (call for call in altcraft_sandbox.journal.calls(whole.endpoint.name))
    assert first.request == second.request


def test_rows_are_no_template():
    assert "profiles" not in AltcraftImportAndStartOperator.template_fields


def rejects_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*.jsonl")}


def stalled(sandbox, tmp_path, **arguments):
    sandbox.behaviour.task_seconds = 10**6
    return operator(reject_path=str(tmp_path), timeout=0.05, **arguments)


def test_rows_put_aside_go_when_the_wait_has_failed_for_good(altcraft_sandbox, run, tmp_path):
    with pytest.raises(AltcraftWaitTimeout):
        run(stalled(altcraft_sandbox, tmp_path, retries=1), max_tries=1)
    assert len(rejects_below(tmp_path)) == 3, "a retry may still ask what became of them"
    with pytest.raises(AltcraftWaitTimeout):
        run(stalled(altcraft_sandbox, tmp_path, retries=1), max_tries=1, try_number=2)
    assert rejects_below(tmp_path) == set()


def test_rows_put_aside_go_when_no_retry_can_cure_the_wait(altcraft_sandbox, run, tmp_path):
    altcraft_sandbox.faults.add(Fault("api_error", "tasks/status", code=401))
    with pytest.raises(AirflowFailException):
        run(operator(reject_path=str(tmp_path), retries=1), max_tries=1)
    assert rejects_below(tmp_path) == set()


def test_rows_that_an_earlier_try_put_aside_in_other_batches_go_at_the_end_too(altcraft_sandbox, run, tmp_path):
    with pytest.raises(AltcraftWaitTimeout):
        run(stalled(altcraft_sandbox, tmp_path, retries=1), max_tries=1)
    altcraft_sandbox.clock.advance(10**6)
    altcraft_sandbox.behaviour.task_seconds = 0
    run(operator(reject_path=str(tmp_path), batch_size=3, retries=1), max_tries=1, try_number=2)
    assert rejects_below(tmp_path) == set()


@pytest.mark.parametrize("deferred", [False, True])
def test_a_retry_after_rejected_rows_says_the_same_and_raising_max_rejects_cures_it(
    time_passes, monkeypatch, tmp_path, deferred
):
    dag_run = DagRun(time_passes, monkeypatch, deferred=deferred, retries=3)
    arguments = {"profiles": profiles(11, broken=1), "batch_size": 3, "retries": 3, "reject_path": str(tmp_path)}
    for end in (dag_run.attempt(operator(**arguments)), dag_run.retry(operator(**arguments))):
        assert "1 of 11 rows were rejected" in str(end.error)
    end = dag_run.retry(operator(**arguments, max_rejects=5))
    assert end.green
    assert (end.result["accepted"], end.result["rejected"]) == (10, 1)
    (file,) = tmp_path.rglob("*.jsonl")
    assert json.loads(file.read_text())["record"] == {"email": "broken"}
    assert time_passes.deliveries.scenario_entries(12) == 10


def test_a_mapped_task_and_one_that_is_called_like_it_share_no_folder(altcraft_sandbox, run, tmp_path):
    arguments = {"profiles": profiles(5, broken=1), "max_rejects": 1, "reject_path": str(tmp_path)}
    places = [
        # The same rows enter a scenario once, wherever in a mapped list they stand.
        run(operator(request_id=f"{task_id} {index}", **arguments), task_id=task_id, map_index=index)["reject_path"]
        for task_id, index in [("load", 1), ("load-1", -1), ("load", -1), ("load", 11), ("load-1", 1)]
    ]
    assert len(set(places)) == 5
    assert [place.removeprefix(f"{tmp_path}/dag/run/") for place in places[:3]] == [
        "load/map_index=1",
        "load-1",
        "load",
    ]
    assert {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")} == {0}


def hook_data(sandbox, kind, started_id):
    """Email -> the data for action hooks that came with it."""
    return {
        profile["email"]: sandbox.deliveries.hook_data(kind, started_id, profile_id)
        for profile_id, profile in sandbox.profiles().items()
    }


@pytest.mark.parametrize(
    ("target", "kind"), [({"workflow_id": 12}, "scenario"), ({"trigger_id": 9}, "trigger")], ids=["scenario", "trigger"]
)
def test_data_for_hooks_is_a_profiles_own_or_that_of_all_and_no_field(altcraft_sandbox, run, target, kind):
    people = [{"email": "a@e.com", "custom_data": {"order": 7}}, {"email": "b@e.com"}]
    run(operator(profiles=people, custom_data={"order": 0}, **target))
    assert hook_data(altcraft_sandbox, kind, next(iter(target.values()))) == {
        "a@e.com": [{"order": 7}],
        "b@e.com": [{"order": 0}],
    }
    assert all("custom_data" not in profile for profile in altcraft_sandbox.profiles().values())


def test_a_reject_keeps_its_data_for_hooks_and_is_sent_again_with_it(altcraft_sandbox, run, tmp_path):
    people = [{"email": "broken", "custom_data": {"order": 7}}]
    run(operator(profiles=people, reject_path=str(tmp_path), max_rejects=1))
    (path,) = tmp_path.rglob("*.jsonl")
    path.write_text(path.read_text().replace("broken", "a@e.com"))
    run(operator(profiles=[], rejects_from=str(tmp_path)), run_id="repair")
    assert hook_data(altcraft_sandbox, "scenario", 12) == {"a@e.com": [{"order": 7}]}


def test_a_profile_that_differs_in_its_data_for_hooks_alone_is_another(altcraft_sandbox, run):
    for order in (7, 8):
        run(operator(profiles=[{"email": "a@e.com", "custom_data": {"order": order}}]), try_number=order - 6)
    assert hook_data(altcraft_sandbox, "scenario", 12) == {"a@e.com": [{"order": 7}, {"order": 8}]}


@pytest.fixture
def connection(altcraft_sandbox, monkeypatch):
    """Set extras of the connection."""

    def connection(**extra):
        parts = {**json.loads(altcraft_sandbox.connection_json), "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(parts))

    return connection


FILE = {"name": "{{ ti.task_id }}.txt", "data": "data:text/plain;base64,e3sgYSB9fQ==", "mimetype": "text/plain"}


class TestFiles:
    """Files that go with each message."""

    @pytest.mark.parametrize("target", [{"workflow_id": 12}, {"trigger_id": 9}])
    def test_each_request_holds_them(self, altcraft_sandbox, run, target):
        run(operator(attach=[FILE], **target))
        (endpoint,) = {call.endpoint for call in altcraft_sandbox.journal if "batch" in call.endpoint}
        assert [call.request["attach"] for call in altcraft_sandbox.journal.calls(endpoint)] == [
            [{**FILE, "name": "task.txt"}]
        ] * 3

    def test_a_file_may_be_one_that_another_task_uploaded(self):
        with DAG("dag", schedule=None, start_date=None):
            upload = AltcraftUploadFileOperator(task_id="upload", path="/tmp/x")
            tasks = [
                operator(attach=[upload.output]),
                SqlToAltcraftOperator(
                    task_id="sync",
                    sql="SELECT 1",
                    sql_conn_id="warehouse",
                    destination=Scenario(12, attach=[upload.output]),
                ),
            ]
        assert [task.upstream_task_ids for task in tasks] == [{"upload"}] * 2

    def test_requests_with_files_may_be_larger_and_are_cut_at_their_own_limit(self, altcraft_sandbox, run, connection):
        behaviour = altcraft_sandbox.behaviour
        behaviour.max_body_bytes = 1_000
        behaviour.max_body_bytes_with_files = 3_000
        connection(max_body_bytes=1_000, max_body_bytes_with_files=3_000)
        large = {**FILE, "data": "data:text/plain;base64," + "A" * 2_000}
        result = run(operator(profiles=profiles(40), batch_size=40, attach=[large]))
        sizes = [call.body_size for call in altcraft_sandbox.journal.calls(BATCH)]
        assert (result["accepted"], result["requests"]) == (40, len(sizes))
        assert 2_000 < max(sizes) <= 3_000
        assert {call.error for call in altcraft_sandbox.journal.calls(BATCH)} == {0}

    def test_files_that_leave_no_room_for_a_row_are_refused_before_any_call(self, altcraft_sandbox, connection):
        connection(max_body_bytes_with_files=1_000)
        with pytest.raises(
            AirflowFailException, match=r"even without rows.*limit of 1,000 \(max_body_bytes_with_files"
        ):
            operator(attach=[{**FILE, "data": "data:;base64," + "A" * 2_000}]).execute(context())
        assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize("phones", [["+79001234567"], "+79001234567"], ids=["a list", "one"])
def test_a_profile_is_found_by_its_phones(altcraft_sandbox, run, phones, tmp_path):
    people = [{"phones": phones, "_fname": "Ann"}, {"_fname": "Nobody"}, {"phones": [], "_fname": "Nobody else"}]
    result = run(operator(profiles=people, matching="phone", reject_path=str(tmp_path), max_rejects=2))
    assert (result["accepted"], result["rejected"]) == (1, 2)
    assert [profile["_fname"] for profile in altcraft_sandbox.profiles().values()] == ["Ann"]


class TestTheResultOfATask:
    """Altcraft need not know a finished task for long."""

    @pytest.fixture
    def forgetful(self, altcraft_sandbox):
        """Tasks are finished at once, and told of once."""
        altcraft_sandbox.behaviour.task_seconds = altcraft_sandbox.behaviour.task_seconds_per_item = 0
        for number in range(2, 20):
            fault = Fault("api_error", "tasks/status", nth=number, code=404, text="Task not found")
            altcraft_sandbox.faults.add(fault)
        return altcraft_sandbox

    @pytest.mark.parametrize("deferrable", [False, True])
    def test_is_asked_for_once_and_kept_with_its_reasons(self, forgetful, tmp_path, deferrable):
        arguments = {"max_rejects": 1, "reject_path": str(tmp_path), "batch_size": 10, "deferrable": deferrable}
        result = operator(profiles=profiles(2, broken=1), **arguments).execute(context())
        assert (result["accepted"], result["rejected"]) == (1, 1)
        (line,) = [line for file in tmp_path.rglob("*.jsonl") for line in file.read_text().splitlines()]
        assert json.loads(line)["text"] == "Invalid email"
        assert len(forgetful.journal.calls("tasks/status")) == 1

    def test_that_is_forgotten_after_a_deferral_fails_the_task_and_leaves_its_rows_put_aside(
        self, altcraft_sandbox, tmp_path
    ):
        task = operator(
            profiles=profiles(2, broken=1), max_rejects=1, reject_path=str(tmp_path), batch_size=10, deferrable=True
        )
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        altcraft_sandbox.clock.speed = 100
        event = asyncio.run(event_of(deferred.value.trigger))
        altcraft_sandbox.faults.add(Fault("api_error", "tasks/status", code=404, text="Task not found"))
        with pytest.raises(AltcraftRowsError, match="rejected rows, but no longer say which"):
            task.execute_complete(context(), event=event)
        (pending,) = tmp_path.rglob("pending/*.jsonl")
        assert len(pending.read_text().splitlines()) == 2

    def test_that_refused_nothing_needs_no_asking_after_a_deferral(self, altcraft_sandbox, tmp_path):
        task = operator(profiles=profiles(2), reject_path=str(tmp_path), batch_size=10, deferrable=True)
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        altcraft_sandbox.clock.speed = 100
        event = asyncio.run(event_of(deferred.value.trigger))
        altcraft_sandbox.faults.add(Fault("api_error", "tasks/status", code=404, text="Task not found"))
        assert task.execute_complete(context(), event=event)["accepted"] == 2
