"""An embedded warehouse with generated customers, a few of whom have invalid addresses."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

CUSTOMERS = 25_000
FIRST = ["Анна", "Иван", "Мария", "Пётр", "Ольга", "John", "Emma", "Lucas", "Zoë", "Søren"]
LAST = ["Иванова", "Петров", "Ким", "Smith", "Müller", "García", "Öztürk", "Сидоренко"]
CITIES = ["Москва", "Казань", "Berlin", "İstanbul", "Алматы", "Lisboa"]
BROKEN_EMAILS = ["no-at-sign", "two@@example.com", "blank @example.com", ""]
BROKEN_PHONES = ["12", "unknown", "+7 90"]


def customers(seed: int = 7) -> Iterator[tuple[str, str, str, str, str, str, str, str]]:
    """Rows of the table; about one in 200 has an e-mail address or phone number that Altcraft rejects."""
    dice = random.Random(seed)  # noqa: S311
    for number in range(1, CUSTOMERS + 1):
        email, phone = f"customer{number}@example.com", f"+7903{number:07d}"
        luck = dice.random()
        if luck < 0.003:
            email = dice.choice(BROKEN_EMAILS)
        elif luck < 0.005:
            phone = dice.choice(BROKEN_PHONES)
        birthday = date(1950, 1, 1) + timedelta(days=dice.randrange(20_000))
        yield (
            f"C{number:06d}",
            email,
            phone,
            dice.choice(FIRST),
            dice.choice(LAST),
            dice.choice(CITIES),
            birthday.isoformat(),
            f"{dice.randrange(10**6) / 100:.2f}",
        )


def orders() -> Iterator[tuple[str, str, str]]:
    """Last night's orders."""
    for number in range(1, 201):
        yield f"A-{number:04d}", f"customer{number * 11}@example.com", f"{number}.90"


def broken(email: str, phone: str) -> bool:
    """Whether a customer's e-mail address or phone number is invalid."""
    return email in BROKEN_EMAILS or phone in BROKEN_PHONES


def build(path: Path) -> int:
    """Recreate the warehouse; return how many of its customers are invalid."""
    path.unlink(missing_ok=True)
    rows = list(customers())
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE customers (id TEXT PRIMARY KEY, email TEXT, phone TEXT, first_name TEXT, last_name TEXT,"
            " city TEXT, birthday TEXT, balance TEXT)"
        )
        connection.execute("CREATE TABLE altcraft_profiles (id TEXT PRIMARY KEY, email TEXT, _fname TEXT, _lname TEXT)")
        connection.execute("CREATE TABLE orders (number TEXT PRIMARY KEY, email TEXT, total TEXT)")
        connection.execute("CREATE TABLE complaints (email TEXT PRIMARY KEY)")
        connection.execute("CREATE TABLE promo_codes (code TEXT PRIMARY KEY)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", orders())
        connection.executemany("INSERT INTO complaints VALUES (?)", [("customer7@example.com",)])
        connection.executemany(
            "INSERT INTO promo_codes VALUES (?)", [(f"AUTUMN-{number:04d}",) for number in range(1, 1001)]
        )
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return sum(broken(email, phone) for _, email, phone, *_ in rows)
