"""Reading a query row by row: which cursor of which driver does not buffer the whole result, and how it is left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from importlib import import_module
from itertools import chain
from typing import Any
from uuid import uuid4

_log = logging.getLogger(__name__)

Rows = Iterator[Sequence[Any]]

LONGEST_PAUSE = 8 * 3_600
"""Seconds for which MySQL and MariaDB may wait for the next rows to be fetched, as long as for an idle connection. By
default it is a minute, and a pause of Altcraft's, or of a rate limit, may be longer."""


class Query:
    """An open query: its columns, and its rows as they come. Use it as a context manager.

    The connection is closed with it. To leave in the middle costs no more than to leave at the end.

    :param hook: any ``DbApiHook``.
    :param sql: one statement.
    :param parameters: its parameters. Neither is logged: they may hold personal data.
    :param rows_at_a_time: rows fetched in one go. Of more, the first have left the processor's cache when the last are
        written; of fewer, the way to the database counts.
    """

    def __init__(
        self, hook: Any, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None, *, rows_at_a_time: int = 1_000
    ) -> None:
        self._hook = hook
        self._sql = sql
        self._parameters = parameters
        self._rows_at_a_time = rows_at_a_time
        self.columns: tuple[str, ...] = ()

    def __enter__(self) -> Query:
        connection = _of_the_driver(self._hook.get_conn())
        with ExitStack() as opened:
            self._cursor = opened.enter_context(self._reading(connection))
            arguments = () if self._parameters is None else (self._parameters,)
            self._cursor.execute(self._sql, *arguments)
            # A named cursor of PostgreSQL knows its columns only after the first fetch.
            self._first: Sequence[Sequence[Any]] = self._cursor.fetchmany(self._rows_at_a_time)
            self.columns = tuple(column[0] for column in self._cursor.description or ())
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def __iter__(self) -> Rows:
        return chain.from_iterable(self.chunks())

    def chunks(self) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows as they are fetched."""
        rows = self._first
        self._first = ()
        while rows:
            yield rows
            rows = self._cursor.fetchmany(self._rows_at_a_time)

    def _reading(self, connection: Any) -> AbstractContextManager[Any]:
        # A proxy, as tracing puts around connections, tells the class of what is inside by __class__ only; and a
        # class that extends a driver's has that among its bases.
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


def _of_the_driver(connection: Any) -> Any:
    """The driver's connection inside one of a pool of SQLAlchemy's.

    It leaves the pool for good: one with unread rows must not be lent again.
    """
    inner = getattr(connection, "driver_connection", None)
    if inner is None:
        return connection
    connection.detach()
    return inner


@contextmanager
def _plain(connection: Any) -> Iterator[Any]:
    """Drivers whose ordinary cursor fetches as it goes."""
    with closing(connection), _left(connection.cursor()) as cursor:
        yield cursor


@contextmanager
def _left(cursor: Any) -> Iterator[Any]:
    try:
        yield cursor
    finally:
        # What ended the reading matters more than a cursor that cannot be closed after it.
        with suppress(Exception):
            cursor.close()


def _psycopg2(connection: Any) -> AbstractContextManager[Any]:
    return _named(connection, cursor_factory=import_module("psycopg2.extensions").cursor)


def _psycopg(connection: Any) -> AbstractContextManager[Any]:
    return _named(connection, row_factory=import_module("psycopg.rows").tuple_row)


@contextmanager
def _named(connection: Any, **rows_as_tuples: Any) -> Iterator[Any]:
    """PostgreSQL: a cursor on the server."""
    with closing(connection):
        if connection.autocommit:
            # The cursor lives as long as its transaction.
            connection.autocommit = False
        with _left(connection.cursor(name=f"altcraft_{uuid4().hex}", **rows_as_tuples)) as cursor:
            yield cursor


@contextmanager
def _pymysql(connection: Any) -> Iterator[Any]:
    """MySQL and MariaDB by PyMySQL: rows stay on the server until they are fetched."""
    _allow_pauses(connection)
    with closing(connection), _left(connection.cursor(import_module("pymysql.cursors").SSCursor)) as cursor:
        try:
            yield cursor
        finally:
            # Otherwise all rows to come are read when the cursor is closed, or when the result is collected.
            if cursor._result is not None:
                cursor._result.unbuffered_active = False


@contextmanager
def _mysqlclient(connection: Any) -> Iterator[Any]:
    """MySQL and MariaDB by mysqlclient: as with PyMySQL.

    The cursor is not closed, which would read all rows to come: it ends with the connection.
    """
    _allow_pauses(connection)
    with closing(connection):
        yield connection.cursor(import_module("MySQLdb.cursors").SSCursor)


@contextmanager
def _mysql_connector(connection: Any) -> Iterator[Any]:
    """MySQL and MariaDB by MySQL Connector: rows stay on the server unless the connection is told to buffer them.

    Neither is its cursor closed: it refuses while there are rows to come.
    """
    try:
        # The connection in C lets a cursor ask for more than it does itself, not for less.
        connection._buffered = connection._raw = False
        _allow_pauses(connection)
        yield connection.cursor(buffered=False, raw=False)
    finally:
        with suppress(Exception):
            # Closed by its own method, the connection in C reads all rows to come, and one of a pool goes back with
            # them. In Python it can be shut down instead.
            in_c = getattr(connection, "_cmysql", None)
            if in_c is None:
                connection.shutdown()
            else:
                in_c.close()
        with suppress(Exception):
            connection.close()


def _allow_pauses(connection: Any) -> None:
    """Let the server wait for us: with rows that are not fetched, it may not go on for ``net_write_timeout``."""
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"SET SESSION net_write_timeout = GREATEST(@@SESSION.net_write_timeout, {LONGEST_PAUSE})")
    except Exception as error:
        # A proxy, or a database that only speaks MySQL's protocol.
        _log.warning(
            "net_write_timeout could not be raised (%s): a pause longer than that of the server ends the query.",
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
"""How to stream, by the driver's top-level module. Each closes the connection in the end."""
