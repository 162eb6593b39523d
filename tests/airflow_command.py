"""The command `airflow`, run in a process of its own that need not import Airflow first.

A process that has imported Airflow and done nothing else forks into one that runs the command: starting Airflow takes
more time than the command itself.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

LONGEST = 110
"""Seconds for one command."""
PRELOAD = [
    "airflow.__main__",
    "airflow.api_fastapi.execution_api.app",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.cli.commands.dag_command",
    "airflow.cli.commands.db_command",
    "airflow.models.dagbag",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.utils.db",
    "alembic.context",
]
"""What the commands import; what one Airflow does not have is passed over."""
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(PRELOAD)


def airflow(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Run a command of Airflow with the environment of this moment.

    :param environment: what is different in it.
    :raises AssertionError: if it fails, with the end of what it wrote.
    """
    with TemporaryDirectory() as folder:
        written = Path(folder) / "output"
        process = _forks.Process(target=_run, args=(arguments, {**os.environ, **(environment or {})}, written))
        process.start()
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            process.join()
        output = written.read_text(encoding="utf-8", errors="replace")
        assert process.exitcode == 0, f"airflow {' '.join(arguments)}: {process.exitcode}\n{output[-4000:]}"


def _run(arguments: tuple[str, ...], environment: dict[str, str], written: Path) -> None:
    with written.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["airflow", *arguments]
    from airflow import settings
    from airflow.__main__ import main

    # The folders and the database were read when Airflow was imported.
    settings.configure_vars()
    main()
