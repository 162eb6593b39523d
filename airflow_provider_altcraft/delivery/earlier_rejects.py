"""Rejects that earlier tries of a task left, and which of them a later try has answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.private_files import listed, write

Line = tuple[str, bytes]
"""A line of a file: its name, and the hash of the line."""
Same = Literal["key", "key and row", "content"]


class EarlierRejects:
    """What a folder of rejects held when a try began.

    A try that cuts its batches in another way than the one before keeps its rejects in other files. A row that this
    try was answered for, accepted or rejected anew, must not stay in the old ones: it would be sent once more when
    they are repaired. Rows that this try was not answered for stay: their rejection still stands.

    The same row is one of the same content; or of the same key, where the source was repaired in between. Where a
    profile may rightly occur twice, as in a scenario, the key counts in the same row of the source only; and not at all
    where the rows come from elsewhere.

    :param folder: of the task instance.
    :param key_fields: the fields that identify a row.
    :param same: what makes a row the same, beside its content.
    """

    def __init__(self, folder: Any, key_fields: Sequence[str], *, same: Same) -> None:
        self._folder = folder
        self._key_fields = key_fields
        self._same = same
        self._names: set[str] = set()
        self._found_by: dict[bytes, list[Line]] = {}
        for path in listed(folder, ".jsonl"):
            self._names.add(path.name)
            for line in _lines_of(path):
                for mark in self._marks_of(line):
                    self._found_by.setdefault(mark, []).append((path.name, _hash(line)))

    def __contains__(self, name: str) -> bool:
        """Whether there was such a file."""
        return name in self._names

    def remove(self, name: str, rows: Rows, *, spare: Collection[str]) -> None:
        """Remove what was kept of rows that are answered for now, and the files in which nothing else is left.

        :param name: the file that their rejects go to: the same rows went there at any try.
        :param spare: names of the files that this try wrote or confirmed.
        """
        if name in self._names and name not in spare:
            self._names.discard(name)
            (self._folder / name).unlink(missing_ok=True)
        answered: dict[str, set[bytes]] = {}
        for row, record in zip(rows.numbers, rows.records, strict=True) if self._found_by else ():
            for mark in self._marks(msgspec.json.decode(record), row):
                for one, line in self._found_by.pop(mark, ()):
                    answered.setdefault(one, set()).add(line)
        for one in sorted(answered.keys() - set(spare)):
            self._write_without(self._folder / one, answered[one])

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
        """What a row is recognised by."""
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
