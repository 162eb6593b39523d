"""Suppression lists (CONTRACT 10)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import Method, takes

METHODS: dict[str, Method] = {
    "suppresses/email_add": Method(takes(int="id", str="email"), ("id", "email"), changes=True),
    "suppresses/emails_add": Method(takes(int="id", strings="emails"), ("id", "emails"), changes=True),
    "suppresses/export": Method(
        takes(int="id", str="type"),
        ("id",),
        changes=True,
        checksum=False,
        choices={"type": ("emails", "phones", "domains", "all")},
    ),
}
