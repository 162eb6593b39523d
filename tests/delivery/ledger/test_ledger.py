"""Only what changed is sent, and nothing that changed is left out, wherever a process ends."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg2
import pymysql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_altcraft.api.request import Frame
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, PromoCodes, SuppressionList
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.ledger.files import FileLedger
from airflow_provider_altcraft.delivery.ledger.ledger import Ledger
from airflow_provider_altcraft.delivery.ledger.table import TableLedger
from airflow_provider_altcraft.delivery.pipeline import Delivery
from airflow_provider_altcraft.delivery.rejects import Rejects
from airflow_provider_altcraft.delivery.source import from_profiles
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from tests import databases
from tests.delivery.altcraft import Sender

ENCODER = ProfileEncoder(timezone=UTC)


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Ends the process at a step that is counted down to."""

    left: int = 10**9

    def burn(self):
        self.left -= 1
        if self.left == 0:
            raise Crash


@dataclass
class Altcraft(Sender):
    """Holds the last content it accepted of each key."""

    holds: dict[str, Any] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    fuse: Fuse = field(default_factory=Fuse)
    requests: int = 0

    def send(self, body, batch, **facts):
        self.fuse.burn()
        self.requests += 1
        profiles = json.loads(body)["data"]
        taken = [profile for profile in profiles if profile["email"] not in self.refuses]
        self.holds.update({profile["email"]: profile for profile in taken})
        self.fuse.burn()
        answer = [
            {"error": 0, "profile_id": "p"} if profile in taken else {"error": 400, "error_text": "no"}
            for profile in profiles
        ]
        return SimpleNamespace(data=answer, task_id=None, replayed=False)


def deliver(altcraft, store, rows, *, batch_size=2, in_flight=1):
    """One run of a sync; its report."""
    delivery = Delivery(
        ProfileDatabase(1),
        frame=Frame(b'{"data":[', b"]}"),
        sender=altcraft,
        batch_size=batch_size,
        max_body_bytes=10**6,
        max_in_flight=in_flight,
        rejects=Rejects(None),
    )
    with Ledger(store, scope=b"here", key=["email"], encoder=ENCODER) as ledger:
        delivery.run(from_profiles([{"email": key, "n": content} for key, content in rows], ENCODER), ledger=ledger)
    return delivery.report


class Fragile:
    """A folder on a disk that may end the process in the middle of anything."""

    def __init__(self, path, fuse):
        self.path, self.fuse = path, fuse

    def __truediv__(self, name):
        return Fragile(self.path / name, self.fuse)

    def __str__(self):
        return str(self.path)

    @property
    def name(self):
        return self.path.name

    def exists(self):
        return self.path.exists()

    def iterdir(self):
        return [Fragile(path, self.fuse) for path in self.path.iterdir()]

    def mkdir(self, **arguments):
        self.fuse.burn()
        self.path.mkdir(**arguments)

    def unlink(self, **arguments):
        self.fuse.burn()
        self.path.unlink(**arguments)

    def open(self, mode):
        if mode == "rb":
            return self.path.open(mode)
        self.fuse.burn()
        return Torn(self.path, self.fuse)


class Torn:
    """A file of which half is written when the process ends."""

    def __init__(self, path, fuse):
        self.file, self.fuse = path.open("wb"), fuse

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        self.fuse.burn()
        self.file.write(content[len(content) // 2 :])
        return len(content)


ROWS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 2)), max_size=7)
RUNS = st.lists(st.tuples(ROWS, st.sets(st.sampled_from("abcde"), max_size=1), st.integers(1, 60)), max_size=6)


@pytest.mark.slow
@given(runs=RUNS, last=ROWS)
@settings(max_examples=150, deadline=None)
def test_wherever_processes_end_the_next_run_leaves_altcraft_with_what_the_source_says(runs, last):
    fuse = Fuse()
    altcraft = Altcraft(fuse=fuse)
    with tempfile.TemporaryDirectory() as folder:
        for rows, refused, steps in runs:
            fuse.left, altcraft.refuses = steps, refused
            with suppress(Crash):
                deliver(altcraft, FileLedger(Fragile(Path(folder), fuse)), rows)
        fuse.left, altcraft.refuses = 10**9, set()
        report = deliver(altcraft, FileLedger(Fragile(Path(folder), fuse)), last)
        for key, content in dict(last).items():
            assert altcraft.holds[key]["n"] == content
        assert report.accepted + report.unchanged == len(last)

        sent = altcraft.requests
        deliver(altcraft, FileLedger(Path(folder)), dict(last).items())
        once = all(times == 1 for times in Counter(key for key, _ in last).values())
        assert altcraft.requests == sent or not once


@pytest.fixture(params=["a folder", "SQLite", "PostgreSQL", "MariaDB"])
def store(request, tmp_path):
    """How to open a ledger, again and again."""
    if request.param == "a folder":
        return lambda: FileLedger(tmp_path / "ledger")
    if request.param == "SQLite":
        hook = SimpleNamespace(placeholder="?", get_conn=lambda: sqlite3.connect(tmp_path / "warehouse.db"))
        return lambda: TableLedger(hook, "altcraft_ledger")
    if request.param == "PostgreSQL":
        table = request.getfixturevalue("postgres_table")
        return lambda: TableLedger(SimpleNamespace(get_conn=partial(databases.postgres, psycopg2)), table)
    name = request.getfixturevalue("mariadb_database")
    return lambda: TableLedger(
        SimpleNamespace(get_conn=partial(databases.mariadb, pymysql, database=name)), "altcraft_ledger"
    )


@pytest.fixture
def mariadb_database():
    with databases.mariadb_database(pymysql) as name:
        yield name


@pytest.fixture
def postgres_table():
    name = f"public.altcraft_{uuid4().hex}"
    yield name
    with databases.postgres(psycopg2) as connection:
        connection.cursor().execute(f"DROP TABLE IF EXISTS {name}")


def test_what_was_accepted_is_not_sent_again_until_it_changes(store):
    altcraft = Altcraft()
    rows = [(f"u{number}", 0) for number in range(2_500)]
    assert deliver(altcraft, store(), rows, batch_size=1_000, in_flight=3).accepted == 2_500
    assert deliver(altcraft, store(), rows).unchanged == 2_500
    rows[7] = ("u7", 1)
    report = deliver(altcraft, store(), rows)
    assert (report.unchanged, report.accepted) == (2_499, 1)
    assert altcraft.holds["u7"]["n"] == 1


def test_what_was_rejected_is_sent_again(store):
    altcraft = Altcraft(refuses={"b"})
    rows = [("a", 0), ("b", 0), ("c", 0)]
    deliver(altcraft, store(), rows)
    altcraft.refuses.clear()
    report = deliver(altcraft, store(), rows)
    assert (report.unchanged, report.accepted) == (2, 1)


def test_what_may_have_been_accepted_is_not_taken_for_what_was_before(store):
    altcraft = Altcraft()
    deliver(altcraft, store(), [("a", 0)])
    altcraft.fuse.left = 2
    with pytest.raises(Crash):
        deliver(altcraft, store(), [("a", 1)])
    assert altcraft.holds["a"]["n"] == 1
    altcraft.fuse.left = 10**9
    deliver(altcraft, store(), [("a", 0)])
    assert altcraft.holds["a"]["n"] == 0


def test_of_a_key_that_occurs_twice_the_last_row_is_what_altcraft_holds(store):
    altcraft = Altcraft()
    deliver(altcraft, store(), [("a", 0)])
    deliver(altcraft, store(), [("a", 1), ("b", 0), ("a", 0)])
    assert altcraft.holds["a"]["n"] == 0
    assert deliver(altcraft, store(), [("a", 1)]).accepted == 1


def test_of_a_key_in_two_batches_in_flight_nothing_is_learnt_whichever_is_answered_last(store):
    source = from_profiles([], ENCODER)
    with Ledger(store(), scope=b"here", key=["email"], encoder=ENCODER) as ledger:
        fingerprint_of = ledger.fingerprinter(source)
        first, second = fingerprint_of([{"email": "a"}] * 2, [b"1", b"2"])
        assert ledger.changed([first, second]) == [0, 1]
        ledger.sending([first])
        ledger.sending([second])
        ledger.accepted([second])
        ledger.accepted([first])
        assert not ledger._store.known([first.key])


def test_an_empty_source_forgets_nothing(store):
    altcraft = Altcraft()
    deliver(altcraft, store(), [("a", 0)])
    deliver(altcraft, store(), [])
    assert deliver(altcraft, store(), [("a", 0)]).unchanged == 1


def test_no_personal_data_is_in_the_ledger(tmp_path):
    rows = [(f"anna{number}@example.com", "Secret") for number in range(50)]
    deliver(Altcraft(), FileLedger(tmp_path), rows)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert kept
    assert b"anna" not in kept
    assert b"Secret" not in kept


def test_rows_for_another_place_are_other_rows(tmp_path):
    store = FileLedger(tmp_path)
    here, there = (Ledger(store, scope=scope, key=["email"], encoder=ENCODER) for scope in (b"here", b"there"))
    source = from_profiles([], ENCODER)
    rows, records = [{"email": "a"}], [b"{}"]
    assert here.fingerprinter(source)(rows, records)[0].key != there.fingerprinter(source)(rows, records)[0].key


def test_a_table_is_named_not_written(tmp_path):
    with pytest.raises(AltcraftConfigurationError, match="name of a table"):
        TableLedger(SimpleNamespace(), "ledger; DROP TABLE customers")


def test_a_base_that_was_cut_is_not_believed(tmp_path):
    deliver(Altcraft(), FileLedger(tmp_path), [("a", 0)])
    (base,) = (tmp_path / "base").glob("*.db")
    base.write_bytes(base.read_bytes()[:100])
    with pytest.raises(AltcraftConfigurationError, match="damaged"):
        FileLedger(tmp_path)


def test_an_answer_that_speaks_of_no_row_teaches_nothing(store):
    class Terse(Altcraft):
        def send(self, body, batch, **facts):
            answer = super().send(body, batch, **facts)
            answer.data = self.says
            return answer

    altcraft = Terse()
    for altcraft.says in (None, {}, [{"profile_id": "p"}]):
        report = deliver(altcraft, store(), [("a", 1)])
        assert (report.accepted, report.unchanged) == (1, 0)
    assert deliver(altcraft, store(), [("a", 1)]).unchanged == 1


@pytest.mark.parametrize(
    ("destination", "answer", "told"),
    [
        (ProfileDatabase(1), None, False),
        (ProfileDatabase(1), [{"profile_id": "p"}], True),
        (ProfileDatabase(1), [], False),
        (SuppressionList(1), None, False),
        (SuppressionList(1), {"total_imported": 1}, True),
        (SuppressionList(1), {"total_imported": 0}, False),
        (PromoCodes(1), {}, False),
        (PromoCodes(1), {"duplicated": 1}, True),
        (PromoCodes(1), [{"code": "A"}], True),
    ],
)
def test_counters_that_cover_all_rows_tell_of_each(destination, answer, told):
    assert destination.accounts_for_rows(answer, destination.read(answer, 1)) == told


ENDED = """
import os, sys
from pathlib import Path
from airflow_provider_altcraft.delivery.ledger.files import FileLedger
FileLedger(Path(sys.argv[1]))
os._exit(9)
"""


def test_a_copy_that_a_killed_worker_left_is_removed_by_the_next_and_one_in_use_is_not(tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    (temporary / "altcraft-ledger-begun").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    in_use = FileLedger(tmp_path / "other")
    (mine,) = temporary.iterdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    arguments = [sys.executable, "-c", ENDED, str(tmp_path / "ledger")]
    assert subprocess.run(arguments, env=environment, check=False).returncode == 9
    assert len([*temporary.iterdir()]) == 2
    FileLedger(tmp_path / "ledger").close(complete=True)
    assert [*temporary.iterdir()] == [mine]
    in_use.close(complete=True)
    assert [*temporary.iterdir()] == []
