"""Server-side tasks, uploads and downloads."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, ResponseKind, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

# fmt: off
ROWS = (
    row("tasks/status", READ, FULL, "Task status",
        "task_id/altcraft_task_id: str!",
        page="developer-guide/automation-scenarios/33063493"),
    row("download/{file}", READ, PARTIAL, "Download of an export file",
        "file: str! (the path that the result of the task names)",
        answer=ResponseKind.FILE, page="developer-guide/profiles/3115796"),
    row("file_upload", CREATE, FULL, "Upload file",
        "header: str! (file name); data: str! (data URI, base64)",
        page="developer-guide/miscellaneous/2195777"),
)
