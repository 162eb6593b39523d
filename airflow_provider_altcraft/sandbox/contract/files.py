"""Tasks, the files they write, and uploaded files (CONTRACT 2, 8.5, 11)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import Method, takes

METHODS: dict[str, Method] = {
    "tasks/status": Method(takes(str="task_id"), ("task_id",)),
    "download": Method(takes(str="file"), ("file",), documented="partial"),
    "file_upload": Method(takes(str="header data"), ("header", "data"), changes=True),
}
