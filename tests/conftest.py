"""A private Airflow for the suite, set up before anything imports Airflow."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

HOME = Path(tempfile.mkdtemp(prefix="altcraft-tests-"))
ROOT = Path(__file__).parent.parent

os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "example_dags"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES="airflow.* airflow_provider_altcraft.*",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME}/airflow.db",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
)


@pytest.fixture
def time_passes(altcraft_sandbox):
    """The sandbox's clock runs a hundred times faster than ours."""
    altcraft_sandbox.clock.speed = 100
    return altcraft_sandbox


@pytest.fixture(params=["on the worker", "deferred"])
def run(request, time_passes):
    """Run an operator or sensor to its end, on the worker or deferred; what it returns."""

    def run(operator, ctx=None, **identity):
        from tests.contexts import context

        ctx = ctx or context(**identity)
        operator.deferrable = request.param == "deferred"
        from airflow.providers.common.compat.sdk import TaskDeferred

        try:
            return operator.execute(ctx)
        except TaskDeferred as deferred:
            return getattr(operator, deferred.method_name)(ctx, event=asyncio.run(event_of(deferred.trigger)))

    run.deferred = request.param == "deferred"
    return run


async def event_of(trigger):
    """The one event of a trigger."""
    events = [event.payload async for event in trigger.run()]
    (event,) = events
    return event
