"""Suppression lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.world.databases import is_email


@dataclass(slots=True)
class SuppressionList:
    """E-mail addresses, phone numbers and domains that get no mail. No method that is emulated adds the latter two."""

    list_id: int
    name: str
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)

    def add(self, email: str) -> bool:
        """Put an address on the list; whether it is new there.

        :raises Refused: for what is no address.
        """
        if not is_email(email):
            raise Refused(400, text="Invalid email")
        new = email not in self.emails
        self.emails.add(email)
        return new

    def values(self, kind: str) -> list[str]:
        """What is on it: ``emails``, ``phones``, ``domains`` or ``all``."""
        shown = {"emails": self.emails, "phones": self.phones, "domains": self.domains}
        return sorted(set().union(*shown.values()) if kind == "all" else shown[kind])
