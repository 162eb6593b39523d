"""Reports and senders (CONTRACT 11)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import PAGE, Method, takes

METHODS: dict[str, Method] = {
    "reports/bounces": Method(
        takes(str="date_from date_to group_by", int="campaign_id top"),
        ("date_from", "date_to"),
        choices={"group_by": ("ip", "from_domain")},
    ),
    "senders/list": Method(PAGE),
    "vsenders/list": Method(PAGE, documented="partial"),
}
