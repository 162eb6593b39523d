"""Suppression lists: addresses, domains and phone numbers that must not get messages."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

SUPPRESSION_LIST = "id/suppress_id: int!"

# fmt: off
ROWS = (
    row("suppresses/add", UNKNOWN, PATH_ONLY, "Create suppression list"),
    row("suppresses/update", UNKNOWN, PATH_ONLY, "Update suppression list"),
    row("suppresses/get", READ, PATH_ONLY, "Get suppression list info"),
    row("suppresses/list", READ, PATH_ONLY, "Get the list of suppression lists"),
    row("suppresses/delete", UNKNOWN, PATH_ONLY, "Delete suppression list"),
    row("suppresses/export", CREATE, FULL, "Upload suppression list data to file",
        SUPPRESSION_LIST, "type: emails|phones|domains|all = all",
        task="data.task_id", page="developer-guide/suppression-lists/76809125"),

    row("suppresses/email_check", READ, PATH_ONLY, "Check if email is suppressed"),
    row("suppresses/email_add", UNKNOWN, FULL, "Add email to suppression list",
        SUPPRESSION_LIST, "email: str!",
        page="developer-guide/suppression-lists/suppression-list-actions/2195625"),
    # A repeat is counted as duplicated.
    row("suppresses/emails_add", IDEMPOTENT_WRITE, FULL, "Add multiple emails to suppression list",
        SUPPRESSION_LIST, "emails: str[]!",
        items="emails", page="developer-guide/suppression-lists/suppression-list-actions/2195627"),
    row("suppresses/email_remove", UNKNOWN, PATH_ONLY, "Remove email from suppression list"),
    row("suppresses/emails_remove", UNKNOWN, PATH_ONLY, "Remove all emails from suppression list"),

    row("suppresses/domain_check", READ, PATH_ONLY, "Check if domain is suppressed"),
    row("suppresses/domain_add", UNKNOWN, PATH_ONLY, "Add domain to suppression list"),
    row("suppresses/domains_add", UNKNOWN, PATH_ONLY, "Add multiple domains to suppression list"),
    row("suppresses/domain_remove", UNKNOWN, PATH_ONLY, "Remove domain from suppression list"),
    row("suppresses/domains_remove", UNKNOWN, PATH_ONLY, "Remove all domains from suppression list"),

    row("suppresses/phone_check", READ, PATH_ONLY, "Check if phone number is suppressed"),
    row("suppresses/phone_add", UNKNOWN, PATH_ONLY, "Add phone number to suppression list"),
    row("suppresses/phones_add", UNKNOWN, PATH_ONLY, "Add multiple phones to suppression list"),
    row("suppresses/phone_remove", UNKNOWN, PATH_ONLY, "Remove phone number from suppression list"),
    row("suppresses/phones_remove", UNKNOWN, PATH_ONLY, "Remove all phone numbers from suppression list"),
)
