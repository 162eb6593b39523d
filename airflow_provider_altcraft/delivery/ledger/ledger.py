"""The rules of the ledger, whatever it is kept in."""

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
"""Rows looked up in one go: what any SQLite takes in one statement."""


class LedgerStore(Protocol):
    """What a ledger is kept in: key hash -> content hash. Nothing is done twice at a time."""

    @property
    def salt(self) -> bytes:
        """Chosen when the ledger was begun."""

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """What is kept of these keys."""

    def forget(self, keys: Sequence[bytes]) -> None:
        """Keep nothing of these keys any more, for good before this returns."""

    def learn(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Keep these, for good before this returns."""

    def close(self, *, complete: bool) -> None:
        """Tidy up.

        :param complete: whether the delivery came to its end.
        """


class Ledger:
    """Tells which rows have changed since they were accepted. Use it as a context manager.

    :param store: what it is kept in.
    :param scope: where the rows go and how.
    :param key: the fields that identify a row.
    :param encoder: writes their values.
    """

    def __init__(self, store: LedgerStore, *, scope: bytes, key: Sequence[str], encoder: ProfileEncoder) -> None:
        self._store = store
        self._fingerprint_encoder = FingerprintEncoder(store.salt, scope, encoder)
        self._key = key
        self._lock = Lock()
        # On disk once it grows: a first run may send ten million rows.
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
        """How rows of a source and their records are fingerprinted."""
        columns, of = source.columns(self._key), self._fingerprint_encoder.of
        return lambda rows, records: list(map(of, zip(*columns(rows), strict=True), records))

    def changed(self, fingerprints: Sequence[Fingerprint]) -> list[int]:
        """The places of the rows that must be sent.

        A row whose key was in an earlier row of this delivery that is sent must be sent too, or the earlier one
        would have the last word.
        """
        return [start + place for start, some in _some(fingerprints) for place in self._weighed(some)]

    def sending(self, fingerprints: Sequence[Fingerprint]) -> None:
        """A batch is about to leave: from here on, nobody can be sure what Altcraft holds of its rows."""
        with self._lock:
            stale = [key for _, some in _some(fingerprints) for key in self._store.known([found.key for found in some])]
            if stale:
                self._store.forget(stale)

    def accepted(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Altcraft accepted these rows of a batch.

        Of a key that occurs twice in the delivery nothing is learnt: with several requests in flight, nobody can say
        which of the two came last.
        """
        with self._lock:
            by_key = {found.key: found for found in fingerprints}
            for _, some in _some(fingerprints):
                for key, again in self._of_sent(some):
                    if again:
                        del by_key[key]
            if by_key:
                self._store.learn([by_key[key] for key in sorted(by_key)])

    def _weighed(self, fingerprints: Sequence[Fingerprint]) -> list[int]:
        with self._lock:
            known = self._store.known([found.key for found in fingerprints])
            sent = dict(self._of_sent(fingerprints))
            marks: dict[bytes, int] = {}
            places = []
            for place, found in enumerate(fingerprints):
                if found.key in sent or known.get(found.key) != found.content:
                    marks[found.key] = sent[found.key] = int(found.key in sent)
                    places.append(place)
            with self._sent:
                self._sent.execute("BEGIN")
                self._sent.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", sorted(marks.items()))
        return places

    def _of_sent(self, fingerprints: Sequence[Fingerprint]) -> list[tuple[bytes, int]]:
        keys = list({found.key for found in fingerprints})
        marks = ", ".join("?" * len(keys))
        return self._sent.execute(f"SELECT key, again FROM sent WHERE key IN ({marks})", keys).fetchall()


def _some(fingerprints: Sequence[Fingerprint]) -> Iterator[tuple[int, Sequence[Fingerprint]]]:
    for start in range(0, len(fingerprints), AT_A_TIME):
        yield start, fingerprints[start : start + AT_A_TIME]
