"""Reading without holding the result: which cursor each driver gets, and how it is left."""

from __future__ import annotations

import importlib
import sqlite3
import time
from datetime import date
from decimal import Decimal
from unittest.mock import Mock

import psycopg2.extras
import pytest
from psycopg.rows import dict_row
from pymysql.cursors import DictCursor

from airflow_provider_altcraft.transfers.cursors import SqlQuery
from tests.databases import MARIADB, POSTGRES, absent

LONGEST = 20
"""Seconds after which the server ends a statement: what a driver that reads to the end would wait for."""

ENDLESS = {
    "postgres": "SELECT generate_series(1, 1000000000) AS n",
    "mysql": "SELECT seq AS n FROM mysql.seq_1_to_1000000000",
}


class Hook:
    """A hook over a connection."""

    def __init__(self, conn_type, connection):
        self.conn_type = conn_type
        self.connection = connection

    def get_conn(self):
        return self.connection


class Wrapper:
    """A connection inside one of somebody else's, as tracing and pools have it."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    @property
    def __class__(self):
        return type(self._connection)


class Enough(Exception):
    """What a reader of rows raises in the middle."""


def leave_after_the_first_row(hook):
    """Read a result without end, and raise in the middle."""
    with SqlQuery(hook, ENDLESS[hook.conn_type], None) as query:
        assert query.columns == ("n",)
        assert next(iter(query)) == (1,)
        raise Enough


def closed(connection):
    """Whether the driver says that its connection is closed."""
    if hasattr(connection, "is_connected"):
        return not connection.is_connected()
    return connection.closed if hasattr(connection, "closed") else not connection.open


def postgres(module, **options):
    """A hook over a connection to PostgreSQL."""
    driver = importlib.import_module(module)
    try:
        connection = driver.connect(POSTGRES, options=f"-c statement_timeout={LONGEST}s", **options)
    except driver.Error as error:
        absent("POSTGRES", error)
    return Hook("postgres", connection)


def mysql(module, **options):
    """A hook over a connection to MariaDB."""
    driver = importlib.import_module(module)
    try:
        connection = driver.connect(**MARIADB, **options)
    except driver.Error as error:
        absent("MARIADB", error)
    connection.cursor().execute(f"SET max_statement_time={LONGEST}")
    return Hook("mysql", connection)


def mysqlclient(**options):
    """A hook over mysqlclient."""
    pytest.importorskip("MySQLdb", reason="mysqlclient installs only where the C library of MySQL or MariaDB is")
    return mysql("MySQLdb", **options)


def connector_in_c(**options):
    """A hook over the C half of MySQL Connector."""
    pytest.importorskip(
        "mysql.connector.connection_cext", reason="MySQL Connector has no C extension here", exc_type=ImportError
    )
    return mysql("mysql.connector", use_pure=False, **options)


DRIVERS = {
    "psycopg2": lambda **options: postgres("psycopg2", **options),
    "psycopg": lambda **options: postgres("psycopg", **options),
    "PyMySQL": lambda **options: mysql("pymysql", **options),
    "mysqlclient": mysqlclient,
    "MySQL Connector": lambda **options: mysql("mysql.connector", use_pure=True, **options),
    "MySQL Connector in C": connector_in_c,
}


@pytest.fixture(params=DRIVERS)
def driver(request):
    """One of the drivers that stream, as a function that connects."""
    return DRIVERS[request.param]


@pytest.mark.timeout(LONGEST // 2)
def test_the_first_rows_of_an_endless_result_arrive_and_leaving_reads_no_more(driver):
    hook = driver()
    with pytest.raises(Enough):
        leave_after_the_first_row(hook)
    assert closed(hook.connection)


@pytest.mark.filterwarnings("error")
def test_every_row_is_read_and_nothing_is_left_open(driver):
    hook = driver()
    with SqlQuery(hook, ENDLESS[hook.conn_type].replace("1000000000", "10001"), None) as query:
        assert [n for (n,) in query] == list(range(1, 10_002))
    assert closed(hook.connection)


def test_parameters_types_and_letters_survive(driver):
    sql = "SELECT %s AS name, CAST(1.10 AS DECIMAL(5,2)) AS price, CAST('2026-01-31' AS DATE) AS day"
    with SqlQuery(driver(), sql, ["Имя"]) as query:
        assert query.columns == ("name", "price", "day")
        assert list(query) == [("Имя", Decimal("1.10"), date(2026, 1, 31))]


def test_a_result_without_rows_has_its_columns(driver):
    with SqlQuery(driver(), "SELECT 1 AS one WHERE 1 = 0", None) as query:
        assert (query.columns, list(query)) == (("one",), [])


def test_an_error_of_the_statement_is_what_the_task_sees(driver):
    with pytest.raises(Exception, match="no_such_column"), SqlQuery(driver(), "SELECT no_such_column", None):
        pass


MYSQL = ["PyMySQL", "mysqlclient", "MySQL Connector", "MySQL Connector in C"]
LARGE = "SELECT seq AS n, REPEAT('x', 1000) AS filler FROM mysql.seq_1_to_30000"
"""More than the buffers between server and driver hold."""


@pytest.mark.slow
@pytest.mark.parametrize("name", MYSQL)
def test_a_pause_longer_than_the_servers_net_write_timeout_does_not_end_the_query(name):
    hook = DRIVERS[name]()
    hook.connection.cursor().execute("SET SESSION net_write_timeout = 1")
    with SqlQuery(hook, LARGE, None) as query:
        rows = iter(query)
        assert next(rows)[0] == 1
        time.sleep(2.5)
        assert sum(1 for _ in rows) == 29_999


@pytest.mark.parametrize("name", MYSQL)
def test_a_server_that_waits_even_longer_is_left_as_it_is(name):
    hook = DRIVERS[name]()
    hook.connection.cursor().execute("SET SESSION net_write_timeout = 100000")
    with SqlQuery(hook, "SELECT @@SESSION.net_write_timeout", None) as query:
        assert list(query) == [(100_000,)]


@pytest.mark.parametrize("name", MYSQL)
def test_where_it_cannot_be_raised_the_query_is_read_all_the_same(name, monkeypatch, caplog):
    monkeypatch.setattr("airflow_provider_altcraft.transfers.cursors.NET_WRITE_TIMEOUT", "no_such_thing")
    with SqlQuery(DRIVERS[name](), "SELECT 1 AS one", None) as query:
        assert list(query) == [(1,)]
    assert "net_write_timeout" in caplog.text


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("psycopg2", {"cursor_factory": psycopg2.extras.RealDictCursor}),
        ("psycopg", {"row_factory": dict_row}),
        ("psycopg", {"autocommit": True}),
        ("PyMySQL", {"cursorclass": DictCursor}),
        ("MySQL Connector", {"buffered": True}),
        ("MySQL Connector", {"raw": True}),
        ("MySQL Connector", {"pool_size": 1}),
        ("MySQL Connector in C", {"buffered": True}),
        ("MySQL Connector in C", {"raw": True}),
    ],
)
@pytest.mark.timeout(LONGEST // 2)
def test_what_the_connection_prefers_changes_nothing(name, options):
    hook = DRIVERS[name](**options)
    with pytest.raises(Enough):
        leave_after_the_first_row(hook)


def test_postgresql_in_autocommit_is_read_in_a_transaction():
    hook = postgres("psycopg2")
    hook.connection.autocommit = True
    with SqlQuery(hook, "SELECT generate_series(1, 3)", None) as query:
        assert list(query) == [(1,), (2,), (3,)]


@pytest.mark.timeout(LONGEST // 2)
def test_a_wrapped_connection_streams_like_the_one_inside(driver):
    hook = driver()
    hook.connection = Wrapper(hook.connection)
    with pytest.raises(Enough):
        leave_after_the_first_row(hook)


@pytest.mark.timeout(LONGEST // 2)
def test_a_connection_of_a_pool_of_sqlalchemys_streams_and_does_not_go_back(driver):
    from sqlalchemy import pool

    hook = driver()
    connect = Mock(side_effect=hook.get_conn)
    shared = pool.QueuePool(connect)
    hook.connection = shared.connect()
    with pytest.raises(Enough):
        leave_after_the_first_row(hook)
    shared.connect().detach()
    assert connect.call_count == 2


@pytest.mark.parametrize("name", ["psycopg2", "psycopg"])
def test_postgresql_is_read_in_the_transaction_that_a_hook_began(name):
    hook = DRIVERS[name]()
    hook.connection.cursor().execute("SET LOCAL TIME ZONE 'Asia/Tokyo'")
    with SqlQuery(hook, "SELECT current_setting('TimeZone')", None) as query:
        assert list(query) == [("Asia/Tokyo",)]


@pytest.mark.parametrize("name", ["psycopg2", "psycopg"])
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1 / (5000 - n) FROM generate_series(1, 10000) AS n", "division by zero"),
        ("SELECT n = 5000 AND pg_terminate_backend(pg_backend_pid()) FROM generate_series(1, 9999) AS n", "terminat"),
    ],
)
def test_an_error_in_the_middle_is_not_hidden_by_the_closing(name, sql, reason):
    with pytest.raises(Exception, match=reason), SqlQuery(DRIVERS[name](), sql, None) as query:
        list(query)


def test_a_subclass_of_a_drivers_connection_is_that_drivers(caplog):
    hook = postgres("psycopg2", connection_factory=type("Traced", (psycopg2.extensions.connection,), {}))
    with SqlQuery(hook, "SELECT 1", None) as query:
        assert query._cursor.name
    assert not caplog.messages


def test_sqlite_is_read_as_it_goes(caplog):
    with SqlQuery(Hook("sqlite", sqlite3.connect(":memory:")), "SELECT 1 AS one", None) as query:
        assert (query.columns, list(query)) == (("one",), [(1,)])
    assert not caplog.messages


def test_an_unknown_driver_is_read_with_a_warning(caplog):
    class Teradata:
        __module__ = "teradatasql.connection"

        def __init__(self):
            self._inner = sqlite3.connect(":memory:")

        def cursor(self):
            return self._inner.cursor()

        def close(self):
            self._inner.close()

    with SqlQuery(Hook("teradata", Teradata()), "SELECT 1 AS one", None) as query:
        assert (query.columns, list(query)) == (("one",), [(1,)])
    assert "teradatasql" in caplog.text
