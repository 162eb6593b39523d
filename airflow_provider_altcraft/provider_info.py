"""The provider's metadata for Airflow. Standard library only: Airflow imports this at every start."""

from __future__ import annotations

from typing import Any

from airflow_provider_altcraft import __version__

_PACKAGE = "airflow_provider_altcraft"


def _field(label: str, description: str, kind: str = "string", **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **schema}}


CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "auth": _field(
        "Where the token is sent",
        "body (all editions of Altcraft) or header (newer ones); default body.",
        enum=["body", "header", None],
    ),
    "request_id_header": _field("Request-ID header", "X-Request-ID on older installations; default Request-ID."),
    "deduplication_window": _field(
        "Deduplication window",
        "Seconds for which Altcraft remembers a request; 0 = deduplication is off; default 86400.",
        "number",
    ),
    "deduplicates_launches": _field(
        "Deduplicates launches",
        "true if Altcraft remembers launches, too; default true with Request-ID, otherwise false.",
    ),
    "deployment": _field("Deployment", "Name of this Airflow, if several share one token; default none."),
    "record_path": _field("Record path", "Folder for records of launches, on Airflow before 3.3; default none."),
    "connect_timeout": _field("Connect timeout", "Seconds; default 10.", "number"),
    "read_timeout": _field("Read timeout", "Seconds to wait for an answer; default 120.", "number"),
    "max_attempts": _field("Maximum attempts", "Total attempts per call; default 5.", "integer"),
    "max_requests_per_second": _field(
        "Maximum requests per second", "Rate limit of one task; 0 = no limit; default 0.", "number"
    ),
    "max_body_bytes": _field("Maximum request size", "Bytes; default 10000000, Altcraft's own limit.", "integer"),
    "max_body_bytes_with_files": _field(
        "Maximum request size with files", "Bytes; default 100000000, Altcraft's own limit.", "integer"
    ),
    "max_answer_bytes": _field("Maximum answer size", "Bytes; default 64000000. Files may be larger.", "integer"),
    "download_token_in_url": _field(
        "Download token in URL", "true if an older edition requires it there; default false."
    ),
    "verify": _field("Verify certificates", "true, false, or the path of a CA bundle; default true."),
    "allow_http": _field("Allow plain HTTP", "true allows sending the token unencrypted; default false."),
    "task_success_statuses": _field(
        "Success statuses", "Statuses of a successful server-side task, separated by commas."
    ),
    "task_failure_statuses": _field("Failure statuses", "Statuses of a failed server-side task, separated by commas."),
}
"""The settings in ``extra``, described once for the connection forms of Airflow 2.11 and 3."""

HIDDEN_FIELDS = ["login"]
RELABELING = {"password": "API token", "schema": "Scheme"}
PLACEHOLDERS = {"host": "example.altcraft.com", "schema": "https", "port": "443"}


def get_provider_info() -> dict[str, Any]:
    """The provider as Airflow's ``provider_info.schema.json`` describes it."""
    modules = {
        "operators": ("mailings", "scenarios", "campaigns", "segments", "profiles", "goals", "files", "api"),
        "sensors": ("tasks", "mailings", "campaigns"),
        "hooks": ("altcraft",),
        "triggers": ("altcraft",),
    }
    return {
        "package-name": "airflow-provider-altcraft",
        "name": "Altcraft",
        "description": "Syncs warehouses into Altcraft, launches mailings once, runs campaigns to completion.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": "Altcraft",
                "external-doc-url": "https://guides.altcraft.com/en/developer-guide/",
                "tags": ["service"],
            }
        ],
        **{
            group: [
                {"integration-name": "Altcraft", "python-modules": [f"{_PACKAGE}.{group}.{name}" for name in names]}
            ]
            for group, names in modules.items()
        },
        "transfers": [
            {
                "source-integration-name": "SQL",
                "target-integration-name": "Altcraft",
                "python-module": f"{_PACKAGE}.transfers.sql_to_altcraft",
            },
            {
                "source-integration-name": "Altcraft",
                "target-integration-name": "Object Storage",
                "python-module": f"{_PACKAGE}.transfers.altcraft_to_object_storage",
            },
        ],
        "task-decorators": [
            {"name": "altcraft_import", "class-name": f"{_PACKAGE}.decorators.altcraft.altcraft_import_task"}
        ],
        "connection-types": [
            {
                "connection-type": "altcraft",
                "hook-class-name": f"{_PACKAGE}.hooks.altcraft.AltcraftHook",
                "hook-name": "Altcraft",
                "conn-fields": CONNECTION_FIELDS,
                "ui-field-behaviour": {
                    "hidden-fields": HIDDEN_FIELDS,
                    "relabeling": RELABELING,
                    "placeholders": PLACEHOLDERS,
                },
            }
        ],
    }
