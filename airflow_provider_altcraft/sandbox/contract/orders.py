"""Orders of the market (CONTRACT 11)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import Method, takes

METHODS: dict[str, Method] = {
    "market/orders/import": Method(
        takes(list="data custom_fields custom_line_statuses", bool="skip_triggers"),
        ("data",),
        changes=True,
        documented="partial",
    ),
    "market/orders/get_status": Method(takes(int="id", str="external_id")),
}
