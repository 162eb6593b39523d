"""Rejects, the ledger, exports and results in an object store that speaks S3, as on a disk."""

from __future__ import annotations

import csv
import io
import json
from uuid import uuid4

import pytest

pytest.importorskip("moto", reason="needs requirements/matrix.in: an S3 on loopback, and the provider of Amazon")
pytest.importorskip("s3fs", reason="needs requirements/matrix.in: an S3 on loopback, and the provider of Amazon")

import boto3
from airflow.providers.common.compat.sdk import AirflowFailException
from moto.server import ThreadedMotoServer

from airflow_provider_altcraft.delivery.answers import Reject
from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.ledger.files import FileLedger
from airflow_provider_altcraft.delivery.ledger.fingerprints import SIZE, Fingerprint
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.exports import ListExport, ProfilesExport
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.operators.api import AltcraftApiOperator
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from airflow_provider_altcraft.runtime.storage import location, replacing
from airflow_provider_altcraft.transfers.altcraft_to_object_storage import AltcraftToObjectStorageOperator
from tests.contexts import Store, context

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test-secret", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def server():
    """An S3 on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket of its own for each test, and what is in it."""

    def __init__(self, endpoint):
        self._client = boto3.client("s3", endpoint_url=endpoint, **KEYS)
        self._name = f"altcraft-{uuid4().hex[:12]}"
        self._client.create_bucket(Bucket=self._name)

    def url(self, path=""):
        return f"s3://store@{self._name}/{path}"

    def unfinished(self):
        return self._client.list_multipart_uploads(Bucket=self._name).get("Uploads", [])

    def names(self):
        return [found["Key"] for found in self._client.list_objects_v2(Bucket=self._name).get("Contents", [])]

    def read(self, key):
        return self._client.get_object(Bucket=self._name, Key=key)["Body"].read()

    def write(self, key, body):
        self._client.put_object(Bucket=self._name, Key=key, Body=body)


@pytest.fixture
def bucket(server, monkeypatch):
    connection = {
        "conn_type": "aws",
        "login": KEYS["aws_access_key_id"],
        "password": KEYS["aws_secret_access_key"],
        "extra": {"endpoint_url": server, "region_name": KEYS["region_name"]},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(connection))
    return Bucket(server)


def imports(profiles, **arguments):
    return AltcraftImportProfilesOperator(
        **{"task_id": "load", "profiles": profiles, "db_id": 1, "batch_size": 2, "timeout": 20, **arguments}
    )


def profiles(number, broken=0):
    return [{"email": "broken" if index < broken else f"u{index}@example.com"} for index in range(number)]


class TestFiles:
    """Written whole or not at all."""

    def test_a_file_appears_when_it_is_complete(self, bucket):
        with replacing(location("path", bucket.url("new/x.csv")), 1) as file:
            file.write(b"whole")
            assert "new/x.csv" not in bucket.names()
        assert (bucket.names(), bucket.read("new/x.csv")) == (["new/x.csv"], b"whole")

    def test_a_large_one_is_whole_too(self, bucket):
        with replacing(location("path", bucket.url("x.csv")), 1) as file:
            for _ in range(60):
                file.write(b"x" * 1_000_000)
        assert len(bucket.read("x.csv")) == 60_000_000
        assert bucket.names() == ["x.csv"]

    @pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
    @pytest.mark.parametrize("size", [4, 60_000_000])
    def test_one_that_breaks_off_changes_nothing(self, bucket, error, size):
        bucket.write("x.csv", b"before")

        def write_half():
            with replacing(location("path", bucket.url("x.csv")), 1) as file:
                file.write(b"x" * size)
                raise error

        with pytest.raises(error):
            write_half()
        assert (bucket.names(), bucket.read("x.csv")) == (["x.csv"], b"before")
        assert bucket.unfinished() == []

    def test_what_a_killed_try_left_behind_is_removed_by_the_next(self, bucket):
        bucket.write("x.csv.try1.part", b"half")
        with replacing(location("path", bucket.url("x.csv")), 2) as file:
            file.write(b"whole")
        assert bucket.names() == ["x.csv"]


class TestRejects:
    """Rows that Altcraft refuses."""

    ROWS = Rows([4, 9], [b'{"email":"a"}', b'{"email":"b"}'])

    def test_they_are_kept_and_can_be_sent_again(self, altcraft_sandbox, bucket):
        result = imports(profiles(5, broken=2), reject_path=bucket.url("rejects"), max_rejects=2).execute(
            context(run_id="scheduled__2026-11-01T04:00:00+00:00")
        )
        assert (result["accepted"], result["rejected"]) == (3, 2)
        (key,) = bucket.names()
        lines = [json.loads(line) for line in bucket.read(key).splitlines()]
        assert [line["record"]["email"] for line in lines] == ["broken", "broken"]
        assert result["reject_path"] == bucket.url(key.rpartition("/")[0])
        repaired = b"".join(b'{"record":{"email":"repaired%d@example.com"}}\n' % number for number in range(2))
        bucket.write(key, repaired)
        again = imports([], rejects_from=bucket.url("rejects")).execute(context(run_id="again"))
        assert again["accepted"] == 2
        assert len(altcraft_sandbox.profiles()) == 5

    def test_a_folder_in_which_there_is_nothing_is_named(self, altcraft_sandbox, bucket):
        with pytest.raises(AirflowFailException, match="no rejected rows"):
            imports([], rejects_from=bucket.url("nowhere")).execute(context())

    def test_the_rows_of_a_task_are_held_until_it_has_answered(self, altcraft_sandbox, bucket, run):
        operator = AltcraftImportAndStartOperator(
            task_id="start",
            workflow_id=12,
            profiles=profiles(5, broken=1),
            batch_size=2,
            reject_path=bucket.url("rejects"),
            max_rejects=1,
            poll_interval=0.02,
            timeout=20,
        )
        result = run(operator)
        assert (result["accepted"], result["rejected"]) == (4, 1)
        (key,) = bucket.names()
        assert json.loads(bucket.read(key))["record"] == {"email": "broken"}

    def test_held_rows_come_back_as_they_were_and_are_forgotten(self, bucket):
        rejects = Rejects(location("path", bucket.url("run")), ["email"])
        assert rejects.held("batch") == Rows([], [])
        rejects.hold("batch", self.ROWS)
        assert Rejects(location("path", bucket.url("run"))).held("batch") == self.ROWS
        assert not rejects.has("batch")
        rejects.keep("batch", self.ROWS, [Reject(1, 400, "no")])
        assert rejects.has("batch")
        rejects.release("batch")
        rejects.release("batch")
        assert bucket.names() == ["run/batch.jsonl"]


class TestLedger:
    """What was accepted is not sent again until it changes."""

    def changes(self, rows, bucket, run_id):
        arguments = {"changes_only": True, "ledger_path": bucket.url("ledger"), "reject_path": bucket.url("rejects")}
        result = imports(rows, max_rejects=1, **arguments).execute(context(run_id=run_id))
        return result["unchanged"], result["accepted"], result["rejected"]

    def test_only_what_changed_is_sent(self, altcraft_sandbox, bucket):
        rows = profiles(5, broken=1)
        assert self.changes(rows, bucket, "monday") == (0, 4, 1)
        assert self.changes(rows, bucket, "tuesday") == (4, 0, 1)
        rows[3] = {**rows[3], "_fname": "Анна"}
        assert self.changes(rows, bucket, "wednesday") == (3, 1, 1)
        ledger = [key for key in bucket.names() if key.startswith("ledger/")]
        assert sorted(key.rpartition(".")[2] for key in ledger) == ["db", "done"]

    def test_a_delivery_that_died_is_taken_up(self, bucket):
        first, second = (Fingerprint(bytes([number]) * SIZE, b"c" * SIZE) for number in (1, 2))
        died = FileLedger(location("path", bucket.url("ledger")))
        died.learn([first, second])
        died.forget([second.key])
        died.close(complete=False)
        for _ in range(2):
            next_one = FileLedger(location("path", bucket.url("ledger")))
            assert next_one.known([first.key, second.key]) == {first.key: first.content}
            next_one.close(complete=True)
        assert [key for key in bucket.names() if "/steps/" in key] == []

    def test_a_base_that_was_cut_is_not_believed(self, bucket):
        ledger = FileLedger(location("path", bucket.url("ledger")))
        ledger.learn([Fingerprint(b"k" * SIZE, b"c" * SIZE)])
        ledger.close(complete=True)
        (base,) = [key for key in bucket.names() if key.endswith(".db")]
        bucket.write(base, bucket.read(base)[:-1])
        with pytest.raises(AltcraftConfigurationError, match="damaged"):
            FileLedger(location("path", bucket.url("ledger")))


class TestExports:
    """Out of Altcraft, and into the store."""

    @pytest.fixture
    def fetch(self, altcraft_sandbox, bucket):
        rows = [{"email": f"p{number}@example.com", "_fname": "А" * 50_000} for number in range(90)]
        AltcraftHook().call("profiles/add_batch", {"db_id": 1, "data": rows}, "seed")

        def fetch(source, **arguments):
            return AltcraftToObjectStorageOperator(
                **{"task_id": "fetch", "source": source, "path": bucket.url("out"), "poll_interval": 0.02, **arguments}
            )

        return fetch

    def test_the_profiles_of_a_database_become_an_object(self, altcraft_sandbox, bucket, fetch, run):
        result = run(fetch(ProfilesExport(db_id=1), timeout=20))
        (file,) = result["files"]
        assert file["path"] == bucket.url("out/1_database_export.csv")
        assert bucket.names() == ["out/1_database_export.csv"]
        text = bucket.read("out/1_database_export.csv")
        assert len(text) == file["bytes"] > 9_000_000
        csv.field_size_limit(10**6)
        assert len(list(csv.DictReader(io.StringIO(text.decode())))) == 90

    def test_a_retry_takes_the_export_up(self, altcraft_sandbox, bucket, fetch, run):
        store = Store()
        run(fetch(ProfilesExport(db_id=1)), context(store=store))
        result = run(fetch(ProfilesExport(db_id=1)), context(store=store, try_number=2))
        assert (result["replayed"], bucket.names()) == (True, ["out/1_database_export.csv"])

    def test_a_list_and_the_answer_of_any_endpoint_do_too(self, altcraft_sandbox, bucket, fetch):
        fetch(ListExport("databases/list")).execute(context())
        assert json.loads(bucket.read("out/databases_list.jsonl"))["id"] == 1
        call = AltcraftApiOperator(
            task_id="call", endpoint="databases/list", all_pages=True, result_path=bucket.url("answer.json")
        )
        result = call.execute(context())
        assert (result["path"], result["count"]) == (bucket.url("answer.json"), 1)
        assert json.loads(bucket.read("answer.json"))[0]["id"] == 1
