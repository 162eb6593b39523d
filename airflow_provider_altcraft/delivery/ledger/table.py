"""A ledger in a table of the warehouse: two columns of hashes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from airflow_provider_altcraft.delivery.ledger.prints import SIZE, Print
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

_SALT = "0" * 2 * SIZE
"""The key of the row that holds the salt."""
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}")


class TableLedger:
    """Keeps a ledger in a table: ``key_hash CHAR(32) PRIMARY KEY, content_hash CHAR(32) NOT NULL``.

    It is created if it is not there. Hashes are written as hexadecimal text, which every database compares alike.

    :param hook: a ``DbApiHook``; it needs rights to write to the table.
    :param table: its name, with schema.
    :raises AltcraftConfigurationError: for what is not the name of a table.
    """

    def __init__(self, hook: Any, table: str) -> None:
        if not _NAME.fullmatch(table):
            raise AltcraftConfigurationError(f"ledger_table must be the name of a table, not {table!r}.")
        self._table = table
        self._mark = str(getattr(hook, "placeholder", "%s"))
        self._connection = hook.get_conn()
        try:
            self.salt: bytes = self._begin()
        except BaseException:
            self._connection.close()
            raise

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """What is kept of these keys."""
        if not keys:
            return {}
        rows = self._rows(
            f"SELECT key_hash, content_hash FROM {self._table} WHERE key_hash IN ({self._marks(len(keys))})",
            [key.hex() for key in keys],
        )
        return {bytes.fromhex(key): bytes.fromhex(content) for key, content in rows}

    def forget(self, keys: Sequence[bytes]) -> None:
        """Keep nothing of these keys any more."""
        with closing(self._connection.cursor()) as cursor:
            self._delete(cursor, keys)
        self._connection.commit()

    def learn(self, prints: Sequence[Print]) -> None:
        """Keep these."""
        with closing(self._connection.cursor()) as cursor:
            self._delete(cursor, [found.key for found in prints])
            cursor.executemany(
                f"INSERT INTO {self._table} (key_hash, content_hash) VALUES ({self._marks(2)})",
                [(found.key.hex(), found.content.hex()) for found in prints],
            )
        self._connection.commit()

    def close(self, *, complete: bool) -> None:
        """Close the connection."""
        self._connection.close()

    def _begin(self) -> bytes:
        """Make sure of the table; its salt."""
        select = f"SELECT content_hash FROM {self._table} WHERE key_hash = {self._mark}"
        try:
            rows = self._rows(select, [_SALT])
        except Exception:
            # There is no one way to ask any database whether it has a table.
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
                cursor.execute(f"INSERT INTO {self._table} VALUES ({self._marks(2)})", [_SALT, salt.hex()])
            self._connection.commit()
            return salt
        return bytes.fromhex(rows[0][0])

    def _rows(self, statement: str, values: Sequence[str]) -> list[Any]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, values)
            rows = list(cursor.fetchall())
        # A transaction left open would hold back the database's own cleaning for as long as the delivery takes.
        self._connection.commit()
        return rows

    def _delete(self, cursor: Any, keys: Sequence[bytes]) -> None:
        for start in range(0, len(keys), 500):
            some = [key.hex() for key in keys[start : start + 500]]
            cursor.execute(f"DELETE FROM {self._table} WHERE key_hash IN ({self._marks(len(some))})", some)

    def _marks(self, number: int) -> str:
        return ", ".join([self._mark] * number)
