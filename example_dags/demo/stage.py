"""Shared by the demo and the UI: a private Airflow, the warehouse, and connections to the warehouse and Altcraft."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow_provider_altcraft.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / ".run"
REJECTS = RUN / "rejects"
WAREHOUSE = RUN / "warehouse.db"
AIRFLOW = Path(sys.executable).parent / "airflow"


def environment(sandbox: Sandbox, home: Path) -> dict[str, str]:
    """The environment of an Airflow whose home is ``home``."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "PATH": f"{AIRFLOW.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW_CONN_ALTCRAFT_DEFAULT": sandbox.connection_json,
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "sqlite", "host": str(WAREHOUSE)}),
        "ALTCRAFT_REJECTS": str(REJECTS),
        "ALTCRAFT_EXPORTS": str(RUN / "exports"),
        "ALTCRAFT_ATTACHMENTS": str(RUN / "attachments"),
        "PYTHONUNBUFFERED": "1",
    }
