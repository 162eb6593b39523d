"""Rejected rows are kept, and can be sent again after they were repaired."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from airflow_provider_altcraft.delivery.answers import Reject, read_task_answer
from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.pipeline import settle
from airflow_provider_altcraft.delivery.rejects import Rejects, records
from airflow_provider_altcraft.delivery.source import from_profiles
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftTransportError
from tests.delivery.altcraft import Altcraft, Reply, Sender, delivery

ROWS = Rows([4, 9], JsonLines.of([b'{"email":"a"}', b'{"email":"b","_fname":"\xd0\x90"}']))


@pytest.fixture
def kept(tmp_path):
    rejects = Rejects(tmp_path / "dag" / "run", ["email"])
    rejects.keep("first", ROWS, [Reject(1, 400, "no")])
    rejects.keep("second", ROWS, [Reject(0, 0, "no key")])
    rejects.hold("third", ROWS)
    return tmp_path


def test_the_records_of_all_rejects_below_a_folder_come_back_but_not_the_pending(kept):
    assert list(records(kept)) == [{"email": "b", "_fname": "А"}, {"email": "a"}]


def test_one_file_will_do(kept):
    assert list(records(kept / "dag" / "run" / "second.jsonl")) == [{"email": "a"}]


def test_what_was_repaired_is_what_is_sent(kept):
    path = kept / "dag" / "run" / "first.jsonl"
    path.write_text(path.read_text().replace('"b"', '"b@example.com"'))
    assert next(records(kept))["email"] == "b@example.com"


def test_a_row_that_two_tries_kept_comes_back_once_and_one_that_a_try_kept_twice_does_twice(tmp_path):
    ann, bob = '{"record": {"email": "a", "_fname": "A"}}\n', '{"record": {"email": "b"}}\n'
    (tmp_path / "first.jsonl").write_text(ann + bob + bob)
    (tmp_path / "second.jsonl").write_text(
        '{"record": {"_fname": "A", "email": "a"}}\n' + '{"record": {"email": "c"}}\n'
    )
    found = list(records(tmp_path))
    assert [record and record["email"] for record in found] == ["a", "b", "b", None, "c"]


def test_held_rows_come_back_as_they_were(tmp_path):
    rejects = Rejects(tmp_path, ["email"])
    rejects.hold("batch", ROWS)
    held = rejects.held("batch")
    assert (held.numbers, [*held.records]) == (ROWS.numbers, [*ROWS.records])


def test_what_an_editor_leaves_does_no_harm(tmp_path):
    (tmp_path / "mine.jsonl").write_bytes(b'\xef\xbb\xbf{"record": {"email": "a"}}\r\n\n  \n')
    assert list(records(tmp_path)) == [{"email": "a"}]


@pytest.mark.parametrize("line", ["x", "[]", "{}", '{"record": 3}'])
def test_a_line_that_is_no_rejected_row_is_named_and_not_quoted(tmp_path, line):
    (tmp_path / "mine.jsonl").write_text(json.dumps({"record": {"email": "a"}}) + f"\n{line}\n")
    with pytest.raises(AltcraftConfigurationError, match=r"mine.jsonl, line 2 is not a rejected row"):
        list(records(tmp_path))


def test_a_place_where_there_is_nothing_is_named(tmp_path):
    with pytest.raises(AltcraftConfigurationError, match="no rejected rows"):
        list(records(tmp_path / "nowhere"))
    with pytest.raises(AltcraftConfigurationError, match="no rejected rows"):
        list(records(tmp_path))


@pytest.fixture(params=[0o000, 0o022])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder):
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_on_a_disk_the_rows_are_for_their_owner_alone_whatever_the_umask(tmp_path, umask):
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o755)
    before = mine.stat().st_mode
    (mine / "dag" / "old").mkdir(parents=True)
    (mine / "dag" / "old" / "first.jsonl").touch(mode=0o666)
    for run in ("run", "old"):
        rejects = Rejects(mine / "dag" / run, ["email"])
        rejects.hold("second", ROWS)
        rejects.keep("first", ROWS, [Reject(1, 400, "no")])
    found = modes(mine)
    assert {path: mode for path, mode in found.items() if path != "dag"} == {
        "dag/run": 0o700,
        "dag/run/first.jsonl": 0o600,
        "dag/run/pending": 0o700,
        "dag/run/pending/second.jsonl": 0o600,
        "dag/old": 0o700,
        "dag/old/first.jsonl": 0o600,
        "dag/old/pending": 0o700,
        "dag/old/pending/second.jsonl": 0o600,
    }
    assert mine.stat().st_mode == before, "the user's own folder is his"


def test_folders_above_that_are_missing_are_private_too(tmp_path, umask):
    Rejects(tmp_path / "rejects" / "dag" / "run").keep("first", ROWS, [Reject(1, 400, "no")])
    assert {mode for path, mode in modes(tmp_path).items() if not path.endswith(".jsonl")} == {0o700}


def test_all_that_was_put_aside_can_be_forgotten(tmp_path):
    Rejects(tmp_path).hold("by an earlier try", ROWS)
    Rejects(tmp_path).hold("by this", ROWS)
    Rejects(tmp_path).release_all()
    assert list(tmp_path.rglob("*.jsonl")) == []
    Rejects(None).release_all()


def emails(folder):
    try:
        return sorted(record["email"] for record in records(folder) if record)
    except AltcraftConfigurationError:
        return []


def profiles(numbers, **fields):
    return [{"email": f"u{number}@e.com", **fields} for number in numbers]


def deliver(altcraft, folder, rows, *, destination=None, size=3, same=None):
    destination = destination or ProfileDatabase(1)
    rejects = Rejects(folder, destination.key_fields, same=same or ("key and row" if destination.makes_task else "key"))
    sending = delivery(altcraft, destination=destination, rejects=rejects, batch_size=size)
    sending.run(from_profiles(rows, ProfileEncoder(timezone=UTC)))
    return sending


def test_a_reject_that_a_later_try_had_accepted_is_not_offered_again(tmp_path):
    deliver(Altcraft(refuses={"u1@e.com", "u4@e.com"}), tmp_path, profiles(range(6)))
    deliver(Altcraft(refuses={"u4@e.com"}), tmp_path, profiles(range(6)))
    assert emails(tmp_path) == ["u4@e.com"]
    deliver(Altcraft(), tmp_path, profiles(range(6)), size=4)
    assert list(tmp_path.glob("*")) == []


def test_a_reject_whose_row_the_source_has_no_more_still_stands(tmp_path):
    deliver(Altcraft(refuses={"u1@e.com", "u2@e.com"}), tmp_path, profiles(range(6)))
    deliver(Altcraft(), tmp_path, profiles([0, 2, 3]))
    assert emails(tmp_path) == ["u1@e.com"]


def test_a_row_that_was_repaired_in_the_source_is_known_by_its_key(tmp_path):
    deliver(Altcraft(refuses={"u1@e.com"}), tmp_path, profiles(range(2), _fname="An"))
    deliver(Altcraft(), tmp_path, profiles(range(2), _fname="Ann"))
    assert emails(tmp_path) == []


def test_two_rows_of_one_key_are_two_where_a_profile_may_enter_twice(tmp_path):
    rejects = Rejects(tmp_path, ["email"])
    rejects.keep("first", Rows([7], JsonLines.of([b'{"email":"a","n":1}'])), [Reject(0, 400, "no")])
    again = Rejects(tmp_path, ["email"])
    again.keep("second", Rows([8], JsonLines.of([b'{"email":"a","n":2}'])), [])
    assert emails(tmp_path) == ["a"]
    again.keep("third", Rows([7], JsonLines.of([b'{"email":"a","n":3}'])), [])
    assert emails(tmp_path) == []


def test_a_reject_stands_until_its_row_is_answered_for(tmp_path):
    class Silent(Altcraft):
        def send(self, body, batch, **facts):
            super().send(body, batch, **facts)
            return Reply([])

    deliver(Altcraft(refuses={"u1@e.com"}), tmp_path, profiles(range(3)))
    deliver(Silent(), tmp_path, profiles(range(3)))
    assert emails(tmp_path) == ["u1@e.com"]


def test_a_keyless_row_that_got_its_key_is_not_offered_again_and_another_is(tmp_path):
    deliver(Altcraft(), tmp_path, [{"email": "", "n": 1}, {"email": "", "n": 2}])
    deliver(Altcraft(), tmp_path, [{"email": "", "n": 2}, {"email": "a@e.com", "n": 1}])
    assert sorted(record["n"] for record in records(tmp_path) if record) == [1, 2]
    deliver(Altcraft(), tmp_path, [{"email": "", "n": 1}, {"email": "", "n": 2}])
    assert sorted(record["n"] for record in records(tmp_path) if record) == [1, 2]


class Dying(Altcraft):
    """Ends a try at one of its batches, and has a store that may remember what was answered."""

    def __init__(self, store, dies_at, **arguments):
        super().__init__(**arguments)
        self.store, self.left = store, dies_at

    def recall(self, batch):
        return None if self.store is None else self.store.get(batch)

    def settle(self, batch, verdict):
        if self.store is not None:
            self.store[batch] = verdict

    def send(self, body, batch, **facts):
        if self.left == 0:
            raise AltcraftTransportError("gone")
        self.left -= 1
        return super().send(body, batch, **facts)


TRIES = st.tuples(st.sets(st.integers(0, 9)), st.integers(1, 5), st.integers(0, 12))
"""Which rows are refused, how the batches are cut, and at which request the try ends."""


@given(tries=st.lists(TRIES, max_size=4), last=TRIES, keeps=st.booleans(), limit=st.sampled_from([70, 10**6]))
@settings(max_examples=150, deadline=None)
def test_no_reject_is_lost_and_none_is_offered_after_it_was_accepted(tries, last, keeps, limit):
    store = {} if keeps else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ever_taken, rejected = set(), set()
        for refused, size, dies_at in [*tries, (*last[:2], 99)]:
            altcraft = Dying(store, dies_at, refuses={f"u{number}@e.com" for number in refused}, limit=limit)
            with suppress(AltcraftTransportError):
                deliver(altcraft, folder, profiles(range(10)), size=size)
            sent = {item["email"] for body in altcraft.bodies for item in json.loads(body)["data"]}
            ever_taken |= sent - altcraft.refuses
            rejected = (rejected - sent) | (sent & altcraft.refuses)
            assert rejected - ever_taken <= set(emails(folder)) <= rejected


class Tasks(Sender):
    """Makes tasks that refuse some rows."""

    def __init__(self):
        self.tasks = {}

    def send(self, body, batch, **facts):
        self.tasks[batch] = [item["data"]["email"] for item in json.loads(body)["data"]]
        return Reply(task_id=batch)

    def status(self, refused):
        def status(task_id):
            items = [{"error": 400} if row in refused else {"profile_id": row} for row in self.tasks[task_id]]
            return {"status": "completed", "result": {"error": 0, "result": items}}

        return status


def test_of_tasks_the_answers_tell_and_not_that_they_were_made(tmp_path):
    def sent(size):
        altcraft = Tasks()
        return altcraft, deliver(altcraft, tmp_path, profiles(range(5)), destination=Scenario(12), size=size)

    def answered(altcraft, sending, refused):
        rejects = Rejects(tmp_path, ["email"])

        def ask(task_id):
            answer = read_task_answer(altcraft.status(refused)(task_id)["result"])
            return answer, answer.outcome()

        settle(sending.report, sending.tasks, rejects, destination=Scenario(12), outcomes={}, ask=ask)

    answered(*sent(2), {"u1@e.com", "u3@e.com"})
    assert emails(tmp_path) == ["u1@e.com", "u3@e.com"]
    again = sent(3)
    assert emails(tmp_path) == ["u1@e.com", "u3@e.com"]
    answered(*again, {"u3@e.com"})
    assert emails(tmp_path) == ["u3@e.com"]


def test_in_an_object_store_it_goes_as_on_a_disk():
    store = UPath("memory://rejects") / "dag" / "run"
    deliver(Altcraft(refuses={"u1@e.com", "u4@e.com"}), store, profiles(range(6)))
    assert emails(store) == ["u1@e.com", "u4@e.com"]
    Rejects(store).hold("batch", ROWS)
    deliver(Altcraft(), store, profiles(range(2)), size=2)
    assert emails(store) == ["u4@e.com"]
    assert [*Rejects(store).held("batch").records] == [*ROWS.records]
    Rejects(store).release_all()
    assert len(Rejects(store).held("batch")) == 0
    deliver(Altcraft(), store, profiles(range(6)), size=4)
    assert emails(store) == []


@pytest.mark.parametrize("size", [1, 2, 9])
def test_rejects_that_were_repaired_where_they_are_are_all_sent_and_then_gone(tmp_path, size):
    first, second = [{"email": "a"}, {"email": "b"}], [{"email": "b"}, {"email": "a", "n": 1}]
    for name, rows in {"first": first, "second": second, "third": first}.items():
        lines = [json.dumps({"row": number, "record": row}) for number, row in enumerate(rows, start=1)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    altcraft = Altcraft()
    deliver(altcraft, tmp_path, records(tmp_path), size=size, same="content")
    assert sorted(altcraft.taken) == ["a", "a", "b"]
    assert list(tmp_path.glob("*.jsonl")) == []
