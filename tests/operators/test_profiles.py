"""Profiles from Python into a database."""

from __future__ import annotations

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowSkipException, BaseOperator

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRowsError
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator
from tests.contexts import Store, context

PROFILES = [{"email": f"ann-{number}@example.com", "_fname": "Ann"} for number in range(20)]
BROKEN = {"email": "nobody"}


def load(**arguments):
    return AltcraftImportProfilesOperator(**{"task_id": "load", "db_id": "1", "profiles": PROFILES, **arguments})


def broken(count, of=20):
    return [*PROFILES[: of - count], *[BROKEN] * count]


def test_profiles_are_imported_row_by_row_accounted_for(altcraft_sandbox):
    result = load(batch_size=6).execute(context())
    assert (result["read"], result["accepted"], result["requests"]) == (20, 20, 4)
    assert len(altcraft_sandbox.profiles()) == 20


@pytest.mark.parametrize(
    "parts",
    [
        {"matching": "custom", "field_name": "_fname"},
        {"resource_id": 1},
        {"skip_triggers": True, "skip_invalid_subscriptions": True, "detect_geo": True},
    ],
)
def test_a_destination_says_the_same_as_its_parts(altcraft_sandbox, parts):
    for number, where in enumerate(
        [{"db_id": 1, **parts}, {"db_id": None, "destination": ProfileDatabase(1, **parts)}]
    ):
        load(**where).execute(context(run_id=f"run {number}"))
    first, second = altcraft_sandbox.journal.calls("profiles/import_batch")
    assert first.request == second.request
    assert first.request.items() >= parts.items()


@pytest.mark.parametrize("arguments", [{"db_id": None}, {"destination": ProfileDatabase(1)}])
def test_a_dag_that_names_no_database_or_two_is_not_parsed(arguments):
    with pytest.raises(AltcraftConfigurationError, match="either db_id or destination"):
        load(**arguments)


def test_a_destination_in_a_mapped_task_is_rendered_for_each_instance(altcraft_sandbox):
    shared = ProfileDatabase("{{ params.db }}")
    for db_id in (1, 2):
        task = load(db_id=None, destination=shared)
        task.render_template_fields({"params": {"db": db_id}})
        assert task.chosen_destination().db_id == str(db_id)
    assert shared.db_id == "{{ params.db }}"


def test_only_changed_profiles_are_sent(altcraft_sandbox, tmp_path):
    changed = [*PROFILES[:-1], {**PROFILES[-1], "_fname": "Eve"}]
    for number, (profiles, accepted) in enumerate([(PROFILES, 20), (PROFILES, 0), (changed, 1)]):
        task = load(profiles=profiles, changes_only=True, ledger_path=str(tmp_path))
        assert task.execute(context(run_id=f"run {number}"))["accepted"] == accepted


def test_a_ledger_in_a_table_needs_its_connection(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="ledger_table needs ledger_conn_id"):
        load(changes_only=True, ledger_table="ledger").execute(context())


def test_a_key_that_is_no_list_is_refused_though_nothing_uses_it(altcraft_sandbox):
    with pytest.raises(AirflowFailException, match="changes_key must be a list"):
        load(changes_key="email").execute(context())


def test_a_database_that_was_rendered_to_nothing_is_named(altcraft_sandbox):
    task = load()
    task.db_id = None
    with pytest.raises(AirflowFailException, match="either db_id or destination"):
        task.execute(context())


def test_a_task_stands_behind_those_whose_output_its_destination_holds():
    with DAG("d", start_date=pendulum.datetime(2026, 1, 1), schedule=None):
        first = BaseOperator(task_id="first")
        assert load(db_id=None, destination=ProfileDatabase(first.output)).upstream_task_ids == {"first"}
        sync = SqlToAltcraftOperator(
            task_id="sync", sql="", sql_conn_id="w", destination=Scenario(12, content=first.output)
        )
        assert sync.upstream_task_ids == {"first"}


def test_a_generator_is_read_on_the_worker(altcraft_sandbox):
    assert load(profiles=lambda: iter(PROFILES)).execute(context())["accepted"] == 20


@pytest.mark.parametrize("mode", ["update", "add"])
def test_the_mode_chooses_the_endpoint(altcraft_sandbox, mode):
    altcraft_sandbox.world.database(1).save(PROFILES[0], "email", None, known=None)
    profiles = PROFILES[:1] if mode == "update" else PROFILES[1:]
    load(profiles=profiles, mode=mode).execute(context())
    assert altcraft_sandbox.journal.calls(f"profiles/{mode}_batch")


def test_a_retry_imports_no_batch_twice(altcraft_sandbox):
    store = Store()
    load(batch_size=6).execute(context(store=store))
    load(batch_size=6).execute(context(store=store, try_number=2))
    assert len(altcraft_sandbox.journal.calls("profiles/import_batch")) == 4


def test_a_share_of_rejects_is_put_up_with(altcraft_sandbox, tmp_path):
    result = load(profiles=broken(2), max_reject_ratio=0.1, reject_path=str(tmp_path)).execute(context())
    assert (result["accepted"], result["rejected"]) == (18, 2)


def test_more_than_the_share_fails_the_task(altcraft_sandbox, tmp_path):
    with pytest.raises(AltcraftRowsError, match="3 of 20 rows were rejected, 2 are allowed"):
        load(profiles=broken(3), max_reject_ratio=0.1, reject_path=str(tmp_path)).execute(context())


@pytest.mark.parametrize(
    ("on_empty", "error"), [("succeed", None), ("skip", AirflowSkipException), ("fail", AltcraftRowsError)]
)
def test_no_rows_mean_what_the_dag_says(altcraft_sandbox, on_empty, error):
    operator = load(profiles=[], on_empty=on_empty)
    if error is None:
        assert operator.execute(context())["read"] == 0
    else:
        with pytest.raises(error, match="no rows"):
            operator.execute(context())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"db_id": ""}, "db_id is empty"),
        ({"mode": "merge"}, "mode must be"),
        ({"max_reject_ratio": 0.1}, "needs reject_path"),
        ({"max_reject_ratio": 10, "reject_path": "/tmp/x"}, "a fraction from 0 to 1"),
        ({"on_empty": "ignore"}, "on_empty must be"),
        ({"profiles": "{{ rows }}"}, "not templated"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        load(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def watched(rows, closed):
    """A generator as a user writes one: what it holds open, it closes at its end."""
    try:
        yield from rows
    finally:
        closed.append(True)


@pytest.mark.parametrize("how", ["a generator", "a function", "an object"])
def test_a_generator_is_closed_when_its_delivery_fails(altcraft_sandbox, how):
    closed = []

    class Extract:
        def __iter__(self):
            return watched(PROFILES, closed)

    generator = watched(PROFILES, closed)
    profiles = {"a generator": generator, "a function": lambda: generator, "an object": Extract()}[how]
    altcraft_sandbox.faults.add(Fault("api_error", "profiles/import_batch", code=403))
    # The error is at hand, and what it holds on to: nothing may depend on its going away.
    with pytest.raises(AirflowFailException) as caught:
        load(profiles=profiles, batch_size=1, max_in_flight=1).execute(context())
    assert (closed, caught.value.__cause__ is not None) == ([True], True)


def test_a_generator_that_cannot_be_closed_does_not_hide_why_its_delivery_failed(altcraft_sandbox):
    def profiles():
        try:
            yield from PROFILES
        finally:
            raise OSError("the connection is gone")

    altcraft_sandbox.faults.add(Fault("api_error", "profiles/import_batch", code=403))
    with pytest.raises(AirflowFailException, match="error 403"):
        load(profiles=profiles, batch_size=1, max_in_flight=1).execute(context())


def test_a_generator_that_a_dry_run_read_in_part_is_closed(altcraft_sandbox):
    closed = []
    load(profiles=watched(PROFILES, closed), dry_run=True, sample_size=2).execute(context())
    assert closed == [True]
