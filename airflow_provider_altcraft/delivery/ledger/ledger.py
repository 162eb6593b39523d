"""The rules of the ledger, whatever store it is kept in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from threading import Lock
from types import TracebackType
from typing import Any, Protocol

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.ledger.fingerprints import Fingerprint, FingerprintEncoder
from airflow_provider_altcraft.delivery.source import Source

AT_A_TIME = 900
"""Rows per lookup: any SQLite takes this many parameters in a statement."""


class LedgerStore(Protocol):
    """Where a ledger is kept: key hash -> content hash. Never called from two threads at once."""

    @property
    def salt(self) -> bytes:
        """Chosen when the ledger was created."""

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The stored content hashes of these keys."""

    def forget(self, keys: Sequence[bytes]) -> None:
        """Remove these keys, durably before this returns."""

    def learn(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Store these fingerprints, durably before this returns."""

    def close(self, *, complete: bool) -> None:
        """Clean up.

        :param complete: whether the delivery completed.
        """


class Ledger:
    """Finds the rows that have changed since they were accepted. Use it as a context manager.

    :param store: where it is kept.
    :param scope: where the rows go and how.
    :param key: the fields that identify a row.
    :param encoder: encodes their values.
    """

    def __init__(self, store: LedgerStore, *, scope: bytes, key: Sequence[str], encoder: ProfileEncoder) -> None:
        self._store = store
        self._fingerprint_encoder = FingerprintEncoder(store.salt, scope, encoder)
        self._key = key
        self._lock = Lock()
        # SQLite moves this temporary database to disk when it grows: a first run may send ten million rows.
        self._sent = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._sent.execute("CREATE TABLE sent (key BLOB PRIMARY KEY, again INTEGER NOT NULL) WITHOUT ROWID")

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with closing(self._sent), self._lock:
            self._store.close(complete=kind is None)

    def fingerprinter(self, source: Source[Any]) -> Callable[[Sequence[Any], Sequence[bytes]], list[Fingerprint]]:
        """A function that computes the fingerprints of rows of a source and their records."""
        columns, of = source.columns(self._key), self._fingerprint_encoder.of
        return lambda rows, records: list(map(of, zip(*columns(rows), strict=True), records))

    def changed(self, fingerprints: Sequence[Fingerprint]) -> list[int]:
        """The indexes of the rows that must be sent.

        If an earlier row of this delivery with the same key is sent, a later one must be sent too, even if unchanged:
        otherwise the earlier one would overwrite it.
        """
        return [start + index for start, chunk in _chunks(fingerprints) for index in self._changed_in(chunk)]

    def sending(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Forget the rows of a batch about to be sent: from now on, what Altcraft has of them is uncertain."""
        with self._lock:
            stale = [
                key for _, chunk in _chunks(fingerprints) for key in self._store.known([found.key for found in chunk])
            ]
            if stale:
                self._store.forget(stale)

    def accepted(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Learn the rows of a batch that Altcraft accepted.

        A key that occurs twice in the delivery is not learned: with several requests in flight, there is no telling
        which of the two rows came last.
        """
        with self._lock:
            by_key = {found.key: found for found in fingerprints}
            for _, chunk in _chunks(fingerprints):
                for key, again in self._sent_before(chunk):
                    if again:
                        del by_key[key]
            if by_key:
                self._store.learn([by_key[key] for key in sorted(by_key)])

    def _changed_in(self, fingerprints: Sequence[Fingerprint]) -> list[int]:
        with self._lock:
            known = self._store.known([found.key for found in fingerprints])
            sent = dict(self._sent_before(fingerprints))
            is_again: dict[bytes, int] = {}
            indexes = []
            for index, found in enumerate(fingerprints):
                if found.key in sent or known.get(found.key) != found.content:
                    is_again[found.key] = sent[found.key] = int(found.key in sent)
                    indexes.append(index)
            with self._sent:
                self._sent.execute("BEGIN")
                self._sent.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", sorted(is_again.items()))
        return indexes

    def _sent_before(self, fingerprints: Sequence[Fingerprint]) -> list[tuple[bytes, int]]:
        keys = list({found.key for found in fingerprints})
        marks = ", ".join("?" * len(keys))
        return self._sent.execute(f"SELECT key, again FROM sent WHERE key IN ({marks})", keys).fetchall()


def _chunks(fingerprints: Sequence[Fingerprint]) -> Iterator[tuple[int, Sequence[Fingerprint]]]:
    for start in range(0, len(fingerprints), AT_A_TIME):
        yield start, fingerprints[start : start + AT_A_TIME]
