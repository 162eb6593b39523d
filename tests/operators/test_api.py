"""Any endpoint as a task."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftWaitTimeout
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.operators.api import AltcraftApiOperator
from airflow_provider_altcraft.runtime.results import XCOM_BYTES
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

CLONE = "campaigns/clone"
COUNT = "segments/refresh_counters"
ADD = "profiles/add_batch"
SEGMENT = {"id": 1, "resource_id": 1, "db_id": 1}


def call(endpoint, parameters=None, **arguments):
    return AltcraftApiOperator(
        **{
            "task_id": "call",
            "endpoint": endpoint,
            "parameters": parameters,
            "poll_interval": 0.02,
            "timeout": 20,
            **arguments,
        }
    )


def profiles(number):
    return [{"email": f"u{index}@example.com", "_fname": "А" * 100} for index in range(number)]


def test_a_read_returns_what_it_read(altcraft_sandbox):
    assert call("scampaigns/get_status", {"campaign_id": "18"}).execute(context()) == {"status": "inactive"}
    (asked,) = altcraft_sandbox.journal.calls("scampaigns/get_status")
    assert asked.request_id is None


def test_a_list_is_walked_over_all_its_pages_if_it_is_asked_for(altcraft_sandbox):
    def ids(**arguments):
        return [row["id"] for row in call("scampaigns/list", {"limit": 1}, **arguments).execute(context())]

    assert (ids(), ids(all_pages=True)) == ([18], [18, 42])


@pytest.mark.parametrize(
    ("endpoint", "parameters", "arguments"),
    [
        ("scampaigns/get_status", {"id": 18}, {}),
        ("scampaigns/list", {"limit": 1}, {}),
        ("scampaigns/list", {"limit": 1}, {"all_pages": True}),
        (CLONE, {"id": 7, "name": "Copy"}, {}),
    ],
)
def test_a_parameter_that_the_documentation_lacks_is_sent_as_it_is(altcraft_sandbox, endpoint, parameters, arguments):
    operator = call(endpoint, parameters, undocumented_parameters={"newer": "{{ ds }}"}, **arguments)
    operator.render_template_fields({"ds": "2026-11-01"})
    # The sandbox knows no more parameters than the documentation.
    with pytest.raises(AirflowFailException, match="newer"):
        operator.execute(context())
    (asked,) = altcraft_sandbox.journal.calls(endpoint)
    assert asked.request["newer"] == "2026-11-01"


def test_a_template_of_undocumented_parameters_is_judged_when_it_is_rendered(altcraft_sandbox):
    operator = call(CLONE, {"id": 7}, undocumented_parameters="{{ params.newer }}")
    with pytest.raises(AirflowFailException, match="a mapping"):
        operator.execute(context())
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize("remembers", [False, True])
def test_a_write_happens_once_however_often_the_task_is_tried(altcraft_sandbox, remembers):
    store = Store() if remembers else None
    before = len(altcraft_sandbox.world.mailings)
    made = [
        call(CLONE, {"id": 7, "name": "Copy"}).execute(context(store=store, try_number=number)) for number in (1, 2)
    ]
    assert made[0] == made[1]
    assert len(altcraft_sandbox.world.mailings) == before + 1


def test_an_answer_that_is_lost_after_the_work_is_asked_for_again(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("drop_after", CLONE, times=1))
    before = len(altcraft_sandbox.world.mailings)
    assert call(CLONE, {"id": 7}).execute(context())
    assert len(altcraft_sandbox.world.mailings) == before + 1


def test_a_cleared_task_does_it_again_only_if_it_is_told_to(altcraft_sandbox):
    store = Store()
    before = len(altcraft_sandbox.world.mailings)
    for max_tries in (0, 1):
        call(CLONE, {"id": 7}).execute(context(store=store, max_tries=max_tries))
    assert len(altcraft_sandbox.world.mailings) == before + 1
    call(CLONE, {"id": 7}, relaunch_on_clear=True).execute(context(store=store, max_tries=2))
    assert len(altcraft_sandbox.world.mailings) == before + 2


def test_a_request_id_of_ones_own_stands_in_for_dag_run_and_task(altcraft_sandbox):
    call(CLONE, {"id": 7}, request_id="mine").execute(context(run_id="one"))
    with pytest.raises(AirflowFailException, match="Altcraft remembers this launch"):
        call(CLONE, {"id": 7}, request_id="mine").execute(context(run_id="two"))
    assert len({asked.request_id for asked in altcraft_sandbox.journal.calls(CLONE)}) == 1


def test_a_task_is_waited_for_and_its_result_returned(altcraft_sandbox, run):
    result = run(call(COUNT, SEGMENT))
    assert result[0]["in_progress"] is False
    assert altcraft_sandbox.journal.calls("tasks/status")


def test_without_waiting_the_id_of_the_task_is_the_result(altcraft_sandbox, run):
    task_id = run(call(COUNT, SEGMENT, wait_for_completion=False))
    assert [task.task_id for task in altcraft_sandbox.tasks] == [task_id]


def test_a_retry_waits_for_the_task_of_the_try_before(altcraft_sandbox, run):
    store = Store()
    altcraft_sandbox.behaviour.task_seconds = 10**6
    with pytest.raises(AltcraftWaitTimeout):
        run(call(COUNT, SEGMENT, timeout=0.1), context(store=store))
    altcraft_sandbox.tasks[0].seconds = 0
    assert run(call(COUNT, SEGMENT), context(store=store, try_number=2))
    assert len(altcraft_sandbox.tasks) == 1


def test_a_task_that_fails_fails_the_task(altcraft_sandbox, run):
    altcraft_sandbox.behaviour.tasks_fail = True
    with pytest.raises(AirflowFailException, match="failed"):
        run(call("profiles/get_all", {"source_type": "database", "source_id": 1}))


def test_an_answer_without_the_id_of_its_task_is_no_green_task(altcraft_sandbox, monkeypatch):
    from airflow_provider_altcraft.api.reply import Reply

    operator = call(COUNT, SEGMENT)
    monkeypatch.setattr(operator.hook.client, "call", lambda *given, **named: Reply(COUNT, {"done": True}))
    with pytest.raises(AirflowFailException, match="no task id"):
        operator.execute(context())
    operator.wait_for_completion = False
    assert operator.execute(context()) == {"done": True}


class TestLargeResults:
    """More than an XCom takes."""

    @pytest.fixture
    def many(self, altcraft_sandbox):
        AltcraftHook().call(ADD, {"db_id": 1, "data": profiles(500)}, "seed")
        return altcraft_sandbox

    @pytest.mark.parametrize("all_pages", [True, False])
    def test_of_a_read_they_are_an_error_that_says_what_to_do(self, many, all_pages):
        with pytest.raises(AirflowFailException, match="result_path"):
            call("profiles/list", {"db_id": 1}, all_pages=all_pages).execute(context())

    def test_a_walk_stops_where_it_gets_too_large(self, many):
        with pytest.raises(AirflowFailException, match="more than 49,152"):
            call("profiles/list", {"db_id": 1, "limit": 100}, all_pages=True).execute(context())
        assert len(many.journal.calls("profiles/list")) == 1

    def test_of_a_write_what_fits_is_kept(self, altcraft_sandbox):
        parameters = {"db_id": 1, "data": profiles(1_000)}
        result = call(ADD, parameters).execute(context())
        assert (result["truncated"], result["count"]) == (True, 1_000)
        assert len(json.dumps(result)) <= XCOM_BYTES < result["bytes"]
        assert result["beginning"][0]["profile_id"] in altcraft_sandbox.profiles(1)

    @pytest.mark.parametrize("all_pages", [True, False])
    def test_a_file_holds_any(self, many, tmp_path, all_pages):
        path = tmp_path / "new/result.json"
        arguments = {"all_pages": all_pages, "result_path": f"file://{path}"}
        result = call("profiles/list", {"db_id": 1, "limit": 100}, **arguments).execute(context())
        expected = 500 if all_pages else 100
        assert (result["count"], result["bytes"]) == (expected, path.stat().st_size)
        assert len({row["email"] for row in json.loads(path.read_text())}) == expected
        assert [file.name for file in path.parent.iterdir()] == ["result.json"]

    @pytest.mark.parametrize(
        ("endpoint", "parameters", "count"),
        [("scampaigns/get_status", {"id": 18}, 1), ("senders/list", {"from_id": 99}, 0)],
    )
    def test_a_file_holds_a_small_one_too(self, altcraft_sandbox, tmp_path, endpoint, parameters, count):
        path = tmp_path / "result.json"
        result = call(endpoint, parameters, result_path=str(path)).execute(context())
        assert result["count"] == count
        json.loads(path.read_text())

    def test_the_result_of_a_task_goes_there_as_well(self, altcraft_sandbox, run, tmp_path):
        path = tmp_path / "result.json"
        assert run(call(COUNT, SEGMENT, result_path=str(path)))["count"] == 1
        assert json.loads(path.read_text())[0]["in_progress"] is False

    def test_a_walk_that_breaks_off_leaves_the_file_as_it_was(self, many, tmp_path):
        path = tmp_path / "result.json"
        path.write_text("before")
        many.faults.add(Fault("api_error", "profiles/list", nth=3, code=400))
        arguments = {"all_pages": True, "result_path": str(path)}
        with pytest.raises(AirflowFailException):
            call("profiles/list", {"db_id": 1, "limit": 100}, **arguments).execute(context())
        assert path.read_text() == "before"
        assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_downloaded_to_its_place(altcraft_sandbox, run, tmp_path):
    AltcraftHook().call(ADD, {"db_id": 1, "data": profiles(3)}, "seed")
    made = run(call("profiles/get_all", {"source_type": "database", "source_id": 1}))
    path = tmp_path / "profiles.csv"
    result = call("download/{file}", {"file": made["urls"][0]}, result_path=str(path)).execute(context())
    assert result["bytes"] == path.stat().st_size
    assert len(path.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"endpoint": "campaigns/gett"}, "Did you mean 'campaigns/get'"),
        ({"endpoint": "scampaigns/completed", "parameters": {"id": 18}}, "cannot be undone"),
        (
            {"endpoint": "databases/wipe", "parameters": "{{ params.p }}", "allow_irreversible": "yes"},
            "cannot be undone",
        ),
        ({"endpoint": CLONE}, "is required"),
        ({"endpoint": CLONE, "parameters": {"id": None}}, "is required"),
        ({"endpoint": CLONE, "parameters": {"id": "seven"}}, "id must be a whole number"),
        ({"endpoint": CLONE, "parameters": {"id": "{{ params.id }}", "nmae": "{{ ds }}"}}, "Did you mean 'name'"),
        ({"endpoint": CLONE, "parameters": {"id": 7, "token": "x"}}, "belongs in the connection"),
        (
            {"endpoint": CLONE, "parameters": {"id": 7}, "undocumented_parameters": {"name": "x"}},
            "documented parameter 'name'",
        ),
        ({"endpoint": CLONE, "parameters": {"id": 7}, "all_pages": True}, "is not one"),
        ({"endpoint": "download/{file}", "parameters": {"file": "x"}}, "needs result_path"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(arguments, reason):
    with pytest.raises(AltcraftConfigurationError, match=reason):
        call(**arguments)


@pytest.mark.parametrize(
    "parameters",
    [
        "{{ params.all }}",
        {"id": "{{ params.id }}"},
        {"id": 7, "name": "{% if a %}a{% endif %}"},
        {"mailing_id": "{{ 7 }}"},
        {"id": object()},
    ],
)
def test_what_a_template_becomes_is_not_judged_when_the_dag_is_parsed(parameters):
    call(CLONE, parameters)


def test_the_parameters_of_the_dag_are_not_taken_for_the_calls(altcraft_sandbox):
    import pendulum
    from airflow.providers.common.compat.sdk import DAG

    with DAG("dag", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), params={"campaign": 18}):
        operator = call("scampaigns/get_status", {"id": "{{ params.campaign }}"})
    operator.render_template_fields({"params": {"campaign": 18}})
    assert operator.execute(context()) == {"status": "inactive"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"parameters": {"id": "{{ params.nothing }}"}}, "empty|whole number"),
        ({"parameters": {"id": 7}, "result_path": ""}, "result_path is empty"),
        ({"parameters": {"id": 7}, "result_path": "nowhere://x"}, "no storage"),
        ({"parameters": {"id": 7}, "poll_interval": 0}, "poll_interval"),
    ],
)
def test_what_turns_out_wrong_on_the_worker_is_refused_before_any_call(altcraft_sandbox, arguments, reason):
    operator = call(CLONE, **arguments)
    operator.render_template_fields({"params": {"nothing": ""}})
    with pytest.raises(AirflowFailException, match=reason):
        operator.execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_what_cannot_be_undone_is_done_where_that_was_said(altcraft_sandbox):
    call("scampaigns/completed", {"id": 18}, allow_irreversible=True).execute(context())
    assert altcraft_sandbox.campaign_state(18) == "completed"


def test_nobody_is_named_in_the_log(altcraft_sandbox, caplog, tmp_path):
    with caplog.at_level("DEBUG"):
        call(ADD, {"db_id": 1, "data": profiles(1_000)}).execute(context())
        call("profiles/list", {"db_id": 1}, result_path=f"{tmp_path}/x.json").execute(context())
        with pytest.raises(AltcraftError):
            call(CLONE, {"id": "ann@example.com"})
    assert "@example.com" not in caplog.text
    assert altcraft_sandbox.token not in caplog.text
