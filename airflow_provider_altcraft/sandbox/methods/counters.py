"""Statistics of subscriptions: counted by a task, and read."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method
from airflow_provider_altcraft.sandbox.methods.tasks import make_task, task_answer
from airflow_provider_altcraft.sandbox.world import Task
from airflow_provider_altcraft.sandbox.world.counters import counters


@method("databases/refresh_counters", "resources/refresh_counters")
def refresh_counters(call: ApiCall) -> Body:
    """CONTRACT 9. The result of its task is that of a segment's; ``feedback`` is never called."""
    of_database = call.name.startswith("databases")
    db = call.world.database(call["id"] if of_database else call["list_id"])
    resource = call.world.resource(call["resource_id"] if of_database else call["id"])
    feedback = call["feedback"]
    if feedback is not None and set(feedback) != {"type", "url"}:
        raise Refused(400, "feedback must have a type and a url")
    task = _count(call, db.profiles, db.db_id, resource.resource_id)
    return task_answer(call, task)


@method("segments/refresh_counters")
def refresh_segment(call: ApiCall) -> Body:
    """CONTRACT 9: a dynamic segment is counted in a database, here ``db_id``."""
    segment = call.world.segment(call["id"])
    resource = call.world.resource(call["resource_id"])
    profiles = call.world.of_segment(segment, call["db_id"])
    db_id = segment.db_id if segment.db_id is not None else call["db_id"]
    task = _count(call, profiles, db_id, resource.resource_id)
    call.world.counted.setdefault((segment.segment_id, resource.resource_id, db_id), []).append(task)
    return task_answer(call, task, "data")


@method("segments/get_counters")
def segment_counters(call: ApiCall) -> Body:
    """CONTRACT 9: the counts of the last task that has ended; the database of a dynamic segment is ``list_id`` here."""
    segment = call.world.segment(call["id"])
    resource = call.world.resource(call["resource_id"])
    db_id = segment.db_id if segment.db_id is not None else call["list_id"]
    if db_id is None:
        raise Refused(400, "missing parameter: list_id")
    tasks = call.world.counted.get((segment.segment_id, resource.resource_id, db_id), [])
    counted = [task for task in tasks if not task.fails and task.progress(call.now) == 100]
    return {"data": counted[-1].result[0]["channels"] if counted else []}


def _count(call: ApiCall, profiles: dict[str, dict[str, Any]], db_id: int, resource_id: int) -> Task:
    task = make_task(call, None, len(profiles))
    task.result = [
        {
            "channels": [] if task.fails else counters(profiles.values(), resource_id),
            "in_progress": False,
            "list_id": db_id,
            "refresh_task_id": task.task_id,
            "resource_id": resource_id,
            "updated": call.now.isoformat(),
        }
    ]
    return task
