"""The loopback Altcraft, called over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from airflow_provider_altcraft.sandbox import Fault, Sandbox
from tests.seeds import pages

START = "campaigns/broadcasts/start"
BATCH = "workflows/import_and_start_batch_task"


@pytest.mark.parametrize(
    ("name", "page"),
    [("scampaigns/completed", pages.COMPLETE), ("campaigns/regulars/add/", pages.CREATE_REGULAR)],
)
def test_the_requests_of_the_seed_pages_get_answers_of_their_shape(post, name, page):
    answer = post(name, **page["request"]).json()
    assert answer.keys() == page["response"].keys()
    assert answer["error"] == 0


def test_the_list_of_the_seed_page_holds_its_campaign(sandbox, post):
    sandbox.behaviour.empty_error_text = True
    sandbox.behaviour.next_from_id = False
    answer = post("scampaigns/list", from_id=42, **pages.LIST_PAGE["request"]).json()
    assert answer.keys() == pages.LIST_PAGE["response"].keys()
    (shown,), (campaign,) = pages.LIST_PAGE["response"]["data"], answer["data"]
    assert {name: campaign[name] for name in ("id", "name", "state", "tags", "groups")} == {
        name: shown[name] for name in ("id", "name", "state", "tags", "groups")
    }


def test_an_import_becomes_a_task_that_ages_by_the_clock(sandbox, post):
    started = post(BATCH, **pages.SCENARIO_BATCH["request"]).json()
    assert started.keys() == pages.SCENARIO_BATCH["response"].keys()
    before = post("tasks/status", task_id=started["task_id"]).json()["data"]
    sandbox.clock.advance(10)
    after = post("tasks/status", task_id=started["task_id"]).json()["data"]
    assert (before["status"], before["result"]) == ("waiting", None)
    assert (after["status"], after["progress"]) == ("completed", 100)
    assert len(after["result"]["result"]) == 2
    # Both rows of the page have one e-mail address: one profile, entered twice.
    assert len(sandbox.profiles(1)) == 1
    assert sandbox.deliveries.scenario_entries(12) == 2


def test_a_body_over_the_limit_gets_the_answer_of_the_seed_page(sandbox, post):
    sandbox.behaviour.max_body_bytes = 50
    assert post(BATCH, **pages.SCENARIO_BATCH["request"]).json() == pages.SCENARIO_BATCH["too_large"]
    assert sandbox.deliveries.scenario_entries(12) == 0


@pytest.mark.parametrize(
    ("name", "body", "parameter"),
    [
        ("scampaigns/get_status", {"id": 18, "verbose": True}, "verbose"),
        ("scampaigns/get_status", {"id": "eighteen"}, "id"),
        ("scampaigns/get_status", {}, "id"),
        (BATCH, {"workflow_id": 12, "matching": "email", "data": {}}, "data"),
        ("campaigns/deactivate", {"id": 7, "abort_if_running": "perhaps"}, "abort_if_running"),
    ],
)
def test_it_is_strict_about_what_is_documented(post, name, body, parameter):
    answer = post(name, **body).json()
    assert answer["error"] == 400
    assert parameter in answer["error_debug"]


def test_it_is_tolerant_where_the_real_one_is(sandbox):
    url = f"{sandbox.url}/api/v1.1/campaigns/deactivate/?token={sandbox.token}"
    assert requests.post(url, json={"id": "7", "abort_if_running": "true"}, timeout=5).json()["error"] == 0
    bearer = {"Authorization": f"Bearer {sandbox.token}"}
    answer = requests.post(f"{sandbox.url}/api/v1.1/scampaigns/list", json={}, headers=bearer, timeout=5)
    assert answer.json()["error"] == 0


def test_what_is_not_emulated_never_pretends_to_succeed(post):
    assert post("loyalty/accrue_points").json()["error"] == 404


@pytest.mark.parametrize(("status", "http"), [("200", 200), ("own", 403)])
def test_a_wrong_token_is_refused_under_either_status(sandbox, status, http):
    sandbox.behaviour.error_http_status = status
    answer = requests.post(f"{sandbox.url}/api/v1.1/scampaigns/list", json={"token": "wrong"}, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (http, 403)
    assert requests.post(f"{sandbox.url}/api/v1.1/scampaigns/list", json={}, timeout=5).json()["error"] == 401


class TestDeduplication:
    """Repeated requests."""

    def test_a_repeated_id_is_answered_from_memory(self, sandbox, post):
        first, second = (post(START, {"Request-ID": "one"}, id=7) for _ in range(2))
        assert first.content == second.content
        assert "Duplicate-Request" not in first.headers
        assert second.headers["Duplicate-Request"] == "true"
        assert len(sandbox.deliveries.launches(7)) == 1

    def test_the_window_ends(self, sandbox, post):
        post(START, {"Request-ID": "one"}, id=7)
        sandbox.clock.advance(86_400)
        post(START, {"Request-ID": "one"}, id=7)
        assert sandbox.deliveries.total_launches == 2

    def test_the_same_bytes_without_an_id_are_a_repeat(self, sandbox, post):
        for agent in ("a", "a", "b"):
            post(START, {"User-Agent": agent}, id=7)
        assert sandbox.deliveries.total_launches == 2

    def test_an_old_edition_knows_no_request_id(self, sandbox, post):
        sandbox.behaviour.deduplication = "checksum"
        for request_id in ("one", "one", "two"):
            post(START, {"Request-ID": request_id}, id=7)
        assert sandbox.deliveries.total_launches == 2

    def test_off_is_off(self, sandbox, post):
        sandbox.behaviour.deduplication = "off"
        for _ in range(2):
            post(START, {"Request-ID": "one"}, id=7)
        assert sandbox.deliveries.total_launches == 2

    @pytest.mark.parametrize(("by_path", "launches"), [(False, 0), (True, 1)])
    def test_an_id_reused_on_another_method_may_replay_the_wrong_answer(self, sandbox, post, by_path, launches):
        sandbox.behaviour.key_includes_path = by_path
        post("scampaigns/completed", {"Request-ID": "one"}, id=42)
        post(START, {"Request-ID": "one"}, id=7)
        assert sandbox.deliveries.total_launches == launches

    @pytest.mark.parametrize(("replays", "errors"), [(True, [400, 400]), (False, [400, 0])])
    def test_errors_are_remembered_or_not(self, sandbox, post, replays, errors):
        sandbox.behaviour.replay_errors = replays
        sandbox.mailing(7).is_active = False
        first = post(START, {"Request-ID": "one"}, id=7).json()["error"]
        sandbox.mailing(7).is_active = True
        assert [first, post(START, {"Request-ID": "one"}, id=7).json()["error"]] == errors

    def test_a_task_that_only_reads_is_known_by_its_id_alone(self, sandbox, post):
        export = {"source_type": "database", "source_id": 1}
        for headers in ({}, {}, {"Request-ID": "one"}, {"Request-ID": "one"}):
            post("profiles/get_all", headers, **export)
        assert len(sandbox.tasks) == 3

    def test_what_stands_in_the_path_or_the_query_makes_another_request(self, sandbox):
        sandbox.add_database(2)
        for list_id, query in ((1, ""), (2, ""), (1, "&request_id=12345"), (1, "")):
            url = f"{sandbox.url}/api/v1.0/lists/{list_id}/suspend_all?token={sandbox.token}{query}"
            assert requests.post(url, timeout=5).json()["error"] == 0
        assert [call.replayed for call in sandbox.journal] == [False, False, False, True]

    def test_reads_are_not_remembered(self, sandbox, post):
        post("scampaigns/get_status", {"Request-ID": "one"}, id=18)
        sandbox.campaign(18).initial = "active"
        assert post("scampaigns/get_status", {"Request-ID": "one"}, id=18).json()["data"]["status"] == "active"


class TestFaults:
    """What goes wrong, and whether the work was done."""

    @pytest.mark.parametrize(("kind", "done"), [("drop_before", 0), ("drop_after", 1), ("cut_body", 1)])
    def test_a_connection_that_breaks(self, sandbox, post, kind, done):
        sandbox.faults.add(Fault(kind, START))
        with pytest.raises(requests.RequestException):
            post(START, id=7)
        assert sandbox.deliveries.total_launches == done

    @pytest.mark.parametrize(
        ("kind", "status"), [("status", 502), ("html", 502), ("rate_limited", 429), ("api_error", 200)]
    )
    def test_an_answer_without_the_work(self, sandbox, post, kind, status):
        sandbox.faults.add(Fault(kind, START))
        assert post(START, id=7).status_code == status
        assert sandbox.deliveries.total_launches == 0
        assert sandbox.journal.calls(START)[0].fault == kind

    def test_the_nth_call_and_the_number_of_times(self, sandbox, post):
        sandbox.faults.add(Fault("status", "scampaigns/list", nth=2))
        sandbox.faults.add(Fault("status", "databases/list", times=1))
        assert [post("scampaigns/list").status_code for _ in range(3)] == [200, 502, 200]
        assert [post("databases/list").status_code for _ in range(2)] == [502, 200]

    def test_a_probability_is_seeded(self):
        def statuses():
            with Sandbox(seed=3) as sandbox:
                sandbox.faults.add(Fault("status", probability=0.5))
                body = {"token": sandbox.token}
                url = f"{sandbox.url}/api/v1.1/scampaigns/list"
                return [requests.post(url, json=body, timeout=5).status_code for _ in range(12)]

        first = statuses()
        assert first == statuses()
        assert set(first) == {200, 502}


def test_a_mailing_that_is_launched_writes_its_log_by_the_clock(sandbox, post):
    post("profiles/import", db_id=1, data={"email": "a@example.com"})
    post(START, id=7)
    assert [entry["state"] for entry in post("campaigns/log_v2", id=7).json()["data"]] == ["start", ""]
    sandbox.clock.advance(10)
    assert [entry["state"] for entry in post("campaigns/log_v2", id=7).json()["data"]] == ["start", "", "end"]
    (profile_id,) = sandbox.profiles(1)
    assert sandbox.deliveries.times_sent(7, profile_id) == 1


def test_a_run_that_is_aborted_ends_at_once(sandbox, post):
    post(START, id=7)
    post("campaigns/deactivate", id=7, abort_if_running=True)
    assert post("campaigns/log_v2", id=7).json()["data"][-1]["state"] == "end"


def test_a_campaign_moves_by_the_clock_and_never_leaves_its_end(sandbox, post):
    later = (sandbox.clock.now() + timedelta(hours=1)).isoformat()
    post("scampaigns/activate", id=18, start_date=later)
    assert sandbox.campaign_state(18) == "waiting"
    sandbox.clock.advance(3600)
    assert sandbox.campaign_state(18) == "active"
    post("scampaigns/completed", id=18)
    assert post("scampaigns/activate", id=18, start_date="2030-01-01T00:00:00Z").json()["error"] == 400


def test_rows_of_a_batch_are_refused_one_by_one(sandbox, post):
    rows = [
        {"email": "a@example.com"},
        {"email": "broken"},
        {"phones": "+79031234567"},
        {"email": "b@e.org", "phones": "1"},
    ]
    items = post("profiles/import_batch", db_id=1, data=rows).json()["result"]
    assert [item["error"] for item in items] == [0, 400, 400, 400]
    assert len(sandbox.profiles(1)) == 1


def test_a_profile_is_found_by_its_current_values(sandbox, post):
    def save(**data):
        body = {"db_id": 1, "matching": "custom", "field_name": "CRM_ID", "data": [data]}
        return post("profiles/import_batch", **body).json()["result"][0]["profile_id"]

    first = save(CRM_ID="C1", email="old@example.com")
    assert save(CRM_ID="C1", email="new@example.com") == first
    (found,) = post("profiles/import_batch", db_id=1, data=[{"email": "old@example.com"}]).json()["result"]
    assert found["profile_id"] != first


def test_an_update_leaves_unknown_profiles_alone(sandbox, post):
    (item,) = post("profiles/update_batch", db_id=1, data=[{"email": "new@example.com"}]).json()["result"]
    assert (item["error"], len(sandbox.profiles(1))) == (404, 0)


def test_answers_are_dated_by_the_clock_of_the_sandbox(post):
    with Sandbox(speed=0, start=datetime(2030, 5, 1, tzinfo=UTC)) as sandbox:
        answer = requests.post(f"{sandbox.url}/api/v1.1/scampaigns/list", json={"token": sandbox.token}, timeout=5)
    assert parsedate_to_datetime(answer.headers["Date"]) == datetime(2030, 5, 1, tzinfo=UTC)


def test_it_can_be_read_and_controlled_from_another_process(sandbox, post):
    control = f"{sandbox.url}/_sandbox"
    post(START, id=7)
    requests.post(f"{control}/faults", json={"kind": "status", "endpoint": START}, timeout=5)
    requests.post(f"{control}/behaviour", json={"task_seconds": 9}, timeout=5)
    before = sandbox.clock.now()
    requests.post(f"{control}/advance", json={"seconds": 60}, timeout=5)
    assert sandbox.clock.now() - before == timedelta(minutes=1)
    assert sandbox.behaviour.task_seconds == 9
    assert post(START, id=7).status_code == 502
    requests.delete(f"{control}/faults", timeout=5)
    state = requests.get(f"{control}/state", timeout=5).json()
    journal = requests.get(f"{control}/journal", params={"endpoint": START}, timeout=5)
    assert state["launches"] == 1
    assert len(journal.json()) == 2
    assert sandbox.token not in journal.text
    assert "Altcraft sandbox" in requests.get(sandbox.url, timeout=5).text


def test_the_command_starts_it_prints_how_to_connect_and_stops_it():
    command = [sys.executable, "-u", "-m", "airflow_provider_altcraft.sandbox", "--port", "0", "--speed", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        (export,) = [line for line in lines if "AIRFLOW_CONN_ALTCRAFT_DEFAULT=" in line]
        connection = json.loads(export.split("=", 1)[1].strip().strip("'"))
        url = f"http://{connection['host']}:{connection['port']}/api/v1.1/databases/list"
        answer = requests.post(url, json={"token": connection["password"]}, timeout=5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert answer.json()["error"] == 0
