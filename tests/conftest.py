"""A private Airflow for the suite, set up before anything imports Airflow."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

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
