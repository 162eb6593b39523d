"""Reading without holding the result: which cursor each driver gets."""

from __future__ import annotations

import os
import sqlite3

import pymysql
import pytest
from pymysql.cursors import SSCursor

from airflow_provider_altcraft.transfers.cursors import Query

MARIADB = {
    "host": os.environ.get("ALTCRAFT_TEST_MARIADB_HOST", "127.0.0.1"),
    "port": int(os.environ.get("ALTCRAFT_TEST_MARIADB_PORT", "3306")),
    "user": os.environ.get("ALTCRAFT_TEST_MARIADB_USER", "root"),
    "password": os.environ.get("ALTCRAFT_TEST_MARIADB_PASSWORD", ""),
}


class Hook:
    """A hook over a connection."""

    def __init__(self, conn_type, connection):
        self.conn_type = conn_type
        self.get_conn = lambda: connection


@pytest.fixture
def mariadb():
    """A connection to MariaDB."""
    try:
        connection = pymysql.connect(**MARIADB)
    except pymysql.OperationalError as error:
        if os.environ.get("ALTCRAFT_TEST_MARIADB_REQUIRED"):
            raise
        pytest.skip(f"no MariaDB at {MARIADB['host']}:{MARIADB['port']}: {error}")
    return Hook("mysql", connection)


def test_mariadb_keeps_the_rows_until_they_are_fetched(mariadb):
    with Query(mariadb, "SELECT seq AS n FROM mysql.seq_1_to_100000", None, rows_at_a_time=10) as query:
        assert isinstance(query._cursor, SSCursor)
        assert query.columns == ("n",)
        assert sum(1 for _ in query) == 100_000


def test_mariadb_takes_parameters_and_keeps_types_and_letters(mariadb):
    with Query(mariadb, "SELECT %s AS name, CAST(1.10 AS DECIMAL(5,2)) AS price", ["Имя"]) as query:
        ((name, price),) = list(query)
    assert (name, str(price)) == ("Имя", "1.10")


def test_an_unknown_driver_is_read_with_a_warning(caplog):
    class Teradata:
        __module__ = "teradatasql.connection"

        def __init__(self):
            self._inner = sqlite3.connect(":memory:")

        def cursor(self):
            return self._inner.cursor()

        def close(self):
            self._inner.close()

    with Query(Hook("teradata", Teradata()), "SELECT 1 AS one", None) as query:
        assert (query.columns, list(query)) == (("one",), [(1,)])
    assert "teradatasql" in caplog.text
