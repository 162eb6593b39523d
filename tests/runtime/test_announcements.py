"""Which tasks of a DAG run its DAG does not have any more, as Airflow 3 and Airflow 2 tell it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_provider_altcraft.runtime.compatibility import removed_tasks
from tests.contexts import context


def airflow_3(ctx, instances):
    states = {name if index < 0 else f"{name}_{index}": state for name, index, state in instances}
    removed = [state for state in states.values() if state == "removed"]
    ctx["ti"].get_ti_count = lambda **which: len(removed)
    ctx["ti"].get_task_states = lambda **which: {ctx["ti"].run_id: states}


def airflow_2(ctx, instances):
    removed = [SimpleNamespace(task_id=name, map_index=index) for name, index, state in instances if state == "removed"]
    ctx["dag_run"].get_task_instances = lambda state: removed


@pytest.mark.parametrize("told_by", [airflow_3, airflow_2])
@pytest.mark.parametrize(
    ("instances", "map_index", "found"),
    [
        pytest.param([("task", -1, "running"), ("done", -1, "success")], -1, False, id="none"),
        pytest.param([("task", -1, "running"), ("old", -1, "removed")], -1, "old", id="renamed"),
        pytest.param([("task", -1, "running"), ("old", 0, "removed"), ("old", 1, "removed")], -1, "old", id="mapped"),
        pytest.param([("task", -1, "running"), ("old_2", -1, "removed")], -1, "old_2", id="ends like an index"),
        pytest.param([("task", 0, "running"), ("task", 1, "removed")], 0, False, id="its own list is shorter"),
        pytest.param([("task", -1, "running"), ("done", 1, "removed")], -1, False, id="another list is shorter"),
        pytest.param([("task", 0, "running"), ("task", -1, "removed")], 0, "task", id="mapped since"),
        pytest.param([("task", -1, "running"), ("task", 0, "removed")], -1, "task", id="mapped no more"),
    ],
)
def test_removed_tasks(told_by, instances, map_index, found):
    ctx = context(map_index=map_index)
    ctx["dag"] = SimpleNamespace(has_task=lambda name: name in ("task", "done"))
    told_by(ctx, instances)
    assert (found in removed_tasks(ctx)) if found else not removed_tasks(ctx)


def test_removed_tasks_where_airflow_tells_none():
    assert removed_tasks(context()) == set()
