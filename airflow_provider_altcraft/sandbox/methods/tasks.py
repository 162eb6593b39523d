"""Tasks: their status, and how other methods start them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method
from airflow_provider_altcraft.sandbox.world import Task


@method("tasks/status")
def task_status(call: ApiCall) -> Body:
    """CONTRACT 2.1."""
    task = call.world.tasks.get(call["task_id"])
    if task is None:
        raise Refused(404, "task not found", "Not found")
    progress, words = task.progress(call.now), call.behaviour.task_words
    if progress < 100:
        return {"data": {"status": words.running if progress else words.waiting, "progress": progress, "result": None}}
    return {"data": {"status": words.failed if task.fails else words.succeeded, "progress": 100, "result": task.result}}


def start_task(call: ApiCall, answers: list[Body]) -> Body:
    """Start a task for what was imported (CONTRACT 1.10, 2.1)."""
    shown = [item if item["error"] else {"profile_id": item.get("profile_id")} for item in answers]
    result: Body = {"error": 0, "error_text": ""}
    if call.behaviour.tasks_fail:
        result = {"error": 500, "error_text": "The task failed"}
    elif call.behaviour.result_of_batches == "itemised":
        result["result"] = shown
    return task_answer(call, make_task(call, result, len(answers)))


def make_task(call: ApiCall, result: Any, items: int) -> Task:
    """Add a task that works on this many items."""
    behaviour, tasks = call.behaviour, call.world.tasks
    task_id = behaviour.task_id_prefix + str(UUID(int=(len(tasks) + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
    seconds = behaviour.task_seconds + items * behaviour.task_seconds_per_item
    task = tasks[task_id] = Task(task_id, call.now, seconds, result, behaviour.tasks_fail)
    return task


def task_answer(call: ApiCall, task: Task, position: Literal["top", "data"] | None = None) -> Body:
    """The id of a task, where it is documented to be, else where the behaviour puts it (CONTRACT 1.10)."""
    at_top = (position or call.behaviour.task_id_position) == "top"
    return {"task_id": task.task_id} if at_top else {"data": {"task_id": task.task_id}}
