"""The rules of the ledger, whatever it is kept in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from threading import Lock
from types import TracebackType
from typing import Any, Protocol

from airflow_provider_altcraft.delivery.batching import Item
from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.ledger.prints import Print, Printer
from airflow_provider_altcraft.delivery.source import Source

AT_A_TIME = 900
"""Rows looked up in one go: what any SQLite takes in one statement."""


class Shelf(Protocol):
    """What a ledger is kept in: key hash -> content hash. Nothing is done twice at a time."""

    @property
    def salt(self) -> bytes:
        """Chosen when the ledger was begun."""

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """What is kept of these keys."""

    def forget(self, keys: Sequence[bytes]) -> None:
        """Keep nothing of these keys any more, for good before this returns."""

    def learn(self, prints: Sequence[Print]) -> None:
        """Keep these, for good before this returns."""

    def close(self, *, complete: bool) -> None:
        """Tidy up.

        :param complete: whether the delivery came to its end.
        """


class Ledger:
    """Tells which rows have changed since they were accepted. Use it as a context manager.

    :param shelf: what it is kept in.
    :param scope: where the rows go and how.
    :param key: the fields that identify a row.
    :param encoder: writes their values.
    """

    def __init__(self, shelf: Shelf, *, scope: bytes, key: Sequence[str], encoder: ProfileEncoder) -> None:
        self._shelf = shelf
        self._printer = Printer(shelf.salt, scope, encoder)
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
            self._shelf.close(complete=kind is None)

    def printer(self, source: Source[Any]) -> Callable[[Any, bytes], Print]:
        """How rows of a source are fingerprinted."""
        values, of = source.values(self._key), self._printer.of
        return lambda row, record: of(values(row), record)

    def changed(self, items: Iterable[Item]) -> Iterator[Item | None]:
        """The rows that must be sent, in their order; ``None`` in the place of each that need not.

        A row whose key was in an earlier row of this delivery that is sent must be sent too, or the earlier one
        would have the last word.
        """
        items = iter(items)
        while chunk := list(islice(items, AT_A_TIME)):
            yield from self._weighed(chunk)

    def sending(self, items: Sequence[Item]) -> None:
        """A batch is about to leave: from here on, nobody can be sure what Altcraft holds of its rows."""
        keys = [item.print.key for item in items if item.print]
        with self._lock:
            stale = [key for chunk in _chunks(keys) for key in self._shelf.known(chunk)]
            if stale:
                self._shelf.forget(stale)

    def accepted(self, items: Sequence[Item]) -> None:
        """Altcraft accepted these rows of a batch.

        Of a key that occurs twice in the delivery nothing is learnt: with several requests in flight, nobody can say
        which of the two came last.
        """
        with self._lock:
            prints = {item.print.key: item.print for item in items if item.print}
            for chunk in _chunks(list(prints)):
                for key, again in self._of_sent(chunk):
                    if again:
                        del prints[key]
            if prints:
                self._shelf.learn([prints[key] for key in sorted(prints)])

    def _weighed(self, items: list[Item]) -> list[Item | None]:
        prints = [item.print for item in items if item.print]
        with self._lock:
            known = self._shelf.known([found.key for found in prints])
            sent = dict(self._of_sent([found.key for found in prints]))
            weighed: list[Item | None] = []
            marks: dict[bytes, int] = {}
            for item, found in zip(items, prints, strict=True):
                if found.key in sent or known.get(found.key) != found.content:
                    marks[found.key] = sent[found.key] = int(found.key in sent)
                    weighed.append(item)
                else:
                    weighed.append(None)
            with self._sent:
                self._sent.execute("BEGIN")
                self._sent.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", sorted(marks.items()))
        return weighed

    def _of_sent(self, keys: Sequence[bytes]) -> list[tuple[bytes, int]]:
        marks = ", ".join("?" * len(keys))
        return self._sent.execute(f"SELECT key, again FROM sent WHERE key IN ({marks})", keys).fetchall()


def _chunks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), AT_A_TIME):
        yield keys[start : start + AT_A_TIME]
