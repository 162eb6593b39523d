"""Databases, resources and segments."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.groups import LIST
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

DATABASE = "id/db_id: int!"
SEGMENT = "id/segment_id: int!"
FEEDBACK = "feedback: object (type and url of a call-back with the numbers)"
STATIC_LIST = "list_id/db_id: int (for static)"

# fmt: off
ROWS = (
    row("databases/list", READ, FULL, "Get database list", LIST, page="developer-guide/databases/2195563"),
    row("databases/get", READ, FULL, "Get database information", DATABASE, page="developer-guide/databases/2195565"),
    # Its page is not available; the id is assumed to be as for databases/get.
    row("databases/fields_get", READ, PATH_ONLY, "Get database fields", "id/db_id: int"),
    row("databases/refresh_counters", CREATE, PARTIAL, "Update statistics on database",
        DATABASE, "resource_id: int!", FEEDBACK,
        task="not seen", page="developer-guide/databases/refresh-counters"),
    row("databases/wipe", IRREVERSIBLE, FULL, "Database wipe",
        DATABASE,
        page="developer-guide/databases/2195815", note="Works only where the installation sets ALLOW_DATA_WIPE."),

    row("resources/list", READ, PATH_ONLY, "Get resources list"),
    row("resources/get", READ, PATH_ONLY, "Get resource information"),
    row("resources/fields_get", READ, PATH_ONLY, "Get resource subscription fields"),
    row("resources/refresh_counters", CREATE, PARTIAL, "Update statistics on resource",
        "id/resource_id: int!; list_id/db_id: int!", FEEDBACK,
        task="not seen", page="developer-guide/resources/refresh-counters"),

    row("segments/list", READ, PARTIAL, "Get segments list", LIST, page="developer-guide/segments/2195600"),
    row("segments/get", READ, PATH_ONLY, "Get segment information"),
    row("segments/add", CREATE, FULL, "Create segment",
        "name: str!; segment: array (for dynamic and refreshed); is_static: bool; is_refresh_daily: bool", STATIC_LIST,
        page="developer-guide/segments/2195594"),
    row("segments/update", IDEMPOTENT_WRITE, PARTIAL, "Update segment",
        SEGMENT, "name: str!; segment: array!", STATIC_LIST,
        page="developer-guide/segments/2195596"),
    row("segments/delete", UNKNOWN, PATH_ONLY, "Delete segment"),
    # The database is db_id here and list_id below (CONTRACT 9).
    row("segments/refresh_counters", CREATE, FULL, "Refresh segment subscription statistics",
        SEGMENT, "resource_id: int!; db_id/list_id: int (for dynamic)",
        task="data.task_id", page="developer-guide/segments/refresh-counters"),
    row("segments/get_counters", READ, FULL, "Get profile subscription statistics for a segment",
        SEGMENT, "resource_id: int!; list_id/db_id: int (for dynamic)",
        page="developer-guide/segments/get-counters"),
    row("profiles/segstatic/add", UNKNOWN, PATH_ONLY, "Add profile to a static segment"),
    row("profiles/segstatic/remove", UNKNOWN, PATH_ONLY, "Remove profile from a static segment"),
    row("profiles/segstatic/list", READ, PATH_ONLY, "Get profile data in a static segment"),
)
