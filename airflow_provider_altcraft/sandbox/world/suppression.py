"""Suppression lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.world.databases import is_email


@dataclass(slots=True)
class SuppressionList:
    """E-mail addresses, phone numbers and domains that get no mail. No emulated method adds the latter two."""

    list_id: int
    name: str
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)

    def add(self, email: str) -> bool:
        """Add an address, and return whether it was new.

        :raises Refused: for an invalid address.
        """
        if not is_email(email):
            raise Refused(400, text="Invalid email")
        new = email not in self.emails
        self.emails.add(email)
        return new

    def values(self, kind: str) -> list[str]:
        """Its entries: ``emails``, ``phones``, ``domains`` or ``all``."""
        shown = {"emails": self.emails, "phones": self.phones, "domains": self.domains}
        return sorted(set().union(*shown.values()) if kind == "all" else shown[kind])
