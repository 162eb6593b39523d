"""One pace for all senders, and a pause that holds all of them."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.api import pace
from airflow_provider_altcraft.api.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def test_without_a_limit_nobody_waits(clock):
    unhurried = Pace(0)
    assert [list(unhurried.delays()) for _ in range(3)] == [[0.0]] * 3


def test_requests_are_spaced_evenly(clock):
    paced = Pace(4)
    assert [list(paced.delays()) for _ in range(3)] == [[0.0], [0.25], [0.5]]


def test_a_pause_holds_those_who_wait_already(clock):
    paced = Pace(1)
    list(paced.delays())
    waiting = paced.delays()
    assert next(waiting) == 1.0
    paced.pause(30)
    clock[0] += 1.0
    assert next(waiting) == 29.0
    clock[0] += 29.0
    assert list(waiting) == []
    assert list(paced.delays()) == [1.0]


def test_a_pause_that_is_over_holds_nobody(clock):
    paced = Pace(0)
    paced.pause(5)
    clock[0] += 5
    assert list(paced.delays()) == [0.0]
