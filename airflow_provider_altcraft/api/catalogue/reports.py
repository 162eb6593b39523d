"""Reports, and queries to external data tables."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

# fmt: off
ROWS = (
    row("reports/summary", READ, PATH_ONLY, "Get summary report"),
    row("reports/bounces", READ, FULL, "Get soft bounces report",
        "date_from: date!; date_to: date!; campaign_id: int; group_by: ip|from_domain; top: int",
        page="developer-guide/analytic-reports/2195748"),
    row("reports/undelivered", READ, PATH_ONLY, "Get undeliveries report"),

    row("datatables/query_segments/add", UNKNOWN, PATH_ONLY, "Add segmentation query"),
    row("datatables/query_segments/update", UNKNOWN, PATH_ONLY, "Update segmentation query"),
    row("datatables/query_segments/delete", UNKNOWN, PATH_ONLY, "Delete segmentation query"),
    row("datatables/query_segments/list", READ, PATH_ONLY, "Get segmentation queries list"),
    row("datatables/query_segments/get", READ, PATH_ONLY, "Get segmentation query info"),
    row("datatables/query_templates/add", UNKNOWN, PATH_ONLY, "Add templates query"),
    row("datatables/query_templates/update", UNKNOWN, PATH_ONLY, "Update templates query"),
    row("datatables/query_templates/delete", UNKNOWN, PATH_ONLY, "Delete templates query"),
    row("datatables/query_templates/list", READ, PATH_ONLY, "Get templates queries list"),
    row("datatables/query_templates/get", READ, PATH_ONLY, "Get templates query info"),
)
