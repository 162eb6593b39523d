"""A sandbox whose clock stands still, and a way to ask it."""

from __future__ import annotations

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
