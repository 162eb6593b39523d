"""One sandbox process for all schedules; its clock runs a thousand times faster than ours."""

from __future__ import annotations

import psycopg2
import pytest

from tests import databases
from tests.chaos.altcraft import Altcraft


@pytest.fixture(scope="module")
def postgres():
    """A server for the databases of Airflow."""
    databases.postgres(psycopg2).close()


@pytest.fixture(scope="session")
def sandbox_process():
    """The process."""
    with Altcraft(speed=1000) as altcraft:
        yield altcraft


@pytest.fixture
def altcraft(sandbox_process, monkeypatch):
    """The process, with a connection to it that gives up on an answer after a moment."""
    extra = {"read_timeout": 0.12, "max_attempts": 3}
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", sandbox_process.connection(**extra))
    sandbox_process.reset()
    return sandbox_process
