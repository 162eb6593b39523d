"""The catalogue: one row per endpoint of Altcraft's HTTP API.

Adding an endpoint is adding a row. Everything else (sending, retrying, paging, checking) reads the row.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


class Effect(Enum):
    """What a call changes, and so how carefully it is repeated (CONTRACT 13)."""

    READ = "read"
    """Changes nothing: repeated freely."""
    WRITE = "write"
    """Brings data into a state that a repeat would not change: repeated under a Request-ID."""
    CREATE = "create"
    """Makes another object at every call: goes through the launch protocol."""
    LAUNCH = "launch"
    """Sends messages, which cannot be taken back: goes through the launch protocol."""
    IRREVERSIBLE = "irreversible"
    """Cannot be undone by any other call."""

    @property
    def converges(self) -> bool:
        """Whether doing it twice ends where doing it once does."""
        return self not in (Effect.CREATE, Effect.LAUNCH)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of the API.

    :param name: what users write: the path without ``/api/v1.1/``.
    :param effect: what it changes.
    :param payload: the field of the answer that holds the result (CONTRACT 1.3): ``data``, ``result`` or
        ``profile_id``; an answer without it is its own payload.
    :param items: the field of the request that holds the batch, for methods that take one.
    :param wrapped: whether an item of the batch is written ``{"data": {...}}`` (CONTRACT 14.6).
    """

    name: str
    effect: Effect
    payload: str = "data"
    items: str | None = None
    wrapped: bool = False

    @property
    def path(self) -> str:
        """Path below the host, without a trailing slash (CONTRACT 1.7)."""
        return f"/api/v1.1/{self.name}"


READ, WRITE, CREATE, LAUNCH, IRREVERSIBLE = Effect

_ROWS = (
    Endpoint("tasks/status", READ),
    # Databases, profiles and segments
    Endpoint("databases/list", READ),
    Endpoint("databases/get", READ),
    Endpoint("databases/fields_get", READ),
    Endpoint("profiles/import", WRITE, payload="profile_id"),
    Endpoint("profiles/import_batch", WRITE, payload="result", items="data"),
    Endpoint("profiles/update_batch", WRITE, payload="result", items="data"),
    Endpoint("profiles/add_batch", CREATE, payload="result", items="data"),
    Endpoint("profiles/list", READ),
    Endpoint("segments/list", READ),
    # Suppression lists, loyalty and market
    Endpoint("suppresses/emails_add", WRITE, items="emails"),
    Endpoint("promocodes/import", WRITE, items="codes"),
    # That a repeat finds the order again by its external_id is not said.
    Endpoint("market/orders/import", CREATE, payload="result", items="data"),
    # Scenarios
    Endpoint("workflows/list", READ),
    Endpoint("workflows/activate", WRITE),
    Endpoint("workflows/import_and_start_batch_task", LAUNCH, items="data", wrapped=True),
    # Campaigns
    Endpoint("scampaigns/list", READ),
    Endpoint("scampaigns/get", READ),
    Endpoint("scampaigns/get_status", READ),
    Endpoint("scampaigns/activate", LAUNCH),
    Endpoint("scampaigns/deactivate", WRITE),
    Endpoint("scampaigns/completed", IRREVERSIBLE),
    # Mailings
    Endpoint("campaigns/list", READ),
    Endpoint("campaigns/get", READ),
    Endpoint("campaigns/get_status", READ),
    Endpoint("campaigns/log_v2", READ),
    # With run_now it launches (CONTRACT 5.3).
    Endpoint("campaigns/activate", LAUNCH),
    Endpoint("campaigns/deactivate", WRITE),
    Endpoint("campaigns/clone", CREATE),
    Endpoint("campaigns/broadcasts/add", CREATE),
    Endpoint("campaigns/broadcasts/get", READ),
    Endpoint("campaigns/broadcasts/list", READ),
    Endpoint("campaigns/broadcasts/start", LAUNCH),
    Endpoint("campaigns/regulars/add", CREATE),
    Endpoint("campaigns/regulars/get", READ),
    Endpoint("campaigns/regulars/list", READ),
    Endpoint("campaigns/regulars/start", LAUNCH),
    Endpoint("campaigns/triggers/get", READ),
    Endpoint("campaigns/triggers/list", READ),
    Endpoint("campaigns/triggers/start", LAUNCH),
    Endpoint("campaigns/triggers/import_and_start_batch_task", LAUNCH, items="data", wrapped=True),
)

ENDPOINTS: dict[str, Endpoint] = {row.name: row for row in _ROWS}
"""Every endpoint by its name."""


def endpoint(name: str) -> Endpoint:
    """Look an endpoint up by its name; slashes around it do not matter.

    :raises AltcraftConfigurationError: for a name the catalogue does not hold, with the nearest that it does.
    """
    row = ENDPOINTS.get(name.strip("/"))
    if row is None:
        near = difflib.get_close_matches(name.strip("/"), ENDPOINTS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise AltcraftConfigurationError(f"There is no Altcraft endpoint {name!r} in the catalogue.{hint}")
    return row
