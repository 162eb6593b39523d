"""A shop's orders, products and SKUs."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.groups import SKIP_TRIGGERS
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

# fmt: off
ROWS = (
    # It is not documented whether a repeat finds the order again by its external_id.
    row("market/orders/import", CREATE, PARTIAL, "Import order and item statuses",
        "data: object[]!; custom_fields: array; custom_line_statuses: array", SKIP_TRIGGERS,
        payload="result", items="data", page="developer-guide/market/orders/56249746", note="Needs market roles."),
    row("market/orders/get_status", READ, FULL, "Get order status",
        "id/order_id: int (this or external_id); external_id: str (this or id)",
        payload="result", page="developer-guide/market/orders/get-status"),
    row("market/orders/list", READ, PATH_ONLY, "Get orders list"),
    row("market/orders/delete", UNKNOWN, PATH_ONLY, "Delete order"),
    row("market/orders/update_order_line_status", UNKNOWN, PATH_ONLY, "Update order line status"),
    row("market/orders/preorder", UNKNOWN, PATH_ONLY, "Preorder"),
    row("market/orders/preorder_commit", UNKNOWN, PATH_ONLY, "Confirm order"),
    row("market/products/import", UNKNOWN, PATH_ONLY, "Import products, SKUs and categories"),
    row("market/products/list", READ, PATH_ONLY, "Get products list"),
    row("market/sku/import", UNKNOWN, PATH_ONLY, "Import SKUs and categories"),
    row("market/sku/list", READ, PATH_ONLY, "Get SKUs list"),
)
