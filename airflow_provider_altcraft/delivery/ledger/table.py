"""A ledger in a database table: two columns of hashes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

from airflow_provider_altcraft.delivery.ledger.fingerprints import SIZE, Fingerprint
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

T = TypeVar("T")
AT_A_TIME = 400
"""Rows per statement, with two parameters each."""
_SALT = "0" * 2 * SIZE
"""The key of the row with the salt."""
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}")


class TableLedger:
    """Keeps a ledger in a table: ``key_hash CHAR(32) PRIMARY KEY, content_hash CHAR(32) NOT NULL``.

    It is created if it does not exist. Hashes are stored as hexadecimal text, which all databases compare alike.

    :param hook: a ``DbApiHook``; it needs write access to the table.
    :param table: its name, with schema.
    :raises AltcraftConfigurationError: for an invalid table name.
    """

    _connection: Any = None

    def __init__(self, hook: Any, table: str) -> None:
        if not _NAME.fullmatch(table):
            raise AltcraftConfigurationError(f"ledger_table must be the name of a table, not {table!r}.")
        self._table = table
        self._placeholder = str(getattr(hook, "placeholder", "%s"))
        # All work goes through one thread: a connection may only be used by the thread that opened it (SQLite insists),
        # but batches end in several.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="altcraft-ledger")
        try:
            self._connection = self._in_thread(hook.get_conn)
            self.salt: bytes = self._in_thread(self._begin)
        except BaseException:
            self.close(complete=False)
            raise

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The stored content hashes of these keys."""
        return self._in_thread(self._known, keys) if keys else {}

    def forget(self, keys: Sequence[bytes]) -> None:
        """Remove these keys."""
        self._in_thread(self._replace, keys, ())

    def learn(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Store these fingerprints."""
        self._in_thread(self._replace, [found.key for found in fingerprints], fingerprints)

    def close(self, *, complete: bool) -> None:
        """Close the connection."""
        with self._thread:
            if self._connection is not None:
                self._in_thread(self._connection.close)

    def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return self._thread.submit(work, *arguments).result()

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        rows = self._rows(
            f"SELECT key_hash, content_hash FROM {self._table} WHERE key_hash IN ({self._placeholders(len(keys))})",
            [key.hex() for key in keys],
        )
        return {bytes.fromhex(key): bytes.fromhex(content) for key, content in rows}

    def _replace(self, keys: Sequence[bytes], fingerprints: Sequence[Fingerprint]) -> None:
        with closing(self._connection.cursor()) as cursor:
            for start in range(0, len(keys), AT_A_TIME):
                chunk = [key.hex() for key in keys[start : start + AT_A_TIME]]
                cursor.execute(f"DELETE FROM {self._table} WHERE key_hash IN ({self._placeholders(len(chunk))})", chunk)
            for start in range(0, len(fingerprints), AT_A_TIME):
                values = [part.hex() for found in fingerprints[start : start + AT_A_TIME] for part in found]
                # One statement for all: some drivers' executemany makes a round trip per row.
                rows = ", ".join([f"({self._placeholders(2)})"] * (len(values) // 2))
                cursor.execute(f"INSERT INTO {self._table} (key_hash, content_hash) VALUES {rows}", values)
        self._connection.commit()

    def _begin(self) -> bytes:
        """Create the table if needed, and return its salt."""
        select = f"SELECT content_hash FROM {self._table} WHERE key_hash = {self._placeholder}"
        try:
            rows = self._rows(select, [_SALT])
        except Exception:
            # There is no portable way to ask whether a table exists.
            self._connection.rollback()
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(
                    f"CREATE TABLE {self._table} (key_hash CHAR({2 * SIZE}) PRIMARY KEY,"
                    f" content_hash CHAR({2 * SIZE}) NOT NULL)"
                )
            self._connection.commit()
            rows = []
        if not rows:
            salt = os.urandom(SIZE)
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(f"INSERT INTO {self._table} VALUES ({self._placeholders(2)})", [_SALT, salt.hex()])
            self._connection.commit()
            return salt
        return bytes.fromhex(rows[0][0])

    def _rows(self, statement: str, values: Sequence[str]) -> list[Any]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, values)
            rows = list(cursor.fetchall())
        # An open transaction would block the database's own cleanup (vacuum) for as long as the delivery takes.
        self._connection.commit()
        return rows

    def _placeholders(self, count: int) -> str:
        return ", ".join([self._placeholder] * count)
