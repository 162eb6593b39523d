"""The catalogue: one row per endpoint of Altcraft's HTTP API.

To add an endpoint, add a row to one of the tables in ``api.catalogue``. Everything else (checking, sending, retrying,
paging, ``docs/endpoints.md``) is driven by the row.
"""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue import (
    campaigns,
    databases,
    loyalty,
    mailings,
    market,
    profiles,
    reports,
    scenarios,
    suppresses,
    tasks,
)
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, Endpoint, Parameter, ResponseKind
from airflow_provider_altcraft.api.suggestion import suggestion
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

__all__ = ["AREAS", "ENDPOINTS", "Documented", "Effect", "Endpoint", "Parameter", "ResponseKind", "endpoint"]

AREAS: dict[str, tuple[Endpoint, ...]] = {
    "Profiles": profiles.ROWS,
    "Databases, resources and segments": databases.ROWS,
    "Suppression lists": suppresses.ROWS,
    "Mailings": mailings.ROWS,
    "Campaigns": campaigns.ROWS,
    "Scenarios": scenarios.ROWS,
    "Promo codes and loyalty": loyalty.ROWS,
    "Market": market.ROWS,
    "Reports and data tables": reports.ROWS,
    "Tasks and files": tasks.ROWS,
}
"""The tables, by area."""

ENDPOINTS: dict[str, Endpoint] = {row.name: row for rows in AREAS.values() for row in rows}
"""Every endpoint, by name."""


def endpoint(name: str) -> Endpoint:
    """Look up an endpoint by name; leading and trailing slashes are ignored.

    :raises AltcraftConfigurationError: for an unknown name, suggesting the closest known one.
    """
    row = ENDPOINTS.get(name.strip("/"))
    if row is None:
        hint = suggestion(name.strip("/"), ENDPOINTS)
        raise AltcraftConfigurationError(f"There is no Altcraft endpoint {name!r} in the catalogue.{hint}")
    return row
