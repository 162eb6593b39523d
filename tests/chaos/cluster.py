"""A whole Airflow: its processes on a PostgreSQL database of its own, to be killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

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
    :param dag_file: of ``tests/chaos/dags``; the only one it runs.
    :param with_rest: whether it has the REST API, which is a process of its own before Airflow 3.
    """

    def __init__(
        self, home: Path, dsn: dict[str, str], environment: dict[str, str], *, dag_file: str, with_rest: bool = False
    ) -> None:
        self._home = home
        self._source = ROOT / "tests" / "chaos" / "dags" / dag_file
        self.dag_file = home / "dags" / dag_file
        self._dsn = dsn
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        port = self._port = _free_port()
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
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dag_file.parent),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API_AUTH__JWT_SECRET": "chaos" * 16,
            "AIRFLOW__API__SECRET_KEY": "chaos" * 8,
            "CHAOS_HOME": str(home),
            "CHAOS_DAG_FILE": str(self.dag_file),
            **environment,
        }
        self._commands = {"scheduler": ["scheduler"], "triggerer": ["triggerer"]}
        if is_airflow_3():
            self._commands = {
                "api-server": ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
                "dag-processor": ["dag-processor"],
                **self._commands,
            }
        elif with_rest:
            self._commands["webserver"] = [
                "webserver",
                "--hostname",
                "127.0.0.1",
                "--port",
                str(port),
                "--workers",
                "1",
            ]

    def __enter__(self) -> Cluster:
        self.dag_file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._source, self.dag_file)
        # Of Airflow 2.11: whoever asks may do everything.
        (self._home / "webserver_config.py").write_text("AUTH_ROLE_PUBLIC = 'Admin'\n")
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

    def instances(self) -> dict[tuple[str, str, int], tuple[str | None, int]]:
        """State and try of each task instance, by DAG, task and map index."""
        with psycopg2.connect(**self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT dag_id, task_id, map_index, state, try_number FROM task_instance")
            found = {(dag_id, task_id, index): rest for dag_id, task_id, index, *rest in cursor.fetchall()}
        connection.close()
        return {instance: (state, tries) for instance, (state, tries) in found.items()}

    def ended_runs(self) -> set[str]:
        """The DAGs whose one run has ended."""
        with psycopg2.connect(**self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT dag_id FROM dag_run WHERE state IN ('success', 'failed')")
            found = {dag_id for (dag_id,) in cursor.fetchall()}
        connection.close()
        return found

    def result(self, dag_id: str, task_id: str, map_index: int = -1) -> Any:
        """What a task instance returned; ``None`` for nothing."""
        with psycopg2.connect(**self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT value FROM xcom WHERE key = 'return_value' AND dag_id = %s AND task_id = %s AND map_index = %s",
                [dag_id, task_id, map_index],
            )
            row = cursor.fetchone()
        connection.close()
        value = row[0] if row else None
        while isinstance(value, str | memoryview):
            value = json.loads(bytes(value) if isinstance(value, memoryview) else value)
        return value

    def log(self, dag_id: str, task_id: str) -> str:
        """What the tries of a task have logged."""
        tries = sorted((self._home / "logs" / f"dag_id={dag_id}").rglob(f"task_id={task_id}/**/*.log*"))
        return "\n".join(path.read_text() for path in tries if path.is_file())

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Clear tasks of a DAG run, all of them if none are named, as a user does: by the REST API."""
        body = {"dry_run": False, "only_failed": False, "reset_dag_runs": True, "dag_run_id": run_id}
        self._rest("POST", f"dags/{dag_id}/clearTaskInstances", {**body, "task_ids": list(task_ids) or None})

    def clear_by_command(self, dag_ids: str) -> None:
        """Clear all tasks of DAGs by the command line, which does the same as the web page.

        :param dag_ids: a regular expression.
        """
        command = [AIRFLOW, "tasks", "clear", "--yes", "--dag-regex", dag_ids]
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=120)

    def knows(self, dag_id: str, task_id: str) -> bool:
        """Whether the scheduler knows of a task in a DAG."""
        with psycopg2.connect(**self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM serialized_dag WHERE dag_id = %s AND data::text LIKE %s",
                [dag_id, f'%"{task_id}"%'],
            )
            (found,) = cursor.fetchone()
        connection.close()
        return bool(found)

    def reparse(self) -> None:
        """Let Airflow read its DAG file again now: what it says may have changed."""
        self.dag_file.touch()

    def _rest(self, method: str, path: str, body: dict[str, Any]) -> Any:
        version = "v2" if is_airflow_3() else "v1"
        sent = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        headers = {"Content-Type": "application/json", **self._authorization}
        request = Request(f"http://127.0.0.1:{self._port}/api/{version}/{path}", sent, headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    @cached_property
    def _authorization(self) -> dict[str, str]:
        if not is_airflow_3():
            return {}
        with urlopen(f"http://127.0.0.1:{self._port}/auth/token", timeout=30) as answer:
            return {"Authorization": f"Bearer {json.load(answer)['access_token']}"}

    @property
    def has_rest(self) -> bool:
        """Whether the REST API answers by now."""
        path = "api/v2/monitor/health" if is_airflow_3() else "api/v1/health"
        with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{self._port}/{path}", timeout=5):
            return True
        return False

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

    def wait(self, ready: Callable[[], bool], *, within: float) -> bool:
        """Whether something came true before the seconds were over."""
        end = time.monotonic() + within
        while not (came := ready()) and time.monotonic() < end:
            time.sleep(0.5)
        return came


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
