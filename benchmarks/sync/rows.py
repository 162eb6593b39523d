"""A table of customers in a database of its own."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

DATABASE = "altcraft_bench"
COLUMNS = {
    "email": "text",
    "phone": "text",
    "first_name": "text",
    "last_name": "text",
    "birth_date": "date",
    "sex": "text",
    "city": "text",
    "loyalty_id": "text",
    "balance": "numeric(12, 2)",
    "last_purchase": "timestamp",
    "subscribed": "boolean",
    "orders": "integer",
}
FIRST_NAMES = ("Анна", "Мария", "Елена", "Ольга", "Дмитрий", "Сергей", "Алексей", "Михаил", "Zoë", "John")
LAST_NAMES = (
    "Иванова",
    "Смирнова",
    "Кузнецова",
    "Попова",
    "Соколов",
    "Лебедев",
    "Козлов",
    "Новиков",
    "O'Neil",
    "Smith",
)
CITIES = ("Москва", "Санкт-Петербург", "Новосибирск", "Екатеринбург", "Нижний Новгород", "Казань", "Самара", "Berlin")
EPOCH = datetime(2026, 1, 1, 12)


def customers(count: int, seed: int = 7) -> Iterator[tuple[Any, ...]]:
    """Customers as a cursor returns them, the same ones each time."""
    chance = random.Random(seed)
    for number in range(count):
        yield (
            f"customer{number:07d}@example.com",
            f"+7903{number:07d}",
            chance.choice(FIRST_NAMES),
            chance.choice(LAST_NAMES),
            date(1960 + number % 45, 1 + number % 12, 1 + number % 28),
            ("female", "male", None)[number % 3],
            chance.choice(CITIES),
            f"LTY-{number:010d}",
            Decimal(chance.randrange(10_000_000)).scaleb(-2),
            EPOCH - timedelta(seconds=chance.randrange(10_000_000)),
            chance.random() < 0.3,
            chance.randrange(500),
        )


def table_of(count: int) -> str:
    """The table that holds so many customers."""
    return f"customers_{count}"


@contextmanager
def warehouse(server: str, counts: Iterable[int]) -> Iterator[str]:
    """A database with a table for each count, while the context lasts; its URL. Waits for other benchmarks to end.

    :param server: URL of any database of the server, with the right to create others.
    """
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    with closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # One benchmark at a time: two would measure each other. A lock of the session ends with the process.
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", (DATABASE,))
        _run(server, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", f"CREATE DATABASE {DATABASE}")
        try:
            _fill(url, sorted(set(counts), reverse=True))
            yield url
        finally:
            _run(server, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def server_version(server: str) -> str:
    """The version of PostgreSQL."""
    with closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def _fill(url: str, counts: Sequence[int]) -> None:
    largest = table_of(counts[0])
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {largest} ({columns})")
        chunk = io.StringIO()
        for customer in customers(counts[0]):
            chunk.write("\t".join("\\N" if value is None else str(value) for value in customer) + "\n")
            if chunk.tell() > 10_000_000:
                _copy(cursor, largest, chunk)
                chunk = io.StringIO()
        _copy(cursor, largest, chunk)
        for count in counts[1:]:
            cursor.execute(f"CREATE TABLE {table_of(count)} AS SELECT * FROM {largest} LIMIT {count}")
    # The first to read fresh rows would pay for marking them as committed.
    _run(url, "VACUUM ANALYZE", "CHECKPOINT")


def _copy(cursor: Any, table: str, chunk: io.StringIO) -> None:
    chunk.seek(0)
    cursor.copy_expert(f"COPY {table} FROM STDIN", chunk)


def _run(url: str, *statements: str) -> None:
    """Run statements that stand outside of any transaction."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
