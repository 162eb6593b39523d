"""The context of a task, as far as operators look at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any


class Store(dict):
    """A task state store that lives in memory."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


def context(*, store: Store | None = None, **changes: Any) -> dict[str, Any]:
    """A task instance at its first try, with a store or without."""
    values = {"dag_id": "dag", "run_id": "run", "task_id": "task", "map_index": -1, "max_tries": 0, "try_number": 1}
    ti = SimpleNamespace(**{**values, "start_date": None, "xcoms": {}, **changes})
    ti.xcom_pull = lambda **which: []
    ti.xcom_push = lambda key, value: ti.xcoms.update({key: value})
    begun = datetime.now(UTC) - timedelta(hours=1)
    values = {"ti": ti, "dag_run": SimpleNamespace(run_after=begun, start_date=begun)}
    return values if store is None else {**values, "task_state_store": store}
