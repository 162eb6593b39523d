"""A shop's orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_altcraft.api.endpoints import Endpoint, endpoint
from airflow_provider_altcraft.delivery.answers import BatchAnswer, read_items
from airflow_provider_altcraft.delivery.destinations.base import Destination


@dataclass(slots=True)
class Orders(Destination):
    """Orders with their lines (CONTRACT 11).

    The matching and its value are fields of each order: map columns to ``matching``, ``email`` and so on, or set them
    with ``constants``. Prices are strings, as ``Decimal`` columns are encoded. ``lines`` is a list: a JSON column, or
    built by a ``row_processor``.

    :param skip_triggers: do not fire triggers and scenarios.
    :param custom_fields: definitions of custom fields, sent with each batch.
    :param custom_line_statuses: definitions of custom line statuses, sent with each batch.
    """

    template_fields: ClassVar[Sequence[str]] = ("custom_fields", "custom_line_statuses")

    skip_triggers: bool | None = None
    custom_fields: Sequence[Mapping[str, Any]] | None = None
    custom_line_statuses: Sequence[Mapping[str, Any]] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """``market/orders/import``."""
        return endpoint("market/orders/import")

    @property
    def params(self) -> dict[str, Any]:
        """The parameters shared by all orders."""
        return {
            "skip_triggers": self.skip_triggers,
            "custom_fields": self.custom_fields,
            "custom_line_statuses": self.custom_line_statuses,
        }

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The shop's own order number."""
        return ("external_id",)

    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """Read an item for each order, if Altcraft gives any: the format of its answer is not documented."""
        return read_items(answer, sent, names_profiles=False)
