"""Which parameters of an endpoint say what it launches, for calls by the endpoint's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.api.endpoints import Effect
from airflow_provider_altcraft.api.endpoints import endpoint as catalogued
from airflow_provider_altcraft.api.parameters import written
from airflow_provider_altcraft.launching.identity import Launch

AUDIENCE = ("override_source_type", "override_source_id")
RECIPIENT = ("matching", "email", "phone", "profile_id", "field_name", "field_value", "resource_id", "custom_request")
PRIVATE = ("email", "phone", "profile_id", "field_value", "custom_request", "subscription_filter", "attach")
"""Whom it is for, and what is in files."""
TARGETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "campaigns/broadcasts/start": (("id",), AUDIENCE),
    "campaigns/regulars/start": (("id",), AUDIENCE),
    "campaigns/activate": (("id",), AUDIENCE),
    "campaigns/triggers/start": (("id", *RECIPIENT, "subscription_filter"), ()),
    "workflows/start": (("id", *RECIPIENT, "subscription_filter"), ()),
}
"""What a launch is about, and what it reaches beside that. Of any other endpoint, all parameters are its content."""


def launch_of(endpoint: str, params: Mapping[str, Any], undocumented: Mapping[str, Any] | None) -> Launch:
    """A call by the endpoint's name as a launch.

    :param params: under the API's names or their aliases.
    :raises AltcraftConfigurationError: see ``parameters.written``.
    """
    row = catalogued(endpoint)
    known = written(row, params)
    if row.name in TARGETS:
        about, reaches = TARGETS[row.name]
        return Launch(row.name, known, undocumented, about=about, reaches=reaches, private=PRIVATE)
    return Launch(row.name, known, undocumented, about=None if row.effect is Effect.IDEMPOTENT_WRITE else ())
