"""A sandbox whose clock stands still, and ways to call it."""

from __future__ import annotations

from itertools import count

import pytest
import requests

from airflow_provider_altcraft.sandbox import Sandbox


@pytest.fixture
def sandbox():
    with Sandbox(speed=0) as sandbox:
        yield sandbox


@pytest.fixture
def post(sandbox):
    def post(name, headers=None, /, **body):
        return requests.post(
            f"{sandbox.url}/api/v1.1/{name}", json={"token": sandbox.token, **body}, headers=headers, timeout=5
        )

    return post


@pytest.fixture
def again(post):
    """Call it like ``post``, but never as a repeat of an earlier request."""
    numbers = count()
    return lambda name, **body: post(name, {"Request-ID": f"again-{next(numbers)}"}, **body)
