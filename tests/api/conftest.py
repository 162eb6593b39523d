"""The echo server, one for all tests."""

from __future__ import annotations

import pytest

from tests.api.echo import echoing


@pytest.fixture(scope="session")
def echo_server():
    with echoing() as echo:
        yield echo


@pytest.fixture
def echo(echo_server):
    """A server that remembers nothing yet."""
    echo_server.reset()
    return echo_server
