"""Promo codes of a loyalty programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_altcraft.api.endpoints import Endpoint, endpoint
from airflow_provider_altcraft.api.objects import identifier
from airflow_provider_altcraft.delivery.answers import BatchAnswer, read_counters, read_items
from airflow_provider_altcraft.delivery.destinations.base import Destination


@dataclass(slots=True)
class PromoCodes(Destination):
    """Promo codes of a loyalty programme (CONTRACT 11). Rows have one field, ``code``.

    :param loyalty_id: the programme.
    """

    template_fields: ClassVar[Sequence[str]] = ("loyalty_id",)

    id_param: ClassVar[str | None] = "loyalty_id"

    loyalty_id: int | str

    @property
    def endpoint(self) -> Endpoint:
        """``promocodes/import``."""
        return endpoint("promocodes/import")

    @property
    def params(self) -> dict[str, Any]:
        """The programme."""
        return {"loyalty_id": identifier("loyalty_id", self.loyalty_id)}

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The code."""
        return ("code",)

    @property
    def only_field(self) -> str | None:
        """The code."""
        return "code"

    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """Read an item for each code or, if there are none, the counters."""
        if isinstance(answer, list):
            return read_items(answer, sent, names_profiles=False)
        return read_counters(answer, sent, *_ACCEPTED)

    def accounts_for_rows(self, answer: Any, verdict: BatchAnswer) -> bool:
        """Whether there is an item for each row, or the counters add up to the number of rows."""
        counts = isinstance(answer, dict) and any(name in answer for name in _ACCEPTED)
        return (verdict.itemised or counts) and not verdict.unaccounted


_ACCEPTED = ("inserted", "duplicated")
"""Counters of accepted rows."""
