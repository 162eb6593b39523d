"""The ways to get the rows there.

Each is set up as its own documentation says, with the settings that suit the job where the defaults do not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.sync.sink import METHOD

PATH = f"/api/v1.1/{METHOD}"
TOKEN = "benchmark"
PARAMS = {"token": TOKEN, "db_id": 1, "matching": "email"}


@dataclass(frozen=True)
class Setting:
    """What a contender works with.

    :param folder: its own, and its home.
    """

    warehouse: str
    sink: str
    batch_size: int
    in_flight: int
    folder: str

    @property
    def url(self) -> str:
        """Where profiles go."""
        return f"{self.sink}{PATH}"


Sync = Callable[[str], None]
"""Sends the rows of a table."""


@dataclass(frozen=True)
class Contender:
    """One way.

    :param environment: the name of what it is installed in, and of its requirements.
    :param packages: those whose versions matter.
    :param prepare: imports what it needs, and returns what is measured.
    :param sends: whether the rows go anywhere.
    """

    label: str
    environment: str
    packages: tuple[str, ...]
    prepare: Callable[[Setting], Sync]
    sends: bool = True


def operator(setting: Setting) -> Sync:
    """The operator of this provider, executed as a task does."""
    _airflow(setting)
    from airflow_provider_altcraft.delivery.destinations import ProfileDatabase
    from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator

    def sync(table: str) -> None:
        begun = datetime.now(UTC) - timedelta(seconds=1)
        ti = SimpleNamespace(
            dag_id="dag", run_id=table, task_id="sync", map_index=-1, max_tries=0, try_number=1, start_date=begun
        )
        report = SqlToAltcraftOperator(
            task_id="sync",
            sql=f"SELECT * FROM {table}",
            sql_conn_id="warehouse",
            destination=ProfileDatabase(db_id=1),
            batch_size=setting.batch_size,
            max_in_flight=setting.in_flight,
        ).execute({"ti": ti, "dag_run": SimpleNamespace(run_after=begun, start_date=begun)})
        assert report["accepted"] == report["sent"] > 0, report

    return sync


def cursor_psycopg2(setting: Setting) -> Sync:
    """The rows through a server-side cursor, and no further."""
    import psycopg2

    def sync(table: str) -> None:
        with closing(psycopg2.connect(setting.warehouse)) as connection, connection.cursor(name="rows") as cursor:
            cursor.itersize = 1_000
            cursor.execute(f"SELECT * FROM {table}")
            for _ in cursor:
                pass

    return sync


def cursor_psycopg(setting: Setting) -> Sync:
    """The same with the driver that Airflow's Postgres hook takes today."""
    import psycopg

    def sync(table: str) -> None:
        with psycopg.connect(setting.warehouse) as connection, connection.cursor(name="rows") as cursor:
            cursor.itersize = 1_000
            cursor.execute(f"SELECT * FROM {table}")
            for _ in cursor:
                pass

    return sync


def http_operator(setting: Setting) -> Sync:
    """``HttpOperator`` for each chunk of a data frame, in a loop."""
    _airflow(setting)
    from airflow.providers.common.compat.sdk import BaseHook
    from airflow.providers.http.operators.http import HttpOperator  # type: ignore[import-not-found]

    def sync(table: str) -> None:
        hook = BaseHook.get_connection("warehouse").get_hook()
        chunks = hook.get_df_by_chunks(f"SELECT * FROM {table}", chunksize=setting.batch_size)
        for number, chunk in enumerate(chunks):
            # pandas makes NaN of what is not there, which is not JSON.
            profiles = chunk.astype(object).where(chunk.notna(), None).to_dict(orient="records")
            HttpOperator(
                task_id=f"import_{number}",
                http_conn_id="altcraft_http",
                endpoint=PATH,
                data=json.dumps({**PARAMS, "data": profiles}, default=str),
                headers={"Content-Type": "application/json"},
                response_check=lambda response: response.json()["error"] == 0,
            ).execute({})

    return sync


def dlt_destination(setting: Setting) -> Sync:
    """A custom destination of dlt behind its SQL source, in parallel as far as its settings go."""
    os.environ.update(
        DLT_DATA_DIR=setting.folder,
        RUNTIME__DLTHUB_TELEMETRY="false",
        RUNTIME__LOG_LEVEL="WARNING",
        # A load job is a file, and jobs run side by side: a file for each request.
        NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS=str(setting.batch_size),
        LOAD__WORKERS=str(setting.in_flight),
    )
    import dlt  # type: ignore[import-not-found]
    from dlt.common import json as dlt_json  # type: ignore[import-not-found]
    from dlt.sources.helpers import requests  # type: ignore[import-not-found]
    from dlt.sources.sql_database import sql_table  # type: ignore[import-not-found]

    credentials = setting.warehouse.replace("postgresql:", "postgresql+psycopg2:")

    @dlt.destination(batch_size=setting.batch_size, name="altcraft")  # type: ignore[untyped-decorator, unused-ignore]
    def altcraft(items: Any, table: Any) -> None:
        body = dlt_json.dumpb({**PARAMS, "data": items})
        answer = requests.post(setting.url, data=body, headers={"Content-Type": "application/json"})
        assert answer.json()["error"] == 0

    def sync(table: str) -> None:
        folder = str(Path(setting.folder, table))
        source = sql_table(credentials=credentials, table=table, chunk_size=setting.batch_size)
        pipeline = dlt.pipeline(f"sync_{table}", pipelines_dir=folder, destination=altcraft)
        pipeline.run(source)

    return sync


def drt_sync(setting: Setting) -> Sync:
    """A sync of drt from its Postgres source to its REST API destination, as its Airflow helper runs it."""
    os.environ.update(HOME=setting.folder, DO_NOT_TRACK="1")
    home, project = Path(setting.folder, ".drt"), Path(setting.folder, "project")
    home.mkdir()
    (project / "syncs").mkdir(parents=True)
    server = _server(setting.warehouse)
    # drt reads YAML, of which JSON is a part.
    profile = {"type": "postgres", "fetch_size": setting.batch_size, **server}
    (home / "profiles.yml").write_text(json.dumps({"warehouse": profile}))
    (project / "drt_project.yml").write_text(json.dumps({"name": "benchmark", "profile": "warehouse"}))
    head = json.dumps(PARAMS)[:-1]
    template = {
        "destination": {
            "type": "rest_api",
            "url": setting.url,
            "method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body_mode": "batch",
            "batch_template": head + ', "data": {{ rows | tojson_safe }}}',
            "max_records_per_request": setting.batch_size,
        },
        # Without a rate limit: its default is ten requests per second.
        "sync": {"mode": "full", "batch_size": setting.batch_size, "rate_limit": {"requests_per_second": 0}},
    }

    from drt.integrations.airflow import run_drt_sync  # type: ignore[import-not-found]

    def sync(table: str) -> None:
        model = {"name": table, "model": f"SELECT * FROM {table}", **template}
        (project / "syncs" / f"{table}.yml").write_text(json.dumps(model))
        result = run_drt_sync(table, project_dir=str(project))
        assert result["status"] == "success", result

    return sync


CONTENDERS = {
    "cursor": Contender("bare named cursor, psycopg2", "airflow", ("psycopg2-binary",), cursor_psycopg2, sends=False),
    "cursor3": Contender("bare named cursor, psycopg 3", "airflow", ("psycopg",), cursor_psycopg, sends=False),
    "ours": Contender(
        "SqlToAltcraftOperator",
        "airflow",
        ("airflow-provider-altcraft", "apache-airflow", "apache-airflow-providers-postgres", "psycopg"),
        operator,
    ),
    "http": Contender(
        "pandas chunks and HttpOperator",
        "airflow",
        ("apache-airflow-providers-http", "apache-airflow-providers-common-sql", "pandas"),
        http_operator,
    ),
    "dlt": Contender("dlt custom destination", "dlt", ("dlt", "sqlalchemy", "psycopg2-binary"), dlt_destination),
    "drt": Contender("drt REST API destination", "drt", ("drt-core", "psycopg2-binary"), drt_sync),
}
LIMIT = "cursor"
OURS = "ours"


def _airflow(setting: Setting) -> None:
    """An Airflow of its own, with the connections; before anything imports Airflow."""
    server = _server(setting.warehouse)
    warehouse = {"conn_type": "postgres", "login": server["user"], "schema": server["dbname"], "password": ""}
    altcraft = {"conn_type": "altcraft", "host": setting.sink, "password": TOKEN}
    os.environ.update(
        AIRFLOW_HOME=setting.folder,
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{setting.folder}/airflow.db",
        AIRFLOW_CONN_WAREHOUSE=json.dumps({**warehouse, "host": server["host"], "port": server["port"]}),
        AIRFLOW_CONN_ALTCRAFT_DEFAULT=json.dumps(altcraft),
        AIRFLOW_CONN_ALTCRAFT_HTTP=json.dumps({"conn_type": "http", "host": setting.sink}),
    )


def _server(url: str) -> dict[str, Any]:
    """The parts of a PostgreSQL URL."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "dbname": parts.path.strip("/"),
        "user": parts.username or "postgres",
        "password": parts.password or "",
    }
