"""Rows of a query to a trigger mailing, for profiles that are there."""

from __future__ import annotations

import json
import sqlite3

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.delivery.destinations import TriggerMailing
from airflow_provider_altcraft.exceptions import AltcraftRowsError
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator
from tests.contexts import context

BATCH = "campaigns/triggers/start_batch_task"


@pytest.fixture(autouse=True)
def customers(altcraft_sandbox, tmp_path, monkeypatch):
    """Five customers in the warehouse, and in Altcraft."""
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id TEXT, name TEXT)")
        connection.executemany("INSERT INTO customers VALUES (?, 'x')", [(f"C{number}",) for number in range(5)])
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    for number in range(5):
        data = {"CRM_ID": f"C{number}", "_fname": "Ann"}
        altcraft_sandbox.world.database(1).save(data, "custom", "CRM_ID", known=None)


def operator(**arguments):
    return SqlToAltcraftOperator(
        task_id="send",
        **{
            "sql": "SELECT id FROM customers ORDER BY id",
            "sql_conn_id": "warehouse",
            "destination": TriggerMailing("9", matching="custom", field_name="CRM_ID", import_profiles=False),
            "field_mapping": {"id": "CRM_ID"},
            "batch_size": 2,
            "poll_interval": 0.02,
            "timeout": 20,
            **arguments,
        },
    )


def test_each_gets_the_mailing_once_and_stays_as_it_was(altcraft_sandbox, run):
    before = dict(altcraft_sandbox.profiles(1))
    result = run(operator())
    assert (result["read"], result["accepted"], result["rejected"], result["tasks"]) == (5, 5, 0, 3)
    assert altcraft_sandbox.deliveries.count(9) == 5
    assert altcraft_sandbox.profiles(1) == before
    assert not altcraft_sandbox.journal.calls("campaigns/triggers/import_and_start_batch_task")


@pytest.mark.parametrize("field", ["id", "trigger_id", "either"])
def test_the_mailing_is_named_whichever_way_altcraft_reads_it(altcraft_sandbox, run, field):
    altcraft_sandbox.behaviour.start_batch_task_field = field
    assert run(operator())["accepted"] == 5
    call = altcraft_sandbox.journal.calls(BATCH)[0]
    assert {"matching": "custom", "field_name": "CRM_ID", "id": 9, "trigger_id": 9}.items() <= call.request.items()
    assert all(set(item) == {"CRM_ID"} for item in call.request["data"])


def test_each_may_have_data_of_its_own(altcraft_sandbox, run):
    run(operator(field_mapping={"id": ["CRM_ID", "custom_data.number"]}, batch_size=5))
    (call,) = altcraft_sandbox.journal.calls(BATCH)
    assert call.request["data"][0] == {"CRM_ID": "C0", "custom_data": {"number": "C0"}}


@pytest.mark.parametrize("kind", ["drop_after", "status", "cut_body"])
def test_nobody_gets_it_twice_whatever_the_wire_does_and_is_retried(altcraft_sandbox, run, kind):
    altcraft_sandbox.faults.add(Fault(kind, BATCH, nth=2, times=1))
    run(operator(max_in_flight=1))
    assert run(operator(), try_number=2)["replayed"] == 3
    assert altcraft_sandbox.deliveries.count(9) == 5


def test_who_is_not_there_is_a_reject(altcraft_sandbox, run):
    altcraft_sandbox.world.database(1).delete(next(iter(altcraft_sandbox.profiles(1))))
    with pytest.raises(AltcraftRowsError, match="1 of 5 rows were rejected"):
        run(operator())
    assert altcraft_sandbox.deliveries.count(9) == 4
    assert len(altcraft_sandbox.profiles(1)) == 4


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            {"sql": "SELECT id, name FROM customers", "field_mapping": {"id": "CRM_ID", "name": "_fname"}},
            "only the field.*, not",
        ),
        ({"destination": TriggerMailing(9, import_profiles=False, detect_geo=True)}, "detect_geo cannot be used with"),
        ({"destination": TriggerMailing("", import_profiles=False)}, "trigger_id is empty"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        operator(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0
