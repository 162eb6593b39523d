"""One rate for all senders, and a pause that holds all of them."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.api import rate_limiter
from airflow_provider_altcraft.api.rate_limiter import RateLimiter


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(rate_limiter.time, "monotonic", lambda: now[0])
    return now


def test_without_a_limit_nobody_waits(clock):
    unhurried = RateLimiter(0)
    assert [list(unhurried.delays()) for _ in range(3)] == [[0.0]] * 3


def test_requests_are_slimiter_evenly(clock):
    limiter = RateLimiter(4)
    assert [list(limiter.delays()) for _ in range(3)] == [[0.0], [0.25], [0.5]]


def test_a_pause_holds_those_who_wait_already(clock):
    limiter = RateLimiter(1)
    list(limiter.delays())
    waiting = limiter.delays()
    assert next(waiting) == 1.0
    limiter.pause(30)
    clock[0] += 1.0
    assert next(waiting) == 29.0
    clock[0] += 29.0
    assert list(waiting) == []
    assert list(limiter.delays()) == [1.0]


def test_a_pause_that_is_over_holds_nobody(clock):
    limiter = RateLimiter(0)
    limiter.pause(5)
    clock[0] += 5
    assert list(limiter.delays()) == [0.0]


def test_a_long_retry_after_does_not_silence_a_client_for_a_day(clock):
    limiter = RateLimiter(0)
    limiter.pause(86_400)
    assert list(limiter.delays()) == [300.0]
