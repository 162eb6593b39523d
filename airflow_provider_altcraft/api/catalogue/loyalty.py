"""Promo codes and loyalty programmes."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

PROGRAMME = "loyalty_id: int!"
POINTS = (
    "loyalty_program_id: int!; points_currency_eid: str (this or the iid); points_currency_iid: int (this or the eid);"
    " from_id: uuid"
)

# fmt: off
ROWS = (
    # A repeat is counted as duplicated.
    row("promocodes/import", IDEMPOTENT_WRITE, FULL, "Import promo codes",
        "codes: str[]!", PROGRAMME,
        items="codes", page="developer-guide/promocodes/2195573"),
    row("promocodes/export_all", READ, FULL, "Get all promo codes",
        PROGRAMME, page="developer-guide/promocodes/3113099"),
    row("promocodes/get", READ, PATH_ONLY, "Get promo code information"),
    row("promocodes/activate", UNKNOWN, PATH_ONLY, "Activate promo code"),
    row("promocodes/update", UNKNOWN, PATH_ONLY, "Update promo code"),
    row("promocodes/attach", CREATE, PARTIAL, "Attach promo code",
        "code: str (the next free one without it); db_id/list_id: int!; email: str",
        page="developer-guide/promocodes/2195581"),
    row("promocodes/detach", UNKNOWN, PATH_ONLY, "Detach promo code"),

    row("loyalty/account/balance", READ, PATH_ONLY, "Get points balance"),
    row("loyalty/account/transactions", READ, PARTIAL, "Get profile account transactions",
        POINTS, page="developer-guide/loyalty/transactions-list"),
    row("loyalty/account/expiring_points", READ, PATH_ONLY, "Get expiring points for a period"),
    row("loyalty/account/tiers", READ, PATH_ONLY, "Get profile loyalty tier"),
    row("loyalty/accrue_points", UNKNOWN, PATH_ONLY, "Accrue points to member"),
    row("loyalty/redeeme_points", UNKNOWN, PATH_ONLY, "Redeem member points"),
    row("loyalty/cancel_transaction", UNKNOWN, PATH_ONLY, "Cancel points transaction"),
    row("loyalty/commit_transaction", UNKNOWN, PATH_ONLY, "Confirm temporary transaction"),
    row("loyalty/rollback_transaction", UNKNOWN, PATH_ONLY, "Cancel temporary transaction"),
    row("loyalty/transactions_export", CREATE, FULL, "Export points transactions",
        POINTS, "date_from: datetime!; date_to: datetime!",
        task="data.task_id", page="developer-guide/loyalty/transactions-export"),
    row("loyalty/register_member", UNKNOWN, PATH_ONLY, "Register member in loyalty program"),
    row("loyalty/delete_member", UNKNOWN, PATH_ONLY, "Delete member from loyalty program"),
    row("loyalty/trigger_promotions", READ, PATH_ONLY, "Get trigger promotions list"),
)
