"""Reading a query row by row: which cursor of which driver does not buffer the whole result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib import import_module
from typing import Any
from uuid import uuid4

_log = logging.getLogger(__name__)

Rows = Iterator[Sequence[Any]]


class Query:
    """An open query: its columns, and its rows as they come. Use it as a context manager.

    :param hook: any ``DbApiHook``.
    :param sql: one statement.
    :param parameters: its parameters. Neither is logged: they may hold personal data.
    :param rows_at_a_time: rows fetched in one go.
    """

    def __init__(
        self, hook: Any, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None, *, rows_at_a_time: int = 2_000
    ) -> None:
        self._hook = hook
        self._sql = sql
        self._parameters = parameters
        self._rows_at_a_time = rows_at_a_time
        self.columns: tuple[str, ...] = ()

    def __enter__(self) -> Query:
        self._connection = self._hook.get_conn()
        try:
            self._cursor = self._open(self._connection)
            arguments = () if self._parameters is None else (self._parameters,)
            self._cursor.execute(self._sql, *arguments)
            # A named cursor of PostgreSQL knows its columns only after the first fetch.
            self._first = self._cursor.fetchmany(self._rows_at_a_time)
            self.columns = tuple(column[0] for column in self._cursor.description or ())
        except BaseException:
            self._connection.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        with closing(self._connection):
            self._cursor.close()

    def __iter__(self) -> Rows:
        rows = self._first
        while rows:
            yield from rows
            rows = self._cursor.fetchmany(self._rows_at_a_time)

    def _open(self, connection: Any) -> Any:
        driver = type(connection).__module__.split(".")[0]
        opener = _STREAMING.get(driver)
        if opener is not None:
            return opener(connection)
        _log.warning(
            "A %s connection may hold the whole result in memory: no streaming cursor is known for its driver, %s.",
            getattr(self._hook, "conn_type", None) or "database",
            driver,
        )
        return connection.cursor()


def _named(connection: Any) -> Any:
    """PostgreSQL: a cursor on the server."""
    return connection.cursor(name=f"altcraft_{uuid4().hex}")


def _unbuffered(connection: Any) -> Any:
    """MySQL and MariaDB: rows stay on the server until they are fetched."""
    return connection.cursor(import_module(f"{type(connection).__module__.split('.')[0]}.cursors").SSCursor)


def _plain(connection: Any) -> Any:
    """Drivers whose ordinary cursor fetches as it goes."""
    return connection.cursor()


_STREAMING: dict[str, Callable[[Any], Any]] = {
    "psycopg2": _named,
    "psycopg": _named,
    "MySQLdb": _unbuffered,
    "pymysql": _unbuffered,
    "mysql": _plain,
    "sqlite3": _plain,
}
"""How to stream, by the driver's top-level module."""
