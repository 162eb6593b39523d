"""Campaigns and scenarios (CONTRACT 3, 4)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import (
    ID,
    IMPORT,
    LIST,
    MATCH,
    MATCHING_FIVE,
    MATCHING_FOUR,
    MESSAGE,
    Documented,
    Method,
    takes,
)

STATES = ("cloning", "inactive", "waiting", "active", "completed", "deleted")


def _import_and_start(own: dict[str, str], matching: tuple[str, ...], documented: Documented = "partial") -> Method:
    parameters, choices = {**IMPORT, **MESSAGE, **takes(int="workflow_id"), **own}, {"matching": matching}
    return Method(parameters, ("workflow_id", "matching"), changes=True, documented=documented, choices=choices)


METHODS: dict[str, Method] = {
    "scampaigns/list": Method({**LIST, "state": "str"}, choices={"state": STATES}),
    "scampaigns/get": Method(takes(int="id", bool="marketing_activities"), ("id",), documented="partial"),
    "scampaigns/get_status": Method(ID, ("id",)),
    "scampaigns/activate": Method(
        takes(int="id", str="activate_date start_date deactivate_date completed_date"), ("id",), changes=True
    ),
    "scampaigns/deactivate": Method(ID, ("id",), changes=True),
    "scampaigns/completed": Method(ID, ("id",), changes=True),
    "workflows/list": Method(LIST),
    "workflows/activate": Method(takes(int="id", bool="skip_profiles"), ("id",), changes=True),
    "workflows/deactivate": Method(ID, ("id",), changes=True, documented="path-only"),
    "workflows/start": Method(
        {**ID, **MATCH, **MESSAGE, **takes(int="resource_id", dict="custom_request subscription_filter")},
        ("id",),
        changes=True,
        documented="partial",
        choices={"matching": MATCHING_FOUR},
    ),
    "workflows/import_and_start": _import_and_start(takes(int="db_id", dict="data"), MATCHING_FOUR),
    "workflows/import_and_start_batch": _import_and_start(takes(list="data"), MATCHING_FIVE),
    "workflows/import_and_start_batch_task": _import_and_start(takes(list="data"), MATCHING_FIVE, "full"),
}
