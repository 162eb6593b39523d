"""Runs the main job on a loopback Altcraft and an embedded warehouse, and prints a report at the end."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from stage import AIRFLOW, REJECTS, RUN, WAREHOUSE, environment
from warehouse import CUSTOMERS, build

from airflow_provider_altcraft.sandbox import Sandbox

DAG, SYNC = "altcraft_main_job", "customers_into_scenario"
SPEED = 5.0
LONGEST = 600
WORTH_SHOWING = re.compile(r"rows sent|tasks ended|read = |Mailing \d|mailing \d|[Cc]ampaign \d")


def main() -> int:
    """Run the demo; return 0 only if everything in the report is as expected."""
    began = time.monotonic()
    home = RUN / "demo"
    for folder in (home, REJECTS):
        shutil.rmtree(folder, ignore_errors=True)
    RUN.mkdir(exist_ok=True)
    say(f"An embedded warehouse with {CUSTOMERS:,} customers …")
    broken = build(WAREHOUSE)
    with Sandbox(speed=SPEED) as sandbox:
        say(f"A loopback Altcraft at {sandbox.url} …")
        environ = environment(sandbox, home)
        say("A private Airflow …")
        subprocess.run([AIRFLOW, "db", "migrate"], env=environ, check=True, capture_output=True)  # noqa: S603
        say(f"airflow dags test {DAG}")
        exit_code = run_dag(environ, home / "airflow.log")
        result = xcom(home / "airflow.db") if exit_code == 0 else {}
        return report(sandbox, result, broken, exit_code, time.monotonic() - began)


def run_dag(environ: dict[str, str], log: Path) -> int:
    """Run the example DAG in a real Airflow, showing its progress."""
    command = [str(AIRFLOW), "dags", "test", DAG]
    with (
        log.open("w") as whole,
        subprocess.Popen(  # noqa: S603
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        # A hanging task must not block the demo forever.
        watchdog = threading.Timer(LONGEST, process.kill)
        watchdog.start()
        for line in process.stdout or ():
            whole.write(line)
            if WORTH_SHOWING.search(line):
                say("  " + message(line))
        watchdog.cancel()
    return process.returncode


def message(line: str) -> str:
    """The message in a line of Airflow's log."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
    return re.sub(r"^\S+\s+\[\w+\s*\]\s*|\s+\[airflow[._]\S+\].*$|\s+loc=\S+.*$", "", plain)


def xcom(database: Path) -> dict[str, Any]:
    """What the sync returned."""
    with sqlite3.connect(database) as connection:
        row = connection.execute(
            "SELECT value FROM xcom WHERE dag_id = ? AND task_id = ? AND key = 'return_value'", (DAG, SYNC)
        ).fetchone()
    connection.close()
    value = json.loads(row[0]) if row else {}
    return json.loads(value) if isinstance(value, str) else value


def report(sandbox: Sandbox, result: dict[str, Any], broken: int, exit_code: int, seconds: float) -> int:
    """Print what happened, and whether it is as expected."""
    launches = sandbox.deliveries.launches(7)
    kept = [line for file in REJECTS.rglob("*.jsonl") for line in file.read_text().splitlines()]
    entries = sandbox.deliveries.scenario_entries(12)
    read, accepted, rejected = (result.get(name, 0) for name in ("read", "accepted", "rejected"))
    state = sandbox.campaign_state(18)
    rows = [
        ("rows read", f"{read:,}", read == CUSTOMERS),
        ("profiles accepted", f"{accepted:,}", accepted == entries == CUSTOMERS - broken),
        ("profiles rejected", f"{rejected:,}", rejected == broken == len(kept)),
        ("  kept in", str(result.get("reject_path")), rejected == len(kept)),
        ("tasks at Altcraft", f"{result.get('tasks', 0)}", result.get("tasks") == len(sandbox.tasks)),
        ("launches of mailing 7", f"{len(launches)} ({sandbox.deliveries.count(7):,} messages)", len(launches) == 1),
        ("campaign 18", state, state == "completed"),
        ("the DAG run", "success" if exit_code == 0 else "failed, see .run/demo/airflow.log", exit_code == 0),
    ]
    say("")
    for name, value, good in rows:
        say(f"  {'✓' if good else '✗'} {name:<24}{value}")
    say(f"    {'time taken':<24}{seconds:.0f} s")
    return 0 if all(good for *_, good in rows) else 1


def say(text: str) -> None:
    """Print to the terminal at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
