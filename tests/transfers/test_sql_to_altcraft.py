"""Rows of a query into Altcraft, from SQLite and PostgreSQL."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario, TriggerMailing
from airflow_provider_altcraft.exceptions import AltcraftRowsError
from airflow_provider_altcraft.transfers.cursors import Query
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator
from tests.contexts import context

MAPPING = {"mail": "email", "name": "_fname"}
POSTGRES = os.environ.get("ALTCRAFT_TEST_POSTGRES", "host=127.0.0.1 port=5432 user=postgres dbname=test")


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER, mail TEXT, name TEXT)")
        rows = [(number, f"u{number}@example.com", f"Имя {number}") for number in range(1, 26)]
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", rows)
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def operator(**arguments):
    return SqlToAltcraftOperator(
        task_id="sync",
        **{
            "sql": "SELECT mail, name FROM customers ORDER BY id",
            "sql_conn_id": "warehouse",
            "destination": Scenario(12),
            "field_mapping": MAPPING,
            "batch_size": 10,
            "poll_interval": 0.02,
            "timeout": 20,
            **arguments,
        },
    )


@pytest.mark.parametrize("destination", [ProfileDatabase(1), Scenario("12"), TriggerMailing(9)])
def test_every_row_arrives_and_is_accounted_for(altcraft_sandbox, warehouse, run, destination):
    result = run(operator(destination=destination))
    assert (result["read"], result["sent"], result["accepted"], result["rejected"]) == (25, 25, 25, 0)
    stored = altcraft_sandbox.profiles(1).values()
    assert {profile["email"]: profile["_fname"] for profile in stored} == {
        f"u{number}@example.com": f"Имя {number}" for number in range(1, 26)
    }


def test_the_same_rows_at_a_retry_are_the_same_batches(altcraft_sandbox, warehouse, run):
    run(operator())
    assert run(operator(), try_number=2)["replayed"] == 3
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 25


def test_a_new_run_sends_anew(altcraft_sandbox, warehouse, run):
    run(operator(), run_id="monday")
    run(operator(), run_id="tuesday")
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 50


def test_rejected_rows_are_counted_and_kept(altcraft_sandbox, warehouse, run, tmp_path):
    with sqlite3.connect(warehouse) as connection:
        connection.execute("UPDATE customers SET mail = 'broken' WHERE id = 13")
        connection.execute("UPDATE customers SET mail = NULL WHERE id = 14")
    connection.close()
    with pytest.raises(AltcraftRowsError, match="2 of 25 rows"):
        run(operator())
    result = run(operator(max_rejects=2, reject_path=str(tmp_path / "rejects")), run_id="again")
    assert (result["accepted"], result["rejected"]) == (23, 2)
    kept = [json.loads(line) for file in (tmp_path / "rejects").rglob("*.jsonl") for line in file.open()]
    assert sorted(line["row"] for line in kept) == [13, 14]


def test_an_empty_result_sends_nothing(altcraft_sandbox, warehouse, run):
    assert run(operator(sql="SELECT mail, name FROM customers WHERE id < 0"))["read"] == 0
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"field_mapping": {"phone": "phones"}}, "does not return: phone"),
        ({"field_mapping": {"name": "_fname"}}, "no column becomes email"),
        ({"sql": "SELECT mail, mail FROM customers", "field_mapping": None}, "mail more than once"),
        ({"destination": Scenario("")}, "workflow_id is empty"),
        ({"destination": ProfileDatabase(1, mode="replace")}, "mode"),
        ({"destination": 12}, "destination"),
        ({"max_rejects": 3}, "reject_path"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_call(altcraft_sandbox, warehouse, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        operator(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_constants_are_in_every_profile(altcraft_sandbox, warehouse, run):
    run(operator(constants={"_vendor": "warehouse"}))
    assert {profile["_vendor"] for profile in altcraft_sandbox.profiles().values()} == {"warehouse"}


def test_a_row_processor_changes_rows_and_skips_them(altcraft_sandbox, warehouse, run):
    def only_odd(profile):
        number = int(profile["email"][1:].split("@")[0])
        return {**profile, "balance": str(number)} if number % 2 else None

    result = run(operator(row_processor=only_odd))
    assert (result["read"], result["skipped"], result["sent"], result["accepted"]) == (25, 12, 13, 13)
    assert {profile["balance"] for profile in altcraft_sandbox.profiles().values()} == {
        str(number) for number in range(1, 26, 2)
    }


def test_a_row_processor_that_fails_names_the_row_and_quotes_nothing(altcraft_sandbox, warehouse):
    def fails(profile):
        raise ValueError(profile["email"])

    with pytest.raises(AirflowFailException, match="at row 1 with ValueError") as caught:
        operator(row_processor=fails).execute(context())
    assert "example.com" not in repr(caught.value)
    assert caught.value.__cause__.__cause__ is None


def test_a_null_is_sent_only_for_the_fields_that_say_so(altcraft_sandbox, warehouse, run):
    sql = "SELECT mail, NULL AS name, NULL AS city FROM customers ORDER BY id"
    mapping = {"mail": "email", "name": "_fname", "city": "_city"}
    run(operator(sql=sql, field_mapping=mapping, nulls={"_fname": "send"}))
    (first, *_) = altcraft_sandbox.profiles().values()
    assert "_city" not in first
    assert first["_fname"] is None


def test_the_id_of_a_destination_is_a_template():
    sync = operator(destination=Scenario("{{ params.workflow_id }}"))
    sync.render_template_fields({"params": {"workflow_id": 12}})
    assert sync.destination.workflow_id == "12"


@pytest.fixture
def postgres(monkeypatch):
    psycopg2 = pytest.importorskip("psycopg2")
    try:
        connection = psycopg2.connect(POSTGRES)
    except psycopg2.OperationalError as error:
        if os.environ.get("ALTCRAFT_TEST_POSTGRES_REQUIRED"):
            raise
        pytest.skip(f"no PostgreSQL at {POSTGRES!r}: {error}")
    fields = connection.get_dsn_parameters()
    extra = {"conn_type": "postgres", "host": fields["host"], "port": int(fields["port"])}
    extra |= {"login": fields["user"], "schema": fields["dbname"]}
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES", json.dumps(extra))
    yield connection
    connection.close()


def test_postgresql_is_read_through_a_cursor_on_the_server(altcraft_sandbox, postgres, run):
    sql = "SELECT 'u' || n || '@example.com' AS mail, 'Имя ' || n AS name FROM generate_series(1, %s) AS n ORDER BY n"
    result = run(operator(sql=sql, sql_conn_id="postgres", parameters=[5_000], batch_size=1_000))
    assert (result["read"], result["accepted"]) == (5_000, 5_000)


def test_postgresql_does_not_hold_the_whole_result(postgres):
    from airflow.providers.common.compat.sdk import BaseHook

    hook = BaseHook.get_connection("postgres").get_hook()
    with Query(hook, "SELECT generate_series(1, 100000)", None, rows_at_a_time=10) as query:
        assert query._cursor.name
        assert next(iter(query)) == (1,)
