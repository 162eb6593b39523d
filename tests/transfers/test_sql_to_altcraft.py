"""Rows of a query into Altcraft, from SQLite and PostgreSQL."""

from __future__ import annotations

import json
import sqlite3

import psycopg2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.delivery.destinations import (
    Orders,
    ProfileDatabase,
    PromoCodes,
    Scenario,
    SuppressionList,
    TriggerMailing,
)
from airflow_provider_altcraft.exceptions import AltcraftRowsError
from airflow_provider_altcraft.sandbox import Fault, Sandbox
from airflow_provider_altcraft.transfers.cursors import SqlQuery
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator
from tests import databases
from tests.contexts import Store, context

MAPPING = {"mail": "email", "name": "_fname"}


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
        ({"field_mapping": {"name": "_fname"}}, "no column is mapped to email"),
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


@pytest.mark.parametrize("name", ["phone", "phones"])
def test_a_phone_is_looked_for_in_either_column(altcraft_sandbox, warehouse, run, name):
    sql = f"SELECT '+7900123450' || id AS {name} FROM customers WHERE id < 4"
    result = run(operator(sql=sql, field_mapping=None, destination=ProfileDatabase(1, matching="phone")))
    assert (result["accepted"], len(altcraft_sandbox.profiles())) == (3, 3)


def test_rows_without_any_column_of_a_phone_are_refused(altcraft_sandbox, warehouse):
    with pytest.raises(AirflowFailException, match="no column is mapped to phone or phones"):
        operator(destination=ProfileDatabase(1, matching="phone")).execute(context())


@pytest.mark.parametrize("mapping", [{"mail": "email", "id": "custom_data.number"}, None], ids=["path", "column"])
def test_columns_become_data_for_hooks_beside_the_profile(altcraft_sandbox, warehouse, run, mapping):
    sql = "SELECT mail, id FROM customers ORDER BY id LIMIT 3"
    arguments = {"field_mapping": mapping}
    if mapping is None:
        arguments = {
            "field_mapping": {"mail": "email", "id": "custom_data"},
            "row_processor": lambda row: {**row, "custom_data": {"number": row["custom_data"]}},
        }
    run(operator(sql=sql, destination=Scenario(12), **arguments))
    assert [
        altcraft_sandbox.deliveries.hook_data("scenario", 12, profile_id) for profile_id in altcraft_sandbox.profiles()
    ] == [[{"number": 1}], [{"number": 2}], [{"number": 3}]]


@pytest.mark.parametrize("processor", [None, dict], ids=["rows", "processed rows"])
def test_the_rows_are_let_go_when_their_delivery_fails(altcraft_sandbox, warehouse, monkeypatch, processor):
    chunks, closed = SqlQuery.chunks, []

    def watched(query):
        try:
            yield from chunks(query)
        finally:
            closed.append(True)

    monkeypatch.setattr(SqlQuery, "chunks", watched)
    altcraft_sandbox.faults.add(Fault("api_error", "profiles/import_batch", code=403))
    sync = operator(destination=ProfileDatabase(1), row_processor=processor, batch_size=1, max_in_flight=1)
    with pytest.raises(AirflowFailException) as caught:
        sync.execute(context())
    assert (closed, caught.value.__cause__ is not None) == ([True], True)


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


def change(warehouse, *statements):
    with sqlite3.connect(warehouse) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_addresses_go_on_a_suppression_list(altcraft_sandbox, warehouse, run):
    result = run(operator(destination=SuppressionList("3"), field_mapping={"mail": "email"}))
    assert (result["accepted"], result["requests"]) == (25, 3)
    assert len(altcraft_sandbox.suppressed(list_id=3)) == 25


def test_an_address_that_the_list_did_not_take_fails_the_task(altcraft_sandbox, warehouse, run):
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 13")
    with pytest.raises(AltcraftRowsError, match="not account for 1 rows"):
        run(operator(destination=SuppressionList(3), field_mapping={"mail": "email"}))


def test_promo_codes_beyond_the_limit_of_their_programme_are_rejects(altcraft_sandbox, warehouse, run, tmp_path):
    altcraft_sandbox.add_programme(6, name="Short", limit=20)
    arguments = {"destination": PromoCodes(6), "sql": "SELECT 'CODE-' || id AS code FROM customers ORDER BY id"}
    result = run(operator(**arguments, field_mapping=None, max_rejects=5, reject_path=str(tmp_path)))
    assert (result["accepted"], result["rejected"]) == (20, 5)
    assert len(altcraft_sandbox.promocodes(loyalty_id=6)) == 20


@pytest.mark.parametrize("answer", ["items", "none"])
def test_orders_arrive_with_their_lines(altcraft_sandbox, warehouse, run, answer):
    altcraft_sandbox.behaviour.orders_answer = answer

    def with_lines(order):
        return {**order, "lines": [{"external_id": "1", "price": "5.00"}]}

    sql = "SELECT 'O-' || id AS external_id, mail AS email, '10.50' AS total_price FROM customers ORDER BY id"
    arguments = {"field_mapping": None, "constants": {"matching": "email"}, "row_processor": with_lines}
    result = run(operator(destination=Orders(), sql=sql, **arguments))
    assert (result["accepted"], result["as_batch"]) == (25, 25 if answer == "none" else 0)
    order = altcraft_sandbox.orders["O-7"]
    assert (order["email"], order["total_price"], len(order["lines"])) == ("u7@example.com", "10.50", 1)


def test_subscriptions_are_filled_from_columns(altcraft_sandbox, warehouse, run):
    mapping = {"mail": ["email", "subscriptions[0].email"], "name": "_fname"}
    constants = {"subscriptions[0].channel": "email", "subscriptions[0].resource_id": 3}
    run(operator(field_mapping=mapping, constants=constants))
    (profile, *_) = altcraft_sandbox.profiles(1).values()
    (subscription,) = profile["subscriptions"]
    assert (subscription["channel"], subscription["resource_id"]) == ("email", 3)
    assert subscription["email"] == profile["email"]


def test_a_second_night_sends_only_what_changed(altcraft_sandbox, warehouse, run, tmp_path):
    arguments = {"destination": ProfileDatabase(1), "changes_only": True, "ledger_path": str(tmp_path / "ledger")}
    assert run(operator(**arguments), run_id="monday")["accepted"] == 25
    change(warehouse, "UPDATE customers SET name = 'Новое' WHERE id = 7", "DELETE FROM customers WHERE id = 8")
    result = run(operator(**arguments), run_id="tuesday")
    assert (result["read"], result["unchanged"], result["skipped"], result["accepted"]) == (24, 23, 23, 1)
    assert altcraft_sandbox.profiles(1).popitem()
    names = {profile["email"]: profile["_fname"] for profile in altcraft_sandbox.profiles(1).values()}
    assert names["u7@example.com"] == "Новое"
    assert "u8@example.com" in names


def test_the_ledger_may_be_a_table(altcraft_sandbox, warehouse, run, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LEDGERS", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "other.db")}))
    arguments = {"destination": ProfileDatabase(1), "changes_only": True, "ledger_table": "altcraft_ledger"}
    arguments |= {"ledger_conn_id": "ledgers"}
    run(operator(**arguments), run_id="monday")
    assert run(operator(**arguments), run_id="tuesday")["unchanged"] == 25


def test_what_altcraft_rejected_is_sent_again_the_next_night(altcraft_sandbox, warehouse, run, tmp_path):
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 13")
    arguments = {
        "destination": ProfileDatabase(1),
        "changes_only": True,
        "ledger_path": str(tmp_path / "ledger"),
        "reject_path": str(tmp_path / "rejects"),
        "max_rejects": 1,
    }
    run(operator(**arguments), run_id="monday")
    result = run(operator(**arguments), run_id="tuesday")
    assert (result["unchanged"], result["rejected"]) == (24, 1)


def test_the_watermark_stops_below_what_was_rejected(altcraft_sandbox, warehouse, run, tmp_path):
    arguments = {
        "destination": ProfileDatabase(1),
        "sql": "SELECT mail, id FROM customers ORDER BY id",
        "field_mapping": {"mail": "email"},
        "watermark_column": "id",
        "reject_path": str(tmp_path),
        "max_rejects": 1,
    }
    assert run(operator(**arguments), run_id="monday")["watermark"] == 25
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 13")
    assert run(operator(**arguments), run_id="tuesday")["watermark"] == 12
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 1", "DELETE FROM customers WHERE id = 13")
    assert run(operator(**arguments), run_id="wednesday")["watermark"] is None
    assert run(operator(**arguments, watermark_start="{{ before }}"), run_id="thursday")["watermark"] == "{{ before }}"
    nothing = {**arguments, "sql": "SELECT mail, id FROM customers WHERE id > 100"}
    assert run(operator(**nothing, watermark_start=12), run_id="friday")["watermark"] == 12
    again = {"rejects_from": str(tmp_path), "watermark_start": 12, "max_rejects": 9}
    assert run(operator(**{**arguments, **again}), run_id="by hand")["watermark"] == 12
    assert operator(**arguments, watermark_start=12, dry_run=True).execute(context())["watermark"] == 12


def test_repaired_rejects_go_through_the_same_operator(altcraft_sandbox, warehouse, run, tmp_path):
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 13")
    arguments = {"reject_path": str(tmp_path), "max_rejects": 1, "rejects_from": "{{ params.again }}"}
    first = operator(**arguments)
    first.render_template_fields({"params": {"again": ""}})
    where = run(first, run_id="monday")["reject_path"]
    for path in tmp_path.rglob("*.jsonl"):
        path.write_text(path.read_text().replace('"broken"', '"u13@example.com"'))
    second = operator(**arguments)
    second.render_template_fields({"params": {"again": where}})
    result = run(second, run_id="by hand")
    assert (result["read"], result["accepted"]) == (1, 1)
    assert len(altcraft_sandbox.profiles(1)) == 25


@pytest.mark.parametrize("destination", [ProfileDatabase(1), Scenario(12)])
def test_a_dry_run_sends_nothing_and_shows_nobody(altcraft_sandbox, warehouse, caplog, destination):
    with caplog.at_level("INFO"):
        result = operator(destination=destination, dry_run=True, sample_size=10).execute(context())
    assert (result["sample"], result["rows"], result["requests"]) == (10, 25, 3)
    assert altcraft_sandbox.profiles(1) == {}
    assert {call.endpoint for call in altcraft_sandbox.journal.calls()} <= {"databases/fields_get"}
    assert "example.com" not in caplog.text


def test_a_dry_run_of_a_statement_that_cannot_be_counted_forecasts_per_100_000_rows(altcraft_sandbox, warehouse):
    sql = "WITH chosen AS (SELECT mail, name FROM customers) SELECT mail, name FROM chosen -- all of them"
    assert operator(sql=sql, dry_run=True, sample_size=10).execute(context())["rows"] is None


@pytest.mark.parametrize("shape", ["list", "object"])
def test_a_field_that_the_database_does_not_have_is_refused_before_the_first_row(altcraft_sandbox, warehouse, shape):
    altcraft_sandbox.behaviour.fields_shape = shape
    mapping = {"mail": "email", "name": "loyality_id"}
    with pytest.raises(AirflowFailException, match="'loyalty_id'"):
        operator(destination=ProfileDatabase(1), field_mapping=mapping).execute(context())
    assert not altcraft_sandbox.journal.calls("profiles/import_batch")
    arguments = {"destination": ProfileDatabase(1), "field_mapping": mapping, "check_fields": False}
    assert operator(**arguments).execute(context())["accepted"] == 25


def test_fields_that_altcraft_will_not_tell_are_not_checked(altcraft_sandbox, warehouse, run):
    altcraft_sandbox.behaviour.fields_shape = "refused"
    mapping = {"mail": "email", "name": "loyality_id"}
    assert run(operator(destination=ProfileDatabase(1), field_mapping=mapping))["accepted"] == 25


@pytest.mark.parametrize("keeps", [False, True])
def test_a_destination_that_was_corrected_gets_its_rows_when_the_task_is_cleared(altcraft_sandbox, warehouse, keeps):
    store = Store() if keeps else None
    altcraft_sandbox.add_database(2)
    operator(destination=ProfileDatabase(1)).execute(context(store=store))
    cleared = context(store=store, max_tries=1, try_number=2)
    assert operator(destination=ProfileDatabase(2)).execute(cleared)["replayed"] == 0
    assert len(altcraft_sandbox.profiles(2)) == 25


@pytest.mark.parametrize("keeps", [False, True])
def test_another_content_at_a_retry_lets_nobody_enter_a_scenario_again(altcraft_sandbox, warehouse, run, keeps):
    store = Store() if keeps else None
    run(operator(destination=Scenario(12, content={"at": "first"})), context(store=store))
    run(operator(destination=Scenario(12, content={"at": "second"})), context(store=store, try_number=2))
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 25


def test_a_row_that_changes_and_changes_back_within_a_run_is_not_taken_for_unchanged(
    altcraft_sandbox, warehouse, tmp_path
):
    arguments = {"destination": ProfileDatabase(1), "changes_only": True, "ledger_path": str(tmp_path)}
    for number, name in enumerate("ABAB", start=1):
        change(warehouse, f"UPDATE customers SET name = '{name}' WHERE id = 1")
        operator(**arguments).execute(context(try_number=number, max_tries=3))
    operator(**arguments).execute(context(run_id="the next night"))
    names = {profile["email"]: profile["_fname"] for profile in altcraft_sandbox.profiles(1).values()}
    assert names["u1@example.com"] == "B"


def test_a_ledger_of_one_installation_says_nothing_of_another(altcraft_sandbox, warehouse, tmp_path, monkeypatch):
    arguments = {"destination": ProfileDatabase(1), "changes_only": True, "ledger_path": str(tmp_path)}
    operator(**arguments).execute(context())
    with Sandbox() as other:
        monkeypatch.setenv("AIRFLOW_CONN_OTHER", other.connection_json)
        result = operator(**arguments, altcraft_conn_id="other").execute(context(run_id="there"))
        assert (result["unchanged"], len(other.profiles(1))) == (0, 25)


def test_halves_are_not_sent_again_as_a_whole_when_the_limit_was_raised(altcraft_sandbox, warehouse, run):
    store = Store()
    altcraft_sandbox.behaviour.max_body_bytes = 550
    altcraft_sandbox.faults.add(Fault("api_error", "workflows/import_and_start_batch_task", nth=4, times=1, code=403))
    with pytest.raises(AirflowFailException):
        run(operator(max_in_flight=1), context(store=store))
    assert 0 < altcraft_sandbox.deliveries.scenario_entries(12) < 25
    altcraft_sandbox.behaviour.max_body_bytes = 10_000_000
    run(operator(), context(store=store, try_number=2))
    assert altcraft_sandbox.deliveries.scenario_entries(12) == 25


def test_rejects_are_written_by_the_try_that_is_told_where(altcraft_sandbox, warehouse, tmp_path):
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 13")
    store = Store()
    with pytest.raises(AltcraftRowsError, match="Set reject_path"):
        operator(destination=ProfileDatabase(1)).execute(context(store=store))
    arguments = {"destination": ProfileDatabase(1), "reject_path": str(tmp_path), "max_rejects": 1}
    operator(**arguments).execute(context(store=store, max_tries=1, try_number=2))
    (line,) = [line for path in tmp_path.rglob("*.jsonl") for line in path.open()]
    assert json.loads(line)["row"] == 13


@pytest.mark.parametrize("batch_size", [10, 1])
def test_with_a_store_a_retry_sends_no_batch_again(altcraft_sandbox, warehouse, batch_size, tmp_path):
    change(warehouse, "UPDATE customers SET mail = 'broken' WHERE id = 13")
    store = Store()
    arguments = {"destination": ProfileDatabase(1), "reject_path": str(tmp_path), "batch_size": batch_size}
    with pytest.raises(AltcraftRowsError) as first:
        operator(**arguments).execute(context(store=store))
    sent = len(altcraft_sandbox.journal.calls("profiles/import_batch"))
    assert "u13" not in json.dumps(store)
    assert "broken" not in json.dumps(store)
    with pytest.raises(AltcraftRowsError) as second:
        operator(**arguments).execute(context(store=store, try_number=2))
    assert len(altcraft_sandbox.journal.calls("profiles/import_batch")) == sent
    assert str(first.value) == str(second.value)


def test_what_the_store_holds_of_a_batch_is_small_however_many_rows_it_has(altcraft_sandbox, warehouse, postgres):
    store = Store()
    sql = "SELECT 'u' || n || '@example.com' AS mail, 'x' AS name FROM generate_series(1, 10000) AS n ORDER BY n"
    arguments = {"sql": sql, "sql_conn_id": "postgres", "destination": ProfileDatabase(1), "batch_size": 5_000}
    operator(**arguments).execute(context(store=store))
    assert max(len(json.dumps(value)) for value in store.values()) < 1_000


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"changes_only": True}, "either ledger_path or ledger_table"),
        ({"changes_only": True, "ledger_path": "/l", "ledger_table": "t"}, "either ledger_path or ledger_table"),
        ({"changes_only": True, "ledger_path": "/l", "destination": Scenario(12)}, "answers at once"),
        ({"watermark_column": "moved"}, "watermark_column is 'moved'"),
        ({"destination": SuppressionList(3)}, "takes only the field 'email'"),
        ({"constants": {"email": "x"}}, "email more than once"),
        ({"rejects_from": "/nowhere/at/all"}, "no rejected rows"),
        ({"watermark_column": "name", "destination": Scenario(12)}, "watermark_column cannot be used with Scenario"),
        ({"changes_only": True, "ledger_path": "/l", "changes_key": "email"}, "a list of fields"),
        ({"changes_only": True, "ledger_path": "/l", "changes_key": ["mail"]}, "changes_key names mail"),
        ({"changes_only": True, "ledger_path": "/l", "destination": ProfileDatabase(1, mode="add")}, "changes_key"),
        ({"changes_only": True, "ledger_table": "t"}, "SQLite database cannot be written"),
        ({"timezone": "Mars"}, "no timezone 'Mars'"),
        ({"dry_run": True, "sample_size": 0}, "sample_size"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(altcraft_sandbox, warehouse, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        operator(**{"destination": ProfileDatabase(1), **arguments}).execute(context())
    assert not [call for call in altcraft_sandbox.journal.calls() if call.endpoint != "databases/fields_get"]


@pytest.fixture
def postgres(monkeypatch):
    connection = databases.postgres(psycopg2)
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
    with SqlQuery(hook, "SELECT generate_series(1, 100000)", None, rows_at_a_time=10) as query:
        assert query._cursor.name
        assert next(iter(query)) == (1,)
