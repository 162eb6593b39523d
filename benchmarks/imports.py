"""What importing a provider costs a DAG file, beside other providers, in one run.

Each case is a fresh interpreter that imports ``airflow.sdk.DAG`` first and then the modules; the increment is the
time of the second step. Cases take turns, so that a busy moment of the machine hits all of them. ``make bench-imports``
prepares an environment with the providers that it compares.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

ROUNDS = 11
CASES = {
    "airflow-provider-altcraft": [
        *(f"airflow_provider_altcraft.operators.{name}" for name in ("mailings", "scenarios", "campaigns")),
        *(f"airflow_provider_altcraft.sensors.{name}" for name in ("tasks", "mailings", "campaigns")),
        "airflow_provider_altcraft.triggers.altcraft",
        "airflow_provider_altcraft.transfers.sql_to_altcraft",
    ],
    "apache-airflow-providers-http": [
        "airflow.providers.http.operators.http",
        "airflow.providers.http.sensors.http",
        "airflow.providers.http.triggers.http",
    ],
    "apache-airflow-providers-dbt-cloud": [
        "airflow.providers.dbt.cloud.operators.dbt",
        "airflow.providers.dbt.cloud.sensors.dbt",
        "airflow.providers.dbt.cloud.triggers.dbt",
    ],
    "apache-airflow-providers-databricks": [
        "airflow.providers.databricks.operators.databricks",
        "airflow.providers.databricks.triggers.databricks",
    ],
    "apache-airflow-providers-airbyte": [
        "airflow.providers.airbyte.operators.airbyte",
        "airflow.providers.airbyte.sensors.airbyte",
        "airflow.providers.airbyte.triggers.airbyte",
    ],
}
PROBE = """
import time
begin = time.perf_counter()
from airflow.sdk import DAG
base = time.perf_counter()
{imports}
end = time.perf_counter()
print((base - begin) * 1000, (end - base) * 1000)
"""


def measure(modules: list[str]) -> tuple[float, float]:
    """Milliseconds for Airflow, and for the modules after it."""
    code = PROBE.format(imports="\n".join(f"import {module}" for module in modules))
    command = [sys.executable, "-W", "ignore", "-c", code]
    # With byte code, as Airflow runs: without it, the compiler would be measured.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    base, increment = map(float, done.stdout.split()[-2:])
    return base, increment


def main() -> None:
    """Measure, and print a table."""
    cases = {}
    for name, modules in CASES.items():
        try:
            cases[name] = (version(name), modules)
        except PackageNotFoundError:
            print(f"{name} is not installed")
    for _, modules in cases.values():
        measure(modules)  # byte code
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (_, modules) in cases.items():
            taken[name].append(measure(modules))
    base = statistics.median(base for rounds in taken.values() for base, _ in rounds)
    ours = statistics.median(increment for _, increment in taken["airflow-provider-altcraft"])
    print(f"Python {sys.version.split()[0]}, apache-airflow {version('apache-airflow')}, medians of {ROUNDS}")
    print(f"from airflow.sdk import DAG: {base:.0f} ms\n")
    print("| provider | version | + ms | min | max | times ours |")
    print("|---|---|---:|---:|---:|---:|")
    for name, (number, _) in cases.items():
        increments = [increment for _, increment in taken[name]]
        middle, least, most = statistics.median(increments), min(increments), max(increments)
        print(f"| {name} | {number} | {middle:.1f} | {least:.1f} | {most:.1f} | {middle / ours:.1f} |")


if __name__ == "__main__":
    main()
