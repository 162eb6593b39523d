"""Rejected rows are kept, and can be sent again after they were repaired."""

from __future__ import annotations

import json

import pytest

from airflow_provider_altcraft.delivery.answers import Refusal
from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.lines import Lines
from airflow_provider_altcraft.delivery.rejects import Rejects, records
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

ROWS = Rows([4, 9], Lines.of([b'{"email":"a"}', b'{"email":"b","_fname":"\xd0\x90"}']))


@pytest.fixture
def kept(tmp_path):
    rejects = Rejects(tmp_path / "dag" / "run", ["email"])
    rejects.keep("first", ROWS, [Refusal(1, 400, "no")])
    rejects.keep("second", ROWS, [Refusal(0, 0, "no key")])
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
