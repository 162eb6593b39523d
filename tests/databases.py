"""The databases of the suite: where they are, and what to do where they are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

POSTGRES = os.environ.get("ALTCRAFT_TEST_POSTGRES", "host=127.0.0.1 port=5432 user=postgres dbname=test")
MARIADB: dict[str, Any] = {
    "host": os.environ.get("ALTCRAFT_TEST_MARIADB_HOST", "127.0.0.1"),
    "port": int(os.environ.get("ALTCRAFT_TEST_MARIADB_PORT", "3306")),
    "user": os.environ.get("ALTCRAFT_TEST_MARIADB_USER", "root"),
    "password": os.environ.get("ALTCRAFT_TEST_MARIADB_PASSWORD", ""),
}


def absent(server: str, error: Exception) -> None:
    """Skip the test, unless the server is said to be there.

    :param server: ``POSTGRES`` or ``MARIADB``.
    """
    if os.environ.get(f"ALTCRAFT_TEST_{server}_REQUIRED"):
        raise error
    pytest.skip(f"no {server} server: {error}")


def postgres(driver: Any, **options: Any) -> Any:
    """A connection to PostgreSQL.

    :param driver: ``psycopg2`` or ``psycopg``.
    """
    try:
        return driver.connect(POSTGRES, **options)
    except driver.OperationalError as error:
        absent("POSTGRES", error)


def mariadb(driver: Any, **options: Any) -> Any:
    """A connection to MariaDB."""
    try:
        return driver.connect(**MARIADB, **options)
    except driver.OperationalError as error:
        absent("MARIADB", error)


@contextmanager
def mariadb_database(driver: Any) -> Iterator[str]:
    """A database of MariaDB's, for as long as it is needed."""
    name = f"altcraft_{uuid4().hex[:12]}"
    with mariadb(driver) as server:
        server.cursor().execute(f"CREATE DATABASE {name}")
        yield name
        server.cursor().execute(f"DROP DATABASE {name}")
