"""Suppression lists."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method
from airflow_provider_altcraft.sandbox.world import is_email


@method("suppresses/email_add")
def add_email(call: ApiCall) -> Body:
    """CONTRACT 10: the envelope alone."""
    call.world.suppression_list(call["id"]).add(call["email"])
    return {}


@method("suppresses/emails_add")
def add_emails(call: ApiCall) -> Body:
    """CONTRACT 10. An invalid address counts in the total alone: the answer has no items that could name it."""
    suppression_list = call.world.suppression_list(call["id"])
    added = [suppression_list.add(email) for email in call["emails"] if is_email(email)]
    return {
        "total_count": len(call["emails"]),
        "total_imported": added.count(True),
        "total_updated": 0,
        "total_duplicated": added.count(False),
    }
