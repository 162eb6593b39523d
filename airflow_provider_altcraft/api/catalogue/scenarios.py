"""Scenarios. The paths say ``workflows``."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.groups import (
    IMPORTING,
    LIST,
    MESSAGE,
    PLAIN_MATCHING,
    RESOURCE,
    SCENARIO_IMPORT_MATCHING,
    SCENARIO_PLAIN_MATCHING,
)
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

# workflow_id works for all methods: the API calls it id in some and workflow_id in others (CONTRACT 14.4).
SCENARIO = "id/workflow_id: int!"
WORKFLOW_ID = "workflow_id/id: int!"

# fmt: off
ROWS = (
    row("workflows/list", READ, FULL, "Get scenarios list",
        LIST, "attributes: object",
        page="developer-guide/automation-scenarios/95715617"),
    row("workflows/activate", IDEMPOTENT_WRITE, FULL, "Activate scenario",
        SCENARIO, "skip_profiles: bool (clears it of profiles before it is switched on again)",
        page="developer-guide/automation-scenarios/activate-workflow"),
    # Only mentioned in the documentation's navigation; the path is modelled on workflows/activate.
    row("workflows/deactivate", UNKNOWN, PATH_ONLY, "Deactivate scenario"),
    row("workflows/start", LAUNCH, PARTIAL, "Engage profile in scenario",
        SCENARIO, PLAIN_MATCHING, RESOURCE, "custom_request: object (instead of matching)",
        "subscription_filter: object", MESSAGE,
        page="developer-guide/automation-scenarios/2195668", note="The scenario must be active."),
    row("workflows/import_and_start", LAUNCH, PARTIAL, "Import and engage profile in scenario",
        WORKFLOW_ID, SCENARIO_PLAIN_MATCHING, "data: object; db_id/list_id: int (seen in the example)", IMPORTING,
        MESSAGE,
        page="developer-guide/automation-scenarios/28934227"),
    row("workflows/import_and_start_batch", LAUNCH, PARTIAL, "Batch import and engage profiles in a scenario",
        WORKFLOW_ID, SCENARIO_IMPORT_MATCHING, "data: object[]", IMPORTING, MESSAGE,
        items="data", wrapped=True, page="developer-guide/automation-scenarios/33063492"),
    row("workflows/import_and_start_batch_task", LAUNCH, FULL,
        "Task for batch import and engaging profiles in the scenario",
        WORKFLOW_ID, SCENARIO_IMPORT_MATCHING, "data: object[]", IMPORTING, MESSAGE,
        items="data", wrapped=True, task="task_id", page="developer-guide/automation-scenarios/33063493"),
)
