"""Stream the rows of a query: for each driver, a cursor that does not buffer the result, and how to abandon it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from importlib import import_module
from itertools import chain
from typing import Any
from uuid import uuid4

_log = logging.getLogger(__name__)

NET_WRITE_TIMEOUT = 8 * 3_600
"""Seconds for which MySQL and MariaDB wait for the next fetch: their default for idle connections. The default for
fetches is a minute, and Altcraft, or a rate limit, may keep us busy for longer."""


class SqlQuery:
    """An open query: its columns, and its rows as they are fetched. Use it as a context manager.

    Leaving closes the connection, and costs no more halfway through the rows than at the end.

    :param hook: any ``DbApiHook``.
    :param sql: one statement.
    :param parameters: its parameters. Neither is logged: they may hold personal data.
    :param rows_at_a_time: rows per fetch. With more, rows drop out of the CPU cache before they are encoded; with
        fewer, round trips to the database dominate.
    """

    def __init__(
        self, hook: Any, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None, *, rows_at_a_time: int = 1_000
    ) -> None:
        self._hook = hook
        self._sql = sql
        self._parameters = parameters
        self._rows_at_a_time = rows_at_a_time
        self.columns: tuple[str, ...] = ()

    def __enter__(self) -> SqlQuery:
        connection = _driver_connection(self._hook.get_conn())
        with ExitStack() as opened:
            self._cursor = opened.enter_context(self._reading(connection))
            arguments = () if self._parameters is None else (self._parameters,)
            self._cursor.execute(self._sql, *arguments)
            # PostgreSQL's named cursor only knows its columns after the first fetch.
            self._first: Sequence[Sequence[Any]] = self._cursor.fetchmany(self._rows_at_a_time)
            self.columns = tuple(column[0] for column in self._cursor.description or ())
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return chain.from_iterable(self.chunks())

    def chunks(self) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows, one list per fetch."""
        rows = self._first
        self._first = ()
        while rows:
            yield rows
            rows = self._cursor.fetchmany(self._rows_at_a_time)

    def _reading(self, connection: Any) -> AbstractContextManager[Any]:
        # Tracing wraps connections in proxies, which only reveal the real class as __class__; and a subclass of a
        # driver's connection has it among its bases.
        modules = [base.__module__.split(".")[0] for base in connection.__class__.__mro__]
        for module in modules:
            if module in _STREAMING:
                return _STREAMING[module](connection)
        _log.warning(
            "A %s connection may hold the whole result in memory: no streaming cursor is known for its driver, %s.",
            getattr(self._hook, "conn_type", None) or "database",
            modules[0],
        )
        return _plain(connection)


def _driver_connection(connection: Any) -> Any:
    """The driver's connection inside one from an SQLAlchemy pool.

    It leaves the pool for good: a connection with unread rows must not be reused.
    """
    inner = getattr(connection, "driver_connection", None)
    if inner is None:
        return connection
    connection.detach()
    return inner


@contextmanager
def _plain(connection: Any) -> Iterator[Any]:
    """Drivers whose ordinary cursor streams."""
    with closing(connection), _closing_quietly(connection.cursor()) as cursor:
        yield cursor


@contextmanager
def _closing_quietly(cursor: Any) -> Iterator[Any]:
    try:
        yield cursor
    finally:
        # An error in closing the cursor must not hide the one that ended the reading.
        with suppress(Exception):
            cursor.close()


def _psycopg2(connection: Any) -> AbstractContextManager[Any]:
    return _named(connection, cursor_factory=import_module("psycopg2.extensions").cursor)


def _psycopg(connection: Any) -> AbstractContextManager[Any]:
    return _named(connection, row_factory=import_module("psycopg.rows").tuple_row)


@contextmanager
def _named(connection: Any, **rows_as_tuples: Any) -> Iterator[Any]:
    """PostgreSQL: a server-side cursor."""
    with closing(connection):
        if connection.autocommit:
            # The cursor lives only as long as its transaction.
            connection.autocommit = False
        with _closing_quietly(connection.cursor(name=f"altcraft_{uuid4().hex}", **rows_as_tuples)) as cursor:
            yield cursor


@contextmanager
def _pymysql(connection: Any) -> Iterator[Any]:
    """MySQL and MariaDB through PyMySQL: rows stay on the server until they are fetched."""
    _allow_pauses(connection)
    with closing(connection), _closing_quietly(connection.cursor(import_module("pymysql.cursors").SSCursor)) as cursor:
        try:
            yield cursor
        finally:
            # Otherwise closing the cursor, or garbage-collecting the result, would read all remaining rows.
            if cursor._result is not None:
                cursor._result.unbuffered_active = False


@contextmanager
def _mysqlclient(connection: Any) -> Iterator[Any]:
    """MySQL and MariaDB through mysqlclient: as with PyMySQL.

    The cursor is not closed, which would read all remaining rows: it ends with the connection.
    """
    _allow_pauses(connection)
    with closing(connection):
        yield connection.cursor(import_module("MySQLdb.cursors").SSCursor)


@contextmanager
def _mysql_connector(connection: Any) -> Iterator[Any]:
    """MySQL and MariaDB through MySQL Connector: rows stay on the server unless the connection buffers them.

    Its cursor is not closed either: that fails while there are unread rows.
    """
    try:
        # In the C extension, a cursor can turn these on but not off, so turn them off on the connection.
        connection._buffered = connection._raw = False
        _allow_pauses(connection)
        yield connection.cursor(buffered=False, raw=False)
    finally:
        with suppress(Exception):
            # The C extension's own close() reads all remaining rows, and a pooled connection would go back with
            # them. The pure Python one can be shut down instead.
            in_c = getattr(connection, "_cmysql", None)
            if in_c is None:
                connection.shutdown()
            else:
                in_c.close()
        with suppress(Exception):
            connection.close()


def _allow_pauses(connection: Any) -> None:
    """Keep the server from ending the query when no rows are fetched for ``net_write_timeout``."""
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(
                f"SET SESSION net_write_timeout = GREATEST(@@SESSION.net_write_timeout, {NET_WRITE_TIMEOUT})"
            )
    except Exception as error:
        # A proxy, or a database that merely speaks MySQL's protocol.
        _log.warning(
            "net_write_timeout could not be raised (%s): a pause longer than the server's setting ends the query.",
            type(error).__name__,
        )


_STREAMING: dict[str, Callable[[Any], AbstractContextManager[Any]]] = {
    "psycopg2": _psycopg2,
    "psycopg": _psycopg,
    "MySQLdb": _mysqlclient,
    "pymysql": _pymysql,
    "mysql": _mysql_connector,
    "sqlite3": _plain,
}
"""How to stream, by the driver's top-level module. Each function closes the connection at the end."""
