"""A private Airflow for the suite, set up before anything imports Airflow."""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Each process of pytest-xdist imports this file, so each has an Airflow of its own.
HOME = Path(tempfile.mkdtemp(prefix="altcraft-tests-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
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
# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
# For the loop: every other run tries as many examples as the tests ask for.
settings.register_profile("quick", settings.get_profile("steady"), max_examples=15)

WITHOUT_AIRFLOW = ("api", "delivery", "docs", "sandbox")
"""Folders of tests of which most know no Airflow: what those files say is the same on every Airflow."""


LONG = (
    "api/test_connections.py", "api/test_decoding.py", "api/test_every_endpoint.py", "api/test_fuzz.py",
    "api/test_mailing_log.py", "chaos", "decorators", "delivery/ledger", "delivery/test_rejects.py",
    "launching/test_change.py", "launching/test_deliveries.py", "launching/test_surroundings.py",
    "operators/test_scenarios.py", "runtime/test_killing.py", "runtime/test_mailing_run.py", "sandbox", "sensors",
    "test_secrets.py", "test_tracebacks.py", "transfers", "triggers",
)  # fmt: skip
"""What takes most of the time, though each test of it is short: `make check` leaves it to `make test`."""


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="leave out the files that take most of the time")
    parser.addoption(
        "--airflow-only",
        action="store_true",
        help="leave out the files that have nothing to do with Airflow: a run on another Airflow has said the same",
    )


def pytest_ignore_collect(collection_path, config):
    inside = collection_path.relative_to(ROOT / "tests")
    if config.getoption("--quick") and inside.as_posix() in LONG:
        return True
    if not config.getoption("--airflow-only") or collection_path.suffix != ".py":
        return None
    return (inside.parts[0] in WITHOUT_AIRFLOW and not uses_airflow(collection_path)) or None


def uses_airflow(path):
    """Whether a file of tests imports, starts or patches Airflow, or what of the package is built on it."""
    floors = r"airflow_provider_altcraft(\.(api|delivery|sandbox|exceptions|tracebacks)\b|\b(?!\.))"
    text = re.sub(floors, "", path.read_text(encoding="utf-8"))
    return (
        re.search(r"airflow|tests\.(contexts|dag_run|chaos)|def test_\w+\(.*\brun\b", text, re.IGNORECASE) is not None
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What starts a whole Airflow is slow."""
    for item in items:
        if "Cluster" in vars(getattr(item, "module", None) or object):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from tests.scheduling import Scheduling

    return Scheduling(config, log)


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
