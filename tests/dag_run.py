"""What Airflow does with one task in one DAG run, without its processes: tries, clears, mapped instances, XComs."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from airflow import __version__
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from tests.chaos.airflow_in_small import End
from tests.conftest import event_of
from tests.contexts import Store, context

IS_AIRFLOW_3 = int(__version__.split(".")[0]) >= 3
Keeping = Literal["store", "records", "nothing kept"]


@dataclass
class Instance:
    """One task instance."""

    try_number: int = 0
    max_tries: int = 0
    store: Store = field(default_factory=Store)
    xcoms: dict[str, Any] = field(default_factory=dict)


class DagRun:
    """One task in one DAG run.

    :param sandbox: the Altcraft.
    :param monkeypatch: sets the connection.
    :param keeping: what outlives a try: Airflow's task state store, records in a folder, or nothing.
    :param folder: for the records.
    :param deferred: whether it waits deferred.
    :param retries: of the task.
    """

    def __init__(
        self,
        sandbox: Any,
        monkeypatch: Any,
        *,
        keeping: Keeping = "store",
        folder: Path | None = None,
        deferred: bool = False,
        retries: int = 0,
    ) -> None:
        self._sandbox = sandbox
        self._monkeypatch = monkeypatch
        self._keeping = keeping
        self._extra: dict[str, Any] = {"record_path": str(folder)} if keeping == "records" else {}
        self._deferred = deferred
        self._retries = retries
        self._task_id = "task"
        self._tasks: dict[str, dict[int, Instance]] = defaultdict(
            lambda: defaultdict(lambda: Instance(max_tries=retries))
        )
        self._removed: set[tuple[str, int]] = set()
        self._lines = _Lines()
        self._clears = 0
        self._started: datetime | None = None

    @property
    def keeps(self) -> bool:
        """Whether a try leaves anything to the next."""
        return self._keeping != "nothing kept"

    @property
    def log(self) -> str:
        """What the task has logged."""
        return "\n".join(self._lines.said)

    def extra(self, **settings: Any) -> None:
        """Change settings of the connection."""
        self._extra |= settings

    def keep_in(self, keeping: Keeping) -> None:
        """Keep what outlives a try elsewhere from now on."""
        self._keeping = keeping

    def kept(self) -> str:
        """What the task state stores hold."""
        return json.dumps([instance.store for instance in self._instances.values()])

    def put(self, key: str, value: Any, map_index: int = -1) -> None:
        """Put something into the store, whoever reads it."""
        if self._keeping == "store":
            self._instances[map_index].store[key] = value
        else:
            folder = Path(self._extra["record_path"]) / "dag" / "run" / "task"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{key}.json").write_text(json.dumps(value))

    def attempt(self, operator: Any, map_index: int = -1) -> End:
        """The next try of a task instance."""
        instance = self._instances[map_index]
        instance.try_number += 1
        instance.xcoms.clear()
        connection = {**self._sandbox.connection, "extra": self._extra}
        self._monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(connection))
        ctx = self._context(instance, map_index)
        try:
            return End(self._run(operator, ctx), tries=instance.try_number)
        except AirflowFailException as final:
            return End(error=final, tries=instance.try_number)
        except Exception as error:
            return End(error=error, tries=instance.try_number)

    def retry(self, operator: Any) -> End:
        """What Airflow does by itself after a try that failed, or whose worker was lost."""
        return self.attempt(operator)

    def clear(self) -> None:
        """What a user does. Airflow moves the start of the DAG run by it."""
        self._clears += 1
        self._started = datetime.now(UTC)
        for instance in self._instances.values():
            instance.max_tries = instance.try_number + self._retries

    def rename(self, task_id: str) -> None:
        """Somebody renames the task in the DAG; or maps it, where the name stays."""
        self._removed |= {(self._task_id, index) for index in self._instances}
        self._task_id = task_id

    def shorten(self, length: int) -> None:
        """The list that the task is mapped over gets shorter."""
        self._removed |= {(self._task_id, index) for index in self._instances if index >= length}

    def map(self, make: Any, argument: str, values: list[Any]) -> list[End]:
        """Run the mapped instances of a task, one after the other."""
        return [self.attempt(make(**{argument: value}), index) for index, value in enumerate(values)]

    def _context(self, instance: Instance, map_index: int) -> dict[str, Any]:
        store = instance.store if self._keeping == "store" else None
        ctx = context(
            store=store,
            task_id=self._task_id,
            map_index=map_index,
            try_number=instance.try_number,
            max_tries=instance.max_tries,
        )
        self._show_removed(ctx)
        ctx["dag_run"].clear_number = self._clears
        ctx["dag_run"].start_date = self._started or ctx["dag_run"].start_date
        ctx["ti"].xcom_push = lambda key, value: instance.xcoms.update({key: json.loads(json.dumps(value))})
        ctx["ti"].xcom_pull = self._pull
        return ctx

    def _run(self, operator: Any, ctx: dict[str, Any]) -> Any:
        if hasattr(operator, "deferrable"):
            operator.deferrable = self._deferred
        try:
            return self._on_a_worker(operator).execute(ctx)
        except TaskDeferred as deferred:
            event = asyncio.run(event_of(deferred.trigger))
            return getattr(self._on_a_worker(operator), deferred.method_name)(ctx, event=event)

    def _on_a_worker(self, operator: Any) -> Any:
        hook = AltcraftHook(operator.altcraft_conn_id)
        hook.client = AltcraftClient(hook.settings, sleep=lambda seconds: None)
        operator.hook = hook
        operator.sleep = lambda seconds: None
        # A property of Airflow's, which says it to a logger that cannot be listened to in all versions.
        self._monkeypatch.setattr(type(operator), "log", self._lines, raising=False)
        return operator

    @property
    def _instances(self) -> dict[int, Instance]:
        return self._tasks[self._task_id]

    def _show_removed(self, ctx: dict[str, Any]) -> None:
        """What Airflow says of task instances that the DAG does not have any more."""
        ctx["dag"] = SimpleNamespace(has_task=lambda task_id: task_id == self._task_id)
        removed = sorted(self._removed)
        if IS_AIRFLOW_3:
            states = {name if index < 0 else f"{name}_{index}": "removed" for name, index in removed}
            ctx["ti"].get_ti_count = lambda **which: len(states)
            ctx["ti"].get_task_states = lambda **which: {ctx["ti"].run_id: states}
        else:
            found = [SimpleNamespace(task_id=name, map_index=index) for name, index in removed]
            ctx["dag_run"].get_task_instances = lambda state: found

    def _pull(self, task_ids: str, key: str, map_indexes: int | None = None) -> Any:
        found = {
            index: instance.xcoms[key] for index, instance in self._tasks[task_ids].items() if key in instance.xcoms
        }
        return list(found.values()) if map_indexes is None else found.get(map_indexes)


class _Lines:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, line: str, *values: Any) -> None:
        self.said.append(line % values if values else line)

    warning = error = debug = info
