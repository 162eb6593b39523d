"""How far a delivery is, for people and for metrics."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_altcraft.delivery.destinations import ProfileDatabase
from airflow_provider_altcraft.delivery.report import Report
from airflow_provider_altcraft.runtime.progress import Progress, measure


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("airflow_provider_altcraft.runtime.progress.time.monotonic", lambda: now[0])
    return now


def test_it_is_told_at_a_human_pace_however_often_batches_end(clock):
    lines = []
    told = Progress(lines.append)
    for second in range(3_600):
        clock[0] = 1000.0 + second
        for _ in range(10):
            told(Report(sent=second), 4)
    assert 60 <= len(lines) <= 80


def test_it_says_rows_rate_answers_and_requests_in_flight(clock):
    lines = []
    told = Progress(lines.append)
    clock[0] += 10
    told(Report(read=70_000, skipped=10_000, sent=50_000, accepted=39_990, rejected=10, requests=5), 3)
    (line,) = lines
    for part in ("70,000 rows read", "50,000 sent", "5,000 rows/s", "39,990 accepted", "10 rejected", "3 in flight"):
        assert part in line


def test_the_rows_are_counted_in_airflows_metrics(monkeypatch):
    from airflow.providers.common.compat.sdk import Stats

    counted = {}
    monkeypatch.setattr(Stats, "incr", lambda name, count=1, **tags: counted.update({name: (count, tags["tags"])}))
    measure(Report(read=5, skipped=1, sent=4, accepted=3, rejected=1, requests=2), ProfileDatabase(1))
    tags = {"destination": "ProfileDatabase"}
    assert counted == {
        "altcraft.rows.read": (5, tags),
        "altcraft.rows.skipped": (1, tags),
        "altcraft.rows.accepted": (3, tags),
        "altcraft.rows.rejected": (1, tags),
        "altcraft.requests": (2, tags),
    }


def test_the_closing_table_has_every_number():
    table = Report(read=3, sent=2, skipped=1, unchanged=1, accepted=1, rejected=1, reasons=Counter({"400": 1})).table()
    numbers = {line.rsplit(None, 1)[0].strip(): line.rsplit(None, 1)[1] for line in table.splitlines()}
    assert (numbers["read"], numbers["unchanged"], numbers["accepted"], numbers["code 400"]) == ("3", "1", "1", "1")
