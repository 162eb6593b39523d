"""Tasks: asked about, and made by imports."""

from __future__ import annotations

from uuid import UUID

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method
from airflow_provider_altcraft.sandbox.world import Task


@method("tasks/status")
def task_status(act: Act) -> Body:
    """CONTRACT 2.1."""
    task = act.world.tasks.get(act["task_id"])
    if task is None:
        raise Refused(404, "task not found", "Not found")
    progress, words = task.progress(act.now), act.behaviour.task_words
    if progress < 100:
        return {"data": {"status": words.running if progress else words.waiting, "progress": progress, "result": None}}
    return {"data": {"status": words.failed if task.fails else words.succeeded, "progress": 100, "result": task.result}}


def start_task(act: Act, answers: list[Body]) -> Body:
    """A task for what was imported (CONTRACT 1.10, 2.1)."""
    behaviour, tasks = act.behaviour, act.world.tasks
    task_id = behaviour.task_id_prefix + str(UUID(int=(len(tasks) + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
    shown = [item if item["error"] else {"profile_id": item["profile_id"]} for item in answers]
    result: Body = {"error": 0, "error_text": ""}
    if behaviour.tasks_fail:
        result = {"error": 500, "error_text": "The task failed"}
    elif behaviour.result_of_batches == "itemised":
        result["result"] = shown
    seconds = behaviour.task_seconds + len(answers) * behaviour.task_seconds_per_item
    tasks[task_id] = Task(task_id, act.now, seconds, result, behaviour.tasks_fail)
    return {"task_id": task_id} if behaviour.task_id_position == "top" else {"data": {"task_id": task_id}}
