"""A whole Airflow: its processes on a PostgreSQL database of its own, to be killed and started again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2.extensions import parse_dsn

from tests import databases

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW = Path(sys.executable).parent / "airflow"


@contextmanager
def database(name: str):
    """A database that lasts as long as the cluster."""
    server = databases.postgres(psycopg2)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield {**parse_dsn(databases.POSTGRES), "dbname": name}
    finally:
        with server.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.close()


class Cluster:
    """Scheduler with LocalExecutor, triggerer, and what else this Airflow needs; heartbeats are short.

    :param home: its folder.
    :param dsn: its database.
    :param environment: of all its processes.
    """

    def __init__(self, home: Path, dsn: dict[str, str], environment: dict[str, str]) -> None:
        self._home = home
        self._dsn = dsn
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        port = _free_port()
        user = f"{dsn['user']}:{dsn['password']}" if dsn.get("password") else dsn["user"]
        url = f"postgresql+psycopg2://{user}@{dsn['host']}:{dsn['port']}/{dsn['dbname']}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **{f"AIRFLOW__{name}": value for name, value in SHORT_HEARTBEATS.items()},
            "PATH": f"{AIRFLOW.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "6",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API_AUTH__JWT_SECRET": "chaos" * 16,
            "AIRFLOW__API__SECRET_KEY": "chaos" * 8,
            "CHAOS_HOME": str(home),
            **environment,
        }
        self._commands = {"scheduler": ["scheduler"], "triggerer": ["triggerer"]}
        if is_airflow_3():
            self._commands = {
                "api-server": ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
                "dag-processor": ["dag-processor"],
                **self._commands,
            }

    def __enter__(self) -> Cluster:
        self._home.mkdir(parents=True, exist_ok=True)
        subprocess.run([AIRFLOW, "db", "migrate"], env=self._environment, check=True, capture_output=True, timeout=180)
        for name in self._commands:
            self.start(name)
        return self

    def __exit__(self, *error: object) -> None:
        for name in list(self._processes):
            self.kill(name)

    def start(self, name: str) -> None:
        """Start one of its processes."""
        with (self._home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [AIRFLOW, *self._commands[name]],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """``kill -9``, with all its children; some of them lead process groups of their own."""
        process = self._processes.pop(name)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait(timeout=10)

    def tasks(self) -> dict[str, tuple[str | None, int]]:
        """State and try of each DAG's one task."""
        with psycopg2.connect(**self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT dag_id, state, try_number FROM task_instance")
            found = {dag_id: (state, tries) for dag_id, state, tries in cursor.fetchall()}
        connection.close()
        return found

    def mark_failed(self, dag_id: str) -> None:
        """What a user does to a deferred task."""
        with psycopg2.connect(**self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE task_instance SET state = 'failed', trigger_id = NULL WHERE dag_id = %s", [dag_id])
        connection.close()

    def until(self, ready: Callable[[dict[str, Any]], bool], *, within: float) -> dict[str, tuple[str | None, int]]:
        """The tasks, once they are as they should be, or when the seconds are over."""
        end = time.monotonic() + within
        while not ready(tasks := self.tasks()) and time.monotonic() < end:
            time.sleep(0.5)
        return tasks


def is_airflow_3() -> bool:
    from airflow import __version__

    return int(__version__.split(".")[0]) >= 3


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


SHORT_HEARTBEATS = {
    "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    "SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "1",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "5",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "10",
    # Late enough for the executor to tell first: Airflow 2.11 may fail the DAG run of a task that both retry.
    "SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "20",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "3",
}
