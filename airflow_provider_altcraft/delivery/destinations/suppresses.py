"""Email addresses for a suppression list."""

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
    """Email addresses that must not get messages (CONTRACT 10). Rows have one field, ``email``.

    Altcraft answers only with counters and does not say which addresses it left out. If the counters of a batch do not
    account for all its rows, the task fails.

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
        """Read the counters: addresses imported, updated and already known are all on the list now."""
        return read_counters(answer, sent, *_ACCEPTED)

    def accounts_for_rows(self, answer: Any, verdict: BatchAnswer) -> bool:
        """Whether there is an item for each row, or the counters add up to the number of rows."""
        counts = isinstance(answer, dict) and any(name in answer for name in _ACCEPTED)
        return (verdict.itemised or counts) and not verdict.unaccounted


_ACCEPTED = ("total_imported", "total_updated", "total_duplicated")
"""Counters of accepted rows."""
