"""Promo codes and points (CONTRACT 11)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import MATCH, MATCHING_FOUR, Method, takes

METHODS: dict[str, Method] = {
    "promocodes/import": Method(takes(int="loyalty_id", strings="codes"), ("codes", "loyalty_id"), changes=True),
    "promocodes/export_all": Method(takes(int="loyalty_id"), ("loyalty_id",)),
    "promocodes/attach": Method(
        {**MATCH, **takes(int="db_id loyalty_id", str="code")},
        ("db_id",),
        changes=True,
        documented="partial",
        choices={"matching": MATCHING_FOUR},
    ),
    "loyalty/transactions_export": Method(
        takes(int="loyalty_program_id points_currency_iid", str="points_currency_eid from_id date_from date_to"),
        ("loyalty_program_id", "date_from", "date_to"),
        changes=True,
        checksum=False,
    ),
}
