"""Suppression lists."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method
from airflow_provider_altcraft.sandbox.world import is_email


@method("suppresses/email_add")
def add_email(act: Act) -> Body:
    """CONTRACT 10: the envelope alone."""
    act.world.suppression_list(act["id"]).add(act["email"])
    return {}


@method("suppresses/emails_add")
def add_emails(act: Act) -> Body:
    """CONTRACT 10. What is no address is in the total and in no other number: no item could say so."""
    suppression_list = act.world.suppression_list(act["id"])
    added = [suppression_list.add(email) for email in act["emails"] if is_email(email)]
    return {
        "total_count": len(act["emails"]),
        "total_imported": added.count(True),
        "total_updated": 0,
        "total_duplicated": added.count(False),
    }
