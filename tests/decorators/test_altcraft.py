"""Profiles that a function of the DAG yields."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, task

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario, TriggerMailing
from airflow_provider_altcraft.exceptions import AltcraftRowsError
from airflow_provider_altcraft.sandbox import Sandbox
from tests.airflow_command import airflow
from tests.contexts import Store, context

BATCH = "workflows/import_and_start_batch_task"


def profiles(number, broken=0):
    return [{"email": "broken" if index < broken else f"u{index}@example.com"} for index in range(number)]


def load(function, *args, **arguments):
    """The operator of a decorated function."""
    arguments = {"destination": ProfileDatabase(1), "batch_size": 2, "poll_interval": 0.02, "timeout": 20, **arguments}
    return task.altcraft_import(task_id="load", **arguments)(function)(*args).operator


def five():
    yield from profiles(5)


def test_airflow_offers_it_as_a_decorator(altcraft_sandbox):
    @task.altcraft_import(destination=ProfileDatabase(1))
    def people():
        yield {"email": "ann@example.com", "_fname": "Анна"}

    operator = people().operator
    assert (operator.task_id, operator.custom_operator_name) == ("people", "@task.altcraft_import")
    assert operator.execute(context())["accepted"] == 1
    (stored,) = altcraft_sandbox.profiles().values()
    assert stored["_fname"] == "Анна"


@pytest.mark.parametrize("destination", [ProfileDatabase(1), Scenario("12"), TriggerMailing(9)])
def test_what_a_function_yields_arrives_and_is_accounted_for(altcraft_sandbox, run, destination):
    result = run(load(five, destination=destination))
    assert (result["read"], result["accepted"], result["requests"]) == (5, 5, 3)
    assert len(altcraft_sandbox.profiles()) == 5


def test_a_returned_list_is_checked_as_a_whole_before_the_first_call(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="'email' holds a object"):
        load(lambda: [*profiles(4), {"email": object()}], max_in_flight=1).execute(context())
    assert not altcraft_sandbox.journal.calls("profiles/import_batch")


def test_what_is_yielded_is_sent_before_all_of_it_is_read(altcraft_sandbox):
    sent = []

    def watched():
        for profile in profiles(9):
            sent.append(len(altcraft_sandbox.journal.calls("profiles/import_batch")))
            yield profile

    load(watched, max_in_flight=1).execute(context())
    assert sent[-1] > 0


def test_a_scenario_waits_for_its_tasks(altcraft_sandbox, run):
    result = run(load(five, destination=Scenario(12)))
    assert (result["accepted"], result["tasks"]) == (5, 3)
    assert altcraft_sandbox.journal.calls("tasks/status")
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 5


def test_the_function_is_not_called_again_after_the_wait(altcraft_sandbox, run):
    calls = []

    def counted():
        calls.append(1)
        return profiles(5)

    run(load(counted, destination=Scenario(12)))
    assert calls == [1]


def test_rejects_fail_the_task(altcraft_sandbox, run):
    with pytest.raises(AltcraftRowsError, match="1 of 5 rows were rejected"):
        run(load(lambda: profiles(5, broken=1), destination=Scenario(12)))


def test_rejects_that_are_put_up_with_are_kept(altcraft_sandbox, run, tmp_path):
    result = run(load(lambda: profiles(5, broken=1), max_rejects=1, reject_path=str(tmp_path)))
    assert (result["accepted"], result["rejected"]) == (4, 1)
    assert list(tmp_path.rglob("*.jsonl"))


def test_a_retry_sends_no_profile_twice(altcraft_sandbox, run):
    run(load(five, destination=Scenario(12)))
    result = run(load(five, destination=Scenario(12)), try_number=2)
    assert (result["accepted"], result["replayed"]) == (5, 3)
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 5


def test_each_mapped_task_has_requests_of_its_own(altcraft_sandbox, run):
    for index in range(2):
        run(load(lambda half=index: profiles(10)[half * 5 : half * 5 + 5], destination=Scenario(12)), map_index=index)
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 10


def test_a_retry_of_an_import_sends_nothing_anew(altcraft_sandbox):
    store = Store()
    for number in (1, 2):
        load(five).execute(context(store=store, try_number=number))
    assert len(altcraft_sandbox.journal.calls("profiles/import_batch")) == 3


def test_the_function_is_given_its_arguments_and_what_it_asks_of_the_context(altcraft_sandbox):
    def greeted(name, *, city, ds=None):
        yield {"email": f"{name}@example.com", "_city": city, "_bdate": ds}

    operator = task.altcraft_import(destination=ProfileDatabase(1), task_id="load")(greeted)(
        "{{ params.name }}", city="Тверь"
    ).operator
    ctx = {**context(), "params": {"name": "ann"}, "ds": "2026-01-31"}
    operator.render_template_fields(ctx)
    operator.execute(ctx)
    (stored,) = altcraft_sandbox.profiles().values()
    assert (stored["email"], stored["_city"], stored["_bdate"]) == ("ann@example.com", "Тверь", "2026-01-31")


def test_the_id_of_the_destination_is_a_template(altcraft_sandbox):
    operator = load(five, destination=Scenario("{{ params.workflow_id }}"))
    operator.render_template_fields({"params": {"workflow_id": 12}})
    assert operator.destination.workflow_id == "12"


@pytest.mark.parametrize("returned", [None, "a@example.com", {"email": "a@example.com"}, 1])
def test_what_is_no_collection_of_profiles_is_refused(altcraft_sandbox, returned):
    with pytest.raises(AirflowFailException, match=f"must be a list of profiles or yield.*{type(returned).__name__}"):
        load(lambda: returned).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_a_destination_of_another_kind_is_refused(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="destination must be"):
        load(five, destination=12).execute(context())


def test_an_error_of_the_function_fails_the_task(altcraft_sandbox):
    def fails():
        yield from profiles(3)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        load(fails).execute(context())


def test_importing_it_loads_nothing_that_only_a_running_task_needs():
    code = (
        "import sys\n"
        "from airflow.providers.common.compat.sdk import DAG, BaseHook, DecoratedOperator\n"
        "before = set(sys.modules)\n"
        "import airflow_provider_altcraft.decorators.altcraft\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new & {'requests', 'urllib3', 'aiohttp', 'httpx', 'pandas', 'msgspec'}))\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


DAG_FILE = """
import pendulum
from airflow.providers.common.compat.sdk import DAG, task
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario

with DAG("decorated", start_date=pendulum.datetime(2026, 1, 1), schedule=None, params={"db_id": 1}):

    @task
    def extract():
        return [{"email": "ann@example.com"}, {"email": "bob@example.com"}]

    @task.altcraft_import(destination=ProfileDatabase("{{ params.db_id }}"))
    def load(people):
        yield from people

    @task.altcraft_import(destination=Scenario(12), deferrable=True, poll_interval=0.1, timeout=60)
    def start(people, person, city):
        assert person in people
        yield {**person, "_city": city}

    people = extract()
    load(people)
    start.partial(people=people, city="{{ ds }}").expand(person=people)
"""


@pytest.fixture(scope="module")
def in_airflow(tmp_path_factory):
    """The DAG, run by Airflow itself: what Altcraft holds after it, and what Airflow keeps of the templates."""
    folder = tmp_path_factory.mktemp("dags")
    (folder / "decorated.py").write_text(DAG_FILE)
    with Sandbox(speed=50) as sandbox:
        changes = {"AIRFLOW__CORE__DAGS_FOLDER": str(folder), "AIRFLOW_CONN_ALTCRAFT_DEFAULT": sandbox.connection_json}
        airflow("db", "migrate")
        airflow("dags", "test", "decorated", "2026-11-01T04:00:00+00:00", environment=changes)
        with closing(sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db")) as database:
            rendered = database.execute("SELECT task_id, rendered_fields FROM rendered_task_instance_fields").fetchall()
        yield sandbox, {name: json.loads(fields) for name, fields in rendered}


@pytest.mark.slow
def test_rows_from_upstream_are_imported(in_airflow):
    altcraft, _ = in_airflow
    assert {profile["email"] for profile in altcraft.profiles(1).values()} == {"ann@example.com", "bob@example.com"}


@pytest.mark.slow
def test_each_mapped_task_starts_the_scenario(in_airflow):
    altcraft, _ = in_airflow
    assert altcraft.deliveries.scenario_entries(12) == 2
    assert {profile["_city"] for profile in altcraft.profiles(1).values()} == {"2026-11-01"}


@pytest.mark.slow
def test_airflow_keeps_no_row_as_a_rendered_template(in_airflow):
    _, rendered = in_airflow
    assert "example.com" not in json.dumps([rendered["load"], rendered["start"]])
    assert "db_id='1'" in rendered["load"]["destination"]
