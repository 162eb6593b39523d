"""Rejects that earlier tries of a task left, minus those that a later try has an answer for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.private_files import listed, write

KeptLine = tuple[str, bytes]
"""A line of a rejects file: the file's name and the line's hash."""
RowIdentity = Literal["key", "key and row", "content"]


class EarlierRejects:
    """What a folder of rejects held when a try began.

    A try that cuts its batches differently from the one before keeps its rejects in other files. A row for which this
    try got an answer, accepted or rejected again, must not stay in the old files, or it would be sent twice once they
    are repaired. Rows without an answer stay: their rejection still stands.

    Rows are the same if their content is, or if their key is, since the source may have been repaired in between. Where
    a profile may legitimately occur twice, as in a scenario, the row number must match too; and rows from another
    source are compared by content only.

    :param folder: of the task instance.
    :param key_fields: the fields that identify a row.
    :param same: what makes two rows the same, besides their content.
    """

    def __init__(self, folder: Any, key_fields: Sequence[str], *, same: RowIdentity) -> None:
        self._folder = folder
        self._key_fields = key_fields
        self._same = same
        self._names: set[str] = set()
        self._lines_by_mark: dict[bytes, list[KeptLine]] = {}
        for path in listed(folder, ".jsonl"):
            self._names.add(path.name)
            for line in _lines_of(path):
                for mark in self._marks_of(line):
                    self._lines_by_mark.setdefault(mark, []).append((path.name, _hash(line)))

    def __contains__(self, name: str) -> bool:
        """Whether there was such a file."""
        return name in self._names

    def remove(self, name: str, rows: Rows, *, spare: Collection[str]) -> None:
        """Remove rows for which there is now an answer, and the files that become empty.

        :param name: the file for their rejects, the same for the same rows in every try.
        :param spare: names of the files that this try wrote or confirmed.
        """
        if name in self._names and name not in spare:
            self._names.discard(name)
            (self._folder / name).unlink(missing_ok=True)
        answered: dict[str, set[bytes]] = {}
        for row, record in zip(rows.numbers, rows.records, strict=True) if self._lines_by_mark else ():
            for mark in self._marks(msgspec.json.decode(record), row):
                for file, line in self._lines_by_mark.pop(mark, ()):
                    answered.setdefault(file, set()).add(line)
        for file in sorted(answered.keys() - set(spare)):
            self._write_without(self._folder / file, answered[file])

    def _write_without(self, path: Any, gone: Collection[bytes]) -> None:
        lines = _lines_of(path)
        left = [line for line in lines if _hash(line) not in gone]
        if not left:
            path.unlink(missing_ok=True)
        elif len(left) < len(lines):
            write(path, (line + b"\n" for line in left))

    def _marks_of(self, line: bytes) -> list[bytes]:
        try:
            reject = msgspec.json.decode(line)
        except msgspec.DecodeError:
            return []
        record = reject.get("record") if isinstance(reject, dict) else None
        return self._marks(record, reject.get("row")) if isinstance(record, dict) else []

    def _marks(self, record: Mapping[str, Any], row: int | None) -> list[bytes]:
        """The hashes by which a row is recognised."""
        key = [record.get(name) for name in self._key_fields]
        marks: list[Any] = [["content", record]]
        if self._same != "content" and any(value not in (None, "", []) for value in key):
            marks.append(["key", key] if self._same == "key" else ["key", key, row])
        return [_hash(msgspec.json.encode(mark, order="sorted")) for mark in marks]


def _hash(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def _lines_of(path: Any) -> list[bytes]:
    try:
        with path.open("rb") as file:
            # Read whole: the files of Airflow 2.11's ObjectStoragePath cannot be iterated.
            return list(file.read().splitlines())
    except FileNotFoundError:
        return []
