"""Exports, reports and logs into files, on the worker and deferred."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_altcraft.exceptions import (
    AltcraftConfigurationError,
    AltcraftError,
    AltcraftKilled,
    AltcraftTransportError,
)
from airflow_provider_altcraft.exports import (
    ListExport,
    LoyaltyTransactionsExport,
    ProfilesExport,
    SuppressionListExport,
)
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.launching.identity import Launch
from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.transfers.altcraft_to_object_storage import AltcraftToObjectStorageOperator
from tests.contexts import Store, context

GET_ALL = "profiles/get_all"


@pytest.fixture
def five(altcraft_sandbox):
    rows = [{"email": f"p{number}@example.com", "_fname": "Анна"} for number in range(5)]
    AltcraftHook().call("profiles/add_batch", {"db_id": 1, "data": rows}, "seed")
    return altcraft_sandbox


@pytest.fixture
def fetch(tmp_path):
    def fetch(source=None, **arguments):
        return AltcraftToObjectStorageOperator(
            **{
                "task_id": "fetch",
                "source": source or ProfilesExport(db_id="1"),
                "path": f"{tmp_path}/out",
                "poll_interval": 0.02,
                "timeout": 20,
                **arguments,
            }
        )

    return fetch


def exported_before(operator, ctx):
    """The task that an earlier try of an operator started."""
    ctx["ti"].try_number = 2
    params = operator.source.params
    request_id = operator.identity(ctx, is_redone_on_clear=True).launch_id(Launch(GET_ALL, params))
    return AltcraftHook().call(GET_ALL, params, request_id).task_id


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_profiles_of_a_database_become_a_file(five, run, fetch, tmp_path):
    result = run(fetch())
    (file,) = result["files"]
    assert file["path"] == f"{tmp_path}/out/1_database_export.csv"
    assert file["bytes"] == result["bytes"] == (tmp_path / "out/1_database_export.csv").stat().st_size
    assert {row["email"] for row in rows_of(file["path"])} == {f"p{number}@example.com" for number in range(5)}
    assert (result["total"], result["replayed"]) == (5, False)
    assert len(five.journal.calls(GET_ALL)) == 1


def test_many_rows_become_several_files(five, run, fetch, tmp_path):
    five.behaviour.export_rows_per_file = 2
    result = run(fetch(path=f"file://{tmp_path}/out"))
    assert names_in(tmp_path / "out") == [f"{number}_database_export.csv" for number in (1, 2, 3)]
    assert (result["total"], len(result["files"])) == (5, 3)


def test_files_of_one_name_do_not_replace_each_other(altcraft_sandbox, run, fetch, tmp_path):
    first, second = SuppressionListExport(3, kind="emails"), SuppressionListExport(3, kind="phones")
    first.files = lambda result: [result["hashed_file"]] * 2
    run(fetch(first))
    run(fetch(second), run_id="another")
    assert names_in(tmp_path / "out") == ["1_3_emails.zip", "2_3_emails.zip", "3_phones.zip"]


def test_a_query_and_a_segment_choose(five, run, fetch):
    five.add_segment(2, is_static=True).members.update(list(five.profiles())[:2])
    assert run(fetch(ProfilesExport(segment_id=2, file_format="json")))["total"] == 2
    chosen = ProfilesExport(db_id=1, custom_request={"email": "p3@example.com"})
    assert run(fetch(chosen), run_id="another")["total"] == 1


def test_a_suppression_list_is_a_zip(altcraft_sandbox, run, fetch, tmp_path):
    altcraft_sandbox.world.suppression_list(3).emails.add("a@example.com")
    (file,) = run(fetch(SuppressionListExport("3", kind="emails")))["files"]
    with zipfile.ZipFile(file["path"]) as archive:
        (name,) = archive.namelist()
        assert archive.read(name).decode().split() == [hashlib.md5(b"a@example.com").hexdigest()]


def test_points_transactions_of_a_period_are_fetched(altcraft_sandbox, run, fetch):
    now = altcraft_sandbox.clock.now()
    for days in (1, 2, 9):
        altcraft_sandbox.add_transaction(5, "p1", 10.5, at=now - timedelta(days=days))
    source = LoyaltyTransactionsExport(5, (now - timedelta(days=3)).isoformat(), now, points_currency_eid="bonus")
    result = run(fetch(source))
    assert (result["total"], len(rows_of(result["files"][0]["path"]))) == (2, 2)


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_takes_up_the_export(five, run, fetch, remembers):
    store = Store() if remembers else None
    five.faults.add(Fault("api_error", "download", code=503, times=5))
    with pytest.raises(AltcraftError):
        run(quick(fetch()), context(store=store))
    result = run(fetch(), context(store=store, try_number=2))
    assert result["replayed"]
    assert result["total"] == 5
    assert len(five.tasks) == 1


def quick(operator):
    """Its client does not wait between attempts."""
    operator.hook.client._sleep = lambda seconds: None
    return operator


@pytest.mark.parametrize("kind", ["drop_after", "cut_body"])
def test_an_answer_that_is_lost_after_the_work_exports_once(five, run, fetch, kind):
    five.faults.add(Fault(kind, GET_ALL, times=1))
    assert run(quick(fetch()))["total"] == 5
    assert len(five.tasks) == 1


def test_killed_in_the_middle_of_a_download_it_ends_there_and_leaves_no_file(five, fetch, tmp_path):
    rows = [{"email": f"q{number}@example.com", "_fname": "x" * 10_000} for number in range(300)]
    AltcraftHook().call("profiles/add_batch", {"db_id": 1, "data": rows}, "more")
    five.clock.speed = 100
    operator = fetch()
    place = operator._opened

    def opened(context, file):
        @contextmanager
        def watched():
            with place(context, file) as made:
                operator.on_kill()
                yield made

        return watched()

    operator._opened = opened
    with pytest.raises(AltcraftKilled):
        operator.execute(context())
    assert len(five.journal.calls("download")) == 1
    assert names_in(tmp_path / "out") == []


def test_a_login_page_is_no_export(five, run, fetch, tmp_path):
    five.faults.add(Fault("html", "download", code=200, text="Sign in"))
    with pytest.raises(AltcraftTransportError, match="a web page instead of the file"):
        run(quick(fetch()))
    assert names_in(tmp_path / "out") == []


def test_a_cleared_task_exports_anew_unless_it_is_told_not_to(five, run, fetch):
    store = Store()
    for max_tries in (0, 1):
        run(fetch(), context(store=store, max_tries=max_tries))
    assert len(five.tasks) == 2
    store = Store()
    for max_tries in (0, 1):
        run(fetch(relaunch_on_clear=False), context(store=store, max_tries=max_tries, task_id="other"))
    assert len(five.tasks) == 3


def test_where_altcraft_forgets_another_export_harms_nobody(five, run, fetch, monkeypatch):
    connection = {**five.connection, "extra": {"deduplication_window": 0}}
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(connection))
    run(fetch())
    assert run(fetch(), context(try_number=2))["total"] == 5
    assert len(five.tasks) == 2


@pytest.mark.parametrize("kind", ["cut_body", "drop_before", "status", "rate_limited"])
def test_a_download_that_breaks_off_is_begun_again(five, run, fetch, tmp_path, kind):
    five.faults.add(Fault(kind, "download", times=2, seconds=0))
    (file,) = run(quick(fetch()))["files"]
    assert len(rows_of(file["path"])) == 5
    assert len(five.journal.calls("download")) == 3
    assert names_in(tmp_path / "out") == ["1_database_export.csv"]


def test_a_download_that_never_succeeds_leaves_what_was_there(five, run, fetch, tmp_path):
    run(fetch())
    before = (tmp_path / "out/1_database_export.csv").read_bytes()
    # Long enough that blocks of it are written before it breaks off.
    long = [{"email": f"long{number}@example.com", "_fname": "А" * 700_000} for number in range(3)]
    AltcraftHook().call("profiles/add_batch", {"db_id": 1, "data": long}, "more")
    five.faults.add(Fault("cut_body", "download"))
    with pytest.raises(AltcraftTransportError):
        run(quick(fetch()), run_id="another")
    assert names_in(tmp_path / "out") == ["1_database_export.csv"]
    assert (tmp_path / "out/1_database_export.csv").read_bytes() == before


def test_what_a_killed_try_left_behind_is_removed_by_the_next(five, run, fetch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/1_database_export.csv.try1.part").write_text("half")
    run(fetch(), context(try_number=2))
    assert names_in(tmp_path / "out") == ["1_database_export.csv"]


def test_a_task_that_fails_fails_the_task(five, run, fetch):
    five.behaviour.tasks_fail = True
    with pytest.raises(AirflowFailException, match="failed"):
        run(fetch())


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"urls": ["https://elsewhere.example/api/download/x.csv"], "total": 1}, "names a file at elsewhere.example"),
        ({"urls": ["//elsewhere.example/api/download/x.csv"], "total": 1}, "names a file at elsewhere.example"),
        ({"urls": ["/api/download/../v1.1/databases/list"], "total": 1}, "consist of dots"),
        ({"urls": ["/api/download/x.csv"], "total": 1, "errors": ["p1@example.com"]}, "errors in its result"),
        ({"urls": [], "total": 1}, "names no file"),
        (None, "names no file"),
    ],
)
def test_a_result_that_cannot_be_fetched_fails_the_task(five, run, fetch, caplog, result, reason):
    ctx = context()
    five.faults.add(Fault("drop_after", GET_ALL, times=1))
    operator = quick(fetch())
    task_id = exported_before(operator, ctx)
    five.world.tasks[task_id].result = result
    with pytest.raises(AirflowFailException, match=reason) as caught:
        run(operator, ctx)
    assert "p1@example.com" not in f"{caught.value} {caplog.text}"
    assert not five.journal.calls("download")


def test_a_url_of_the_own_host_is_fetched(five, run, fetch):
    five.faults.add(Fault("drop_after", GET_ALL, times=1))
    ctx = context()
    operator = quick(fetch())
    task_id = exported_before(operator, ctx)
    result = five.world.tasks[task_id].result
    result["urls"] = [f"{five.url}{url}" for url in result["urls"]]
    assert run(operator, ctx)["bytes"] > 0


def test_an_export_of_nothing_may_name_no_file(altcraft_sandbox, run, fetch):
    ctx = context()
    operator = fetch()
    task_id = exported_before(operator, ctx)
    altcraft_sandbox.world.tasks[task_id].result = {"urls": [], "total": 0}
    assert run(operator, ctx)["files"] == []


class TestLists:
    """Lists, reports and logs."""

    @pytest.mark.parametrize("file_format", ["jsonl", "csv"])
    def test_a_list_is_walked_over_all_its_pages(self, altcraft_sandbox, fetch, tmp_path, file_format):
        result = fetch(ListExport("scampaigns/list", {"limit": 1}, file_format)).execute(context())
        path = tmp_path / f"out/scampaigns_list.{file_format}"
        assert result == {
            "total": 2,
            "bytes": path.stat().st_size,
            "files": [{"path": str(path), "bytes": path.stat().st_size}],
        }
        lines = path.read_text().splitlines()
        rows = rows_of(path) if file_format == "csv" else [json.loads(line) for line in lines]
        assert [int(row["id"]) for row in rows] == [18, 42]
        assert len(altcraft_sandbox.journal.calls("scampaigns/list")) >= 2

    def test_a_report_becomes_a_table(self, altcraft_sandbox, fetch):
        altcraft_sandbox.add_bounce(7, on=date(2026, 3, 1))
        source = ListExport(
            "reports/bounces",
            {"date_from": "2026-03-01", "date_to": "2026-03-31"},
            "csv",
            columns=["bounce_text", "count"],
            file_name="march.csv",
        )
        (file,) = fetch(source).execute(context())["files"]
        assert rows_of(file["path"]) == [{"bounce_text": "mailbox full", "count": "1"}]

    def test_an_empty_list_is_an_empty_file(self, altcraft_sandbox, fetch):
        for file_format in ("csv", "jsonl"):
            result = fetch(ListExport("senders/list", {"from_id": 99}, file_format)).execute(context())
            assert (result["total"], result["bytes"]) == (0, 0)

    @pytest.mark.parametrize("limit", [3, 100])
    def test_the_whole_log_of_a_mailing_is_fetched(self, altcraft_sandbox, fetch, limit):
        mailing = altcraft_sandbox.mailing(7)
        for number in range(10):
            AltcraftHook().call("campaigns/broadcasts/start", {"id": 7}, f"run {number}")
            altcraft_sandbox.clock.advance(3600)
        everything = mailing.log(altcraft_sandbox.clock.now())
        (file,) = fetch(ListExport("campaigns/log_v2", {"id": 7, "limit": limit})).execute(context())["files"]
        with open(file["path"], encoding="utf-8") as lines:
            assert [json.loads(line) for line in lines] == everything
        assert len(everything) == 30

    def test_more_entries_at_one_moment_than_a_page_holds_are_fetched(self, altcraft_sandbox, fetch):
        for number in range(5):
            AltcraftHook().call("campaigns/broadcasts/start", {"id": 7}, f"run {number}")
        assert fetch(ListExport("campaigns/log_v2", {"id": 7, "limit": 2})).execute(context())["total"] == 10

    def test_nested_values_are_json_in_a_table(self, tmp_path):
        items = iter([{"a": [1, "я"], "b": True}, {"a": None}, 7])
        with (tmp_path / "x.csv").open("wb") as file:
            assert ListExport("senders/list", file_format="csv").write(items, file) == 3
        assert (tmp_path / "x.csv").read_text() == 'a,b,value\n"[1, ""я""]",true,\n,,\n,,7\n'

    def test_a_field_that_comes_too_late_for_a_column_fails(self, tmp_path):
        items = ({"a": 1} if number < 1_000 else {"a": 1, "late": 2} for number in range(1_001))
        with (tmp_path / "x.csv").open("wb") as file, pytest.raises(AltcraftError, match="late"):
            ListExport("senders/list", file_format="csv").write(items, file)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (ProfilesExport, "db_id or segment_id"),
        (lambda: ProfilesExport(db_id=1, segment_id=2), "db_id or segment_id"),
        (lambda: ProfilesExport(db_id="one"), "source_id must be a whole number"),
        (lambda: SuppressionListExport(3, kind="faxes"), "type must be one of"),
        (lambda: LoyaltyTransactionsExport(5, "2026-01-01T00:00:00Z", "{{ ts }}"), "points_currency_eid or"),
        (lambda: ListExport("senders/lst"), "Did you mean 'senders/list'"),
        (lambda: ListExport("databases/wipe", {"db_id": 1}), "not a list"),
        (lambda: ListExport("reports/bounces", {"date_from": "{{ ds }}"}), "date_to is required"),
        (lambda: ListExport("senders/list", file_format="xlsx"), "file_format"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(fetch, source, reason):
    with pytest.raises(AltcraftConfigurationError, match=reason):
        fetch(source())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"path": ""}, "path is empty"),
        ({"path": "nowhere://bucket/folder"}, "no storage for 'nowhere'"),
        ({"source": ProfilesExport(db_id="{{ params.db }}")}, "source_id must be"),
    ],
)
def test_what_turns_out_wrong_on_the_worker_is_refused_before_any_call(altcraft_sandbox, fetch, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        fetch(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_ids_and_paths_are_templates_and_the_given_source_stays_as_it_was(five, run, fetch, tmp_path):
    source = ProfilesExport(db_id="{{ params.db }}")
    operator = fetch(source, path=f"{tmp_path}/{{{{ params.day }}}}")
    operator.render_template_fields({"params": {"db": 1, "day": "monday"}})
    (file,) = run(operator)["files"]
    assert file["path"].startswith(f"{tmp_path}/monday/")
    assert source.db_id == "{{ params.db }}"
