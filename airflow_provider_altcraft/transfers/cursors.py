"""Reading a query row by row: which cursor of which driver does not buffer the whole result."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from uuid import uuid4

_log = logging.getLogger(__name__)

_STREAMING = frozenset({"sqlite"})
"""Kinds of connection whose ordinary cursor fetches as it goes."""

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
        kind = str(getattr(self._hook, "conn_type", ""))
        if kind == "postgres" and type(connection).__module__.split(".")[0] in {"psycopg2", "psycopg"}:
            return connection.cursor(name=f"altcraft_{uuid4().hex}")
        if kind not in _STREAMING:
            _log.warning(
                "A %s connection may hold the whole result in memory: no streaming cursor is known for it.",
                kind or "database",
            )
        return connection.cursor()
