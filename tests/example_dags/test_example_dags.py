"""The example DAGs, run by the real Airflow, deferring and all."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from airflow.providers.common.compat.sdk import DAG, XComArg

from airflow_provider_altcraft.sandbox import Fault, Sandbox
from tests.airflow_command import airflow
from tests.dag_run import IS_AIRFLOW_3

EXAMPLES = Path(__file__).parents[2] / "example_dags"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture(scope="session")
def database():
    """Airflow's own tables."""
    airflow("db", "migrate")


@pytest.fixture
def warehouse(monkeypatch, tmp_path):
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id, email, phone, first_name, last_name, city, birthday, balance)")
        rows = [
            (
                f"C{number}",
                f"u{number}@example.com",
                f"+7903{number:07d}",
                "Анна",
                "Ким",
                "Москва",
                "1980-01-01",
                "1.10",
            )
            for number in range(1, 51)
        ]
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("UPDATE customers SET email = 'broken' WHERE id = 'C7'")
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


@pytest.fixture
def altcraft(monkeypatch, tmp_path, warehouse):
    monkeypatch.setenv("ALTCRAFT_REJECTS", str(tmp_path / "rejects"))
    monkeypatch.setenv("ALTCRAFT_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setenv("ALTCRAFT_ATTACHMENTS", str(tmp_path / "attachments"))
    monkeypatch.setenv("ALTCRAFT_EXPORTS", str(tmp_path / "exports"))
    with Sandbox(speed=50) as sandbox:
        monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", sandbox.connection_json)
        yield sandbox


def run(name, *dates):
    """Run an example to its end in the Airflow of this environment.

    :param dates: its logical date; ``None`` if it has none.
    """
    (date,) = dates or ("2026-11-01T04:00:00+00:00",)
    airflow("dags", "test", name, *([] if date is None else [date]))


@pytest.mark.slow
@pytest.mark.usefixtures("database")
class TestRun:
    """Each does what its first line says."""

    def test_the_main_job(self, altcraft):
        run("altcraft_main_job")
        assert altcraft.deliveries.scenario_entries(12) == 49
        assert len(altcraft.deliveries.launches(7)) == 1
        assert altcraft.campaign_state(18) == "completed"

    def test_the_scheduled_broadcast(self, altcraft):
        run("altcraft_scheduled_broadcast")
        assert altcraft.deliveries.total_launches == 1

    def test_the_regular_mailing(self, altcraft):
        run("altcraft_regular_mailing")
        (call,) = altcraft.journal.calls("campaigns/regulars/add")
        assert call.request["start_schedule"]["start_wdays"] == [1]
        assert call.request["name"] == "Digest of 2026-11-01"

    def test_the_campaign(self, altcraft):
        run("altcraft_campaign")
        assert altcraft.campaign_state(18) == "completed"

    def test_the_handover_of_task_ids(self, altcraft):
        run("altcraft_task_handover")
        assert altcraft.deliveries.scenario_entries(12) == 100
        asked = {call.request["task_id"] for call in altcraft.journal.calls("tasks/status")}
        assert asked == {task.task_id for task in altcraft.tasks}

    def test_the_nightly_sync_sends_what_changed(self, altcraft, warehouse):
        run("altcraft_nightly_sync")
        assert len(altcraft.profiles(1)) == 49
        with sqlite3.connect(warehouse) as connection:
            connection.execute("UPDATE customers SET city = 'Омск' WHERE id = 'C9'")
        connection.close()
        run("altcraft_nightly_sync", "2026-11-02T04:00:00+00:00")
        _, second = altcraft.journal.calls("profiles/import_batch")
        # The row that was rejected is sent again, too.
        assert len(second.request["data"]) == 2
        (profile,) = [each for each in altcraft.profiles(1).values() if each["CRM_ID"] == "C9"]
        assert profile["_city"] == "Омск"
        assert [each["channel"] for each in profile["subscriptions"]] == ["email", "sms"]

    def test_the_export_comes_back_into_the_warehouse(self, altcraft, warehouse, tmp_path):
        altcraft.behaviour.export_rows_per_file = 40
        run("altcraft_taskflow_import")
        with sqlite3.connect(warehouse) as connection:
            connection.execute("CREATE TABLE altcraft_profiles (id PRIMARY KEY, email, _fname, _lname)")
        connection.close()
        for _ in range(2):
            run("altcraft_export")
        with sqlite3.connect(warehouse) as connection:
            loaded = dict(connection.execute("SELECT id, email FROM altcraft_profiles"))
        connection.close()
        assert loaded == {profile_id: profile["email"] for profile_id, profile in altcraft.profiles(1).items()}
        assert len(loaded) == 60
        names = sorted(path.name for path in (tmp_path / "exports/2026-11-01").iterdir())
        assert names == ["1_database_export.csv", "2_database_export.csv"]

    def test_the_import_from_a_function(self, altcraft):
        run("altcraft_taskflow_import")
        assert len(altcraft.profiles(1)) == 60

    def test_the_copy_of_a_mailing(self, altcraft):
        altcraft.world.database(1).profiles["one"] = {"email": "ann@example.com"}
        run("altcraft_mailing_copy")
        (launch,) = altcraft.deliveries.launches()
        copy = altcraft.mailing(launch.mailing_id)
        assert copy.name == "Offer of 2026-11-01"
        assert not copy.is_active
        assert not copy.running(altcraft.clock.now())

    def test_the_pause_of_a_campaign(self, altcraft):
        altcraft.add_campaign(42, state="active")
        run("altcraft_campaign_pause")
        assert len(altcraft.journal.calls("scampaigns/deactivate")) == 1
        (call,) = altcraft.journal.calls("scampaigns/activate")
        assert call.request["activate_date"] == "2026-11-04T09:00:00+03:00"

    def test_the_partners_and_their_manager(self, altcraft):
        run("altcraft_partners")
        assert len(altcraft.profiles(1)) == 41
        assert altcraft.deliveries.count(9) == 1

    def test_the_night_of_a_shop(self, altcraft, warehouse):
        with sqlite3.connect(warehouse) as connection:
            connection.execute("CREATE TABLE orders (number, email, total)")
            connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", [("A1", "u1@example.com", "10.90")])
            connection.execute("CREATE TABLE complaints (email)")
            connection.execute("INSERT INTO complaints VALUES ('u2@example.com')")
            connection.execute("CREATE TABLE promo_codes (code)")
            connection.execute("INSERT INTO promo_codes VALUES ('AUTUMN')")
        connection.close()
        run("altcraft_shop")
        assert altcraft.orders["A1"]["total_price"] == "10.90"
        assert altcraft.deliveries.count(9) == 1
        assert altcraft.suppressed(3) == {"u2@example.com"}
        assert altcraft.promocodes(5) == {"AUTUMN"}

    def test_the_reports(self, altcraft, tmp_path):
        altcraft.add_bounce(7, on=date(2026, 11, 1))
        altcraft.add_transaction(5, "one", 10.0, at=datetime(2026, 11, 1, 12, tzinfo=UTC))
        run("altcraft_reports")
        folder = tmp_path / "exports/2026-11-01"
        assert len(list(folder.iterdir())) == 4
        assert len((folder / "reports_bounces.csv").read_text().splitlines()) == 2
        assert [campaign["id"] for campaign in json.loads((folder / "campaigns.json").read_text())] == [18, 42]

    def test_a_segment_gets_its_mailing_with_the_table_and_not_while_it_is_empty(self, altcraft):
        run("altcraft_segment_launch", "2026-11-02T08:00:00+00:00")
        assert (altcraft.deliveries.total_launches, len(altcraft.world.uploads)) == (0, 0)
        for number in range(3):
            email = f"p{number}@example.com"
            subscription = {"channel": "email", "resource_id": 1, "email": email}
            data = {"email": email, "subscriptions": [subscription]}
            altcraft.world.database(1).save(data, "email", None, known=None)
        run("altcraft_segment_launch", "2026-11-09T08:00:00+00:00")
        (call,) = altcraft.journal.calls("campaigns/broadcasts/start")
        assert (call.request["override_source_type"], call.request["override_source_id"]) == ("segment", 1)
        (file,) = call.request["attach"]
        assert altcraft.world.uploads[file["file_key"]] == (
            "Customers by city.csv",
            "city,customers\r\nМосква,50\r\n".encode(),
        )
        assert altcraft.deliveries.count(7) == 3

    def test_one_customer_reaches_a_goal_and_enters_a_scenario(self, altcraft):
        profile_id = altcraft.world.database(1).save({"CRM_ID": "C1"}, "custom", "CRM_ID", known=None)
        run("altcraft_one_profile")
        (goal,) = altcraft.goals
        assert (goal["profile_id"], goal["value"], goal["pixel_data"]) == (profile_id, 99.5, {"order_id": "1000"})
        assert altcraft.world.scenario(12).inside == {profile_id}

    def test_a_sale_changes_its_mailing_and_pauses_the_scenario(self, altcraft):
        altcraft.world.scenario(12).inside.add("one")
        run("altcraft_sale")
        segment_id = max(altcraft.world.segments)
        mailing = altcraft.mailing(7)
        assert altcraft.world.segment(segment_id).name == "Sale of 2026-11-01"
        assert (mailing.name, mailing.data_type, mailing.data_id) == ("Sale of 2026-11-01", "segment", segment_id)
        assert len(altcraft.journal.calls("workflows/deactivate")) == 1
        assert altcraft.world.scenario(12).is_active
        assert not altcraft.world.scenario(12).inside

    def test_a_sale_that_fails_leaves_the_scenario_switched_on(self, altcraft):
        altcraft.faults.add(Fault("api_error", "campaigns/broadcasts/start", code=400, text="No such message"))
        with pytest.raises(AssertionError):
            run("altcraft_sale")
        assert len(altcraft.journal.calls("workflows/deactivate")) == 1
        assert altcraft.world.scenario(12).is_active

    @pytest.mark.skipif(not IS_AIRFLOW_3, reason="Airflow 2 gives every run a logical date")
    def test_a_run_that_is_triggered_by_hand_has_no_logical_date(self, altcraft):
        run("altcraft_mailing_copy", None)
        assert max(altcraft.world.mailings.values(), key=lambda each: each.mailing_id).name.startswith("Offer of 20")


def load(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def templates(value):
    """The templates in an argument."""
    if isinstance(value, str):
        return [value] if "{{" in value else []
    if isinstance(value, dict):
        return [text for each in value.values() for text in templates(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in templates(each)]
    return [text for name in getattr(value, "template_fields", ()) for text in templates(getattr(value, name))]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_renders_without_a_logical_date(name, monkeypatch):
    dags, enter = [], DAG.__enter__
    monkeypatch.setattr(DAG, "__enter__", lambda dag: (dags.append(dag), enter(dag))[1])
    load(name)
    (dag,) = dags
    macros = importlib.import_module("airflow.sdk.execution_time.macros" if IS_AIRFLOW_3 else "airflow.macros")
    by_hand = SimpleNamespace(logical_date=None, run_after=datetime(2026, 11, 1, tzinfo=UTC))
    given = {"dag_run": by_hand, "macros": macros, "params": dag.params, "ti": MagicMock()}
    rendered = [
        task.get_template_env().from_string(text).render(given)
        for task in dag.tasks
        for field in task.template_fields
        if not isinstance(argument := getattr(task, field, None), XComArg)
        for text in templates(argument)
    ]
    assert not [text for text in rendered if "{{" in text]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_when_a_dag_is_parsed(name, monkeypatch):
    from airflow.providers.common.compat.sdk import BaseHook

    def refuse(*arguments):
        raise AssertionError("a connection was read while parsing")

    monkeypatch.setattr(BaseHook, "get_connection", refuse)
    load(name)
