"""Tasks that write files, and the download of the files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
import requests

from airflow_provider_altcraft.sandbox import Fault

ROWS = [{"email": f"p{number}@example.com", "tags": ["a", "b"], "_fname": "Анна"} for number in range(5)]
DATABASE = {"source_type": "database", "source_id": 1}


@pytest.fixture
def export(sandbox, post):
    """Start an export, let it end, and return its result."""

    def export(name, **body):
        started = post(name, **body).json()
        sandbox.clock.advance(10)
        return post("tasks/status", task_id=started["data"]["task_id"]).json()["data"]["result"]

    return export


@pytest.fixture
def get(sandbox):
    def get(path, token=sandbox.token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{sandbox.url}{path}", headers=headers, timeout=5)

    return get


class TestProfiles:
    """profiles/get_all."""

    @pytest.fixture(autouse=True)
    def five(self, post):
        post("profiles/add_batch", db_id=1, data=ROWS)

    def test_a_csv_holds_every_profile(self, sandbox, export, get):
        result = export("profiles/get_all", **DATABASE)
        (url,) = result.pop("urls")
        assert result == {"errors": [], "source_id": 1, "total": 5, "type": "database"}
        answer = get(url)
        assert answer.headers["Content-Type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert {row["id"] for row in rows} == set(sandbox.profiles())
        assert (json.loads(rows[0]["tags"]), rows[0]["_fname"]) == (["a", "b"], "Анна")

    @pytest.mark.parametrize(
        ("shape", "read"),
        [("array", json.loads), ("lines", lambda text: [json.loads(line) for line in text.splitlines()])],
    )
    def test_json_has_either_shape(self, sandbox, export, get, shape, read):
        sandbox.behaviour.export_json = shape
        (url,) = export("profiles/get_all", **DATABASE, file_format="json")["urls"]
        assert [row["email"] for row in read(get(url).content.decode())] == [row["email"] for row in ROWS]

    def test_many_rows_fill_several_files(self, sandbox, export, get):
        sandbox.behaviour.export_rows_per_file = 2
        urls = export("profiles/get_all", **DATABASE)["urls"]
        assert [url.rpartition("/")[2] for url in urls] == [f"{number}_database_export.csv" for number in (1, 2, 3)]
        assert [len(get(url).text.splitlines()) for url in urls] == [3, 3, 2]

    def test_a_query_and_a_segment_choose(self, sandbox, export):
        found = export("profiles/get_all", **DATABASE, custom_request={"email": "p3@example.com"})
        assert found["total"] == 1
        sandbox.add_segment(2, is_static=True).members.update(list(sandbox.profiles())[:2])
        result = export("profiles/get_all", source_type="segment", source_id=2)
        assert (result["total"], result["type"], result["source_id"]) == (2, "segment", 2)

    def test_a_file_is_not_there_before_its_task_has_ended(self, sandbox, export, get, post):
        (url,) = export("profiles/get_all", **DATABASE)["urls"]
        sandbox.clock.advance(-10)
        assert get(url).status_code == 404
        sandbox.clock.advance(10)
        assert get(url).status_code == 200

    def test_a_task_that_fails_leaves_no_file(self, sandbox, post):
        sandbox.behaviour.tasks_fail = True
        task_id = post("profiles/get_all", **DATABASE).json()["data"]["task_id"]
        sandbox.clock.advance(10)
        data = post("tasks/status", task_id=task_id).json()["data"]
        assert (data["status"], data["result"]["urls"]) == ("failed", [])
        assert data["result"]["errors"]
        assert not sandbox.world.files

    @pytest.mark.parametrize(("form", "prefix"), [("data", "/api/download/data/"), ("plain", "/api/download/")])
    def test_either_form_of_the_path_is_served_whichever_is_named(self, sandbox, export, get, form, prefix):
        sandbox.behaviour.export_path = form
        (url,) = export("profiles/get_all", **DATABASE)["urls"]
        assert url.startswith(prefix)
        name = url.removeprefix("/api/download/").removeprefix("data/")
        assert {get(f"/api/download/{before}{name}").content for before in ("", "data/")} == {get(url).content}

    @pytest.mark.parametrize(("taken", "status"), [(False, 401), (True, 200)])
    def test_a_token_in_the_url_is_refused_or_taken(self, sandbox, export, taken, status):
        sandbox.behaviour.download_token_in_url = taken
        (url,) = export("profiles/get_all", **DATABASE)["urls"]
        assert requests.get(f"{sandbox.url}{url}?token={sandbox.token}", timeout=5).status_code == status

    @pytest.mark.parametrize(("errors", "status"), [("status", 404), ("envelope", 200)])
    def test_a_file_that_is_not_there_is_an_error_in_either_way(self, sandbox, get, errors, status):
        sandbox.behaviour.download_errors = errors
        answer = get("/api/download/data/none/1.csv")
        assert (answer.status_code, answer.json()["error"]) == (status, 404)

    @pytest.mark.parametrize(("token", "status"), [("wrong", 403), (None, 401)])
    def test_a_download_needs_the_token(self, export, get, token, status):
        (url,) = export("profiles/get_all", **DATABASE)["urls"]
        assert get(url, token=token).status_code == status

    def test_a_download_is_in_the_journal_without_the_token_and_meets_faults(self, sandbox, export, get):
        (url,) = export("profiles/get_all", **DATABASE)["urls"]
        sandbox.faults.add(Fault("cut_body", "download", times=1))
        with pytest.raises(requests.RequestException):
            get(url)
        assert get(url).status_code == 200
        assert [call.http_status for call in sandbox.journal.calls("download")] == [200, 200]
        assert sandbox.token not in repr(sandbox.journal.calls("download"))

    def test_a_download_is_a_get(self, sandbox, export):
        (url,) = export("profiles/get_all", **DATABASE)["urls"]
        body = {"token": sandbox.token}
        assert requests.post(f"{sandbox.url}{url}", json=body, timeout=5).status_code == 404
        assert requests.post(f"{sandbox.url}/api/v1.1/download", json=body, timeout=5).json()["error"] == 404

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"source_type": "list", "source_id": 1}, 400),
            ({"source_type": "database", "source_id": 9}, 404),
            ({"source_type": "segment", "source_id": 9}, 404),
            ({**DATABASE, "file_format": "xlsx"}, 400),
            ({**DATABASE, "custom_request": {"email": {"$regex": "a"}}}, 400),
        ],
    )
    def test_the_rest_is_refused_and_makes_no_task(self, sandbox, post, body, error):
        assert post("profiles/get_all", **body).json()["error"] == error
        assert not sandbox.tasks


class TestSuppressed:
    """suppresses/export."""

    @pytest.fixture(autouse=True)
    def listed(self, sandbox):
        one = sandbox.world.suppression_list(3)
        one.emails.update({"a@example.com", "b@example.com"})
        one.phones.add("+79031234567")
        one.domains.add("example.org")

    @pytest.mark.parametrize(("kind", "total"), [("emails", 2), ("phones", 1), ("domains", 1), ("all", 4), (None, 4)])
    def test_the_zip_holds_md5_values(self, export, get, kind, total):
        result = export("suppresses/export", id=3, **({"type": kind} if kind else {}))
        assert (result["total"], result["suppress_id"], result["is_api"]) == (total, 3, True)
        archive = zipfile.ZipFile(io.BytesIO(get(f"/api/download/{result['hashed_file']}").content))
        (name,) = archive.namelist()
        hashed = archive.read(name).decode().split()
        assert len(hashed) == total
        mail = hashlib.md5(b"a@example.com").hexdigest()
        assert (mail in hashed) is (kind in {"emails", "all", None})

    def test_a_task_that_fails_names_no_file(self, sandbox, export):
        sandbox.behaviour.tasks_fail = True
        assert export("suppresses/export", id=3)["hashed_file"] == ""


class TestTransactions:
    """loyalty/transactions_export."""

    @pytest.fixture
    def ask(self, sandbox, export, get):
        start = sandbox.clock.now()
        for day, currency in ((0, ("bonus", 1)), (1, ("bonus", 1)), (2, ("bonus", 1)), (1, ("miles", 2))):
            sandbox.add_transaction(5, "p1", 10.5, at=start + timedelta(days=day), currency=currency)

        def ask(**body):
            dates = {"date_from": start.isoformat(), "date_to": (start + timedelta(days=1)).isoformat()}
            (url,) = export("loyalty/transactions_export", loyalty_program_id=5, **{**dates, **body})["urls"]
            return list(csv.DictReader(io.StringIO(get(url).text)))

        return ask

    @pytest.mark.parametrize(
        ("currency", "count"), [({"points_currency_eid": "bonus"}, 2), ({"points_currency_iid": 2}, 1)]
    )
    def test_the_period_is_inclusive_and_the_currency_has_two_ids(self, ask, currency, count):
        assert len(ask(**currency)) == count

    def test_it_may_begin_at_a_transaction(self, ask):
        (first, second) = ask(points_currency_eid="bonus")
        assert ask(points_currency_eid="bonus", from_id=second["id"]) == [second]
        assert first["points"] == "10.5"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({}, 400),
            ({"points_currency_eid": "bonus", "points_currency_iid": 1}, 400),
            ({"points_currency_iid": 1, "date_to": "2026-01-01"}, 400),
            ({"points_currency_iid": 1, "loyalty_program_id": 6}, 404),
            ({"points_currency_iid": 1, "from_id": "none"}, 404),
        ],
    )
    def test_the_rest_is_refused(self, post, change, error):
        body = {"loyalty_program_id": 5, "date_from": "2026-01-01T00:00:00Z", "date_to": "2026-02-01T00:00:00Z"}
        assert post("loyalty/transactions_export", **{**body, **change}).json()["error"] == error
