"""Addresses for a suppression list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_altcraft.api.endpoints import Endpoint, endpoint
from airflow_provider_altcraft.api.objects import identifier
from airflow_provider_altcraft.delivery.answers import BatchAnswer, read_counters
from airflow_provider_altcraft.delivery.destinations.base import Destination


@dataclass(slots=True)
class SuppressionList(Destination):
    """E-mail addresses that must not be written to (CONTRACT 10). Rows have one field, ``email``.

    Altcraft answers with counters only: it does not say which addresses it left out. A batch whose counters leave rows
    open fails the task.

    :param suppress_id: the list.
    """

    template_fields: ClassVar[Sequence[str]] = ("suppress_id",)

    id_param: ClassVar[str | None] = "id"

    suppress_id: int | str

    @property
    def endpoint(self) -> Endpoint:
        """``suppresses/emails_add``."""
        return endpoint("suppresses/emails_add")

    @property
    def params(self) -> dict[str, Any]:
        """The list."""
        return {"id": identifier("suppress_id", self.suppress_id)}

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The address."""
        return ("email",)

    @property
    def only_field(self) -> str | None:
        """The address."""
        return "email"

    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """The counters: imported, updated and known before are all on the list now."""
        return read_counters(answer, sent, *_TAKEN)

    def accounts_for_rows(self, answer: Any, verdict: BatchAnswer) -> bool:
        """Counters of which the sum is that of the rows do, too."""
        counts = isinstance(answer, dict) and any(name in answer for name in _TAKEN)
        return (verdict.itemised or counts) and not verdict.unaccounted


_TAKEN = ("total_imported", "total_updated", "total_duplicated")
"""Counters of rows that were taken."""
