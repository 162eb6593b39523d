"""Goals: what a profile did elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.runtime.recipient import MATCHINGS, recipient_params

if TYPE_CHECKING:
    from airflow_provider_altcraft.runtime.recipient import Recipient


class AltcraftRegisterGoalsOperator(AltcraftOperator):
    """Register goals that a profile has reached, once (CONTRACT 11).

    ``recipient`` is not a template field, so personal data never appears in Airflow's rendered templates.

    :param recipient: what to find the profile by, such as ``{"email": ...}``; or a callable that returns it, called on
        the worker.
    :param db_id: its database. Templated.
    :param pixel_id: the pixel that counts the goals. Templated.
    :param goals: the goals, each ``{"goal": name, "value": number}``; the value is optional. Templated.
    :param date: when they were reached, RFC 3339; now by default. Templated.
    :param matching: ``email``, ``email_profile``, ``phone``, ``profile_id`` or ``custom`` (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param pixel_data: further data about them: a flat dictionary, at most 1 KB. Templated.
    :param skip_triggers: do not fire triggers and scenarios.
    :param enrich_profile: whether Altcraft enriches the profile from them; by default, it does.
    :param is_test: whether this is a test.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task registers them again.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``db_id``, ``pixel_id``, ``goals`` (how many), ``request_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (
        *AltcraftOperator.template_fields,
        "db_id",
        "pixel_id",
        "goals",
        "date",
        "pixel_data",
    )

    def __init__(
        self,
        *,
        recipient: Recipient,
        db_id: int | str | XComArg,
        pixel_id: int | str | XComArg,
        goals: Sequence[Mapping[str, Any]] | XComArg,
        date: str | datetime | XComArg | None = None,
        matching: str = "email",
        field_name: str | None = None,
        pixel_data: Mapping[str, Any] | XComArg | None = None,
        skip_triggers: bool | None = None,
        enrich_profile: bool | None = None,
        is_test: bool | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recipient = recipient
        self.db_id = db_id
        self.pixel_id = pixel_id
        self.goals: Any = goals
        self.date = date
        self.matching = matching
        self.field_name = field_name
        self.pixel_data = pixel_data
        self.skip_triggers = skip_triggers
        self.enrich_profile = enrich_profile
        self.is_test = is_test
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> dict[str, Any]:
        """Register them."""
        from airflow_provider_altcraft.api.goals import goals_of, pixel_data_of
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        found_by = recipient_params(self.recipient, self.matching, self.field_name, (*MATCHINGS, "email_profile"))
        params = {
            "db_id": identifier("db_id", self.db_id),
            "pixel_id": identifier("pixel_id", self.pixel_id),
            "goals": goals_of(self.goals),
            "date": self.date,
            "pixel_data": pixel_data_of(self.pixel_data),
            "skip_triggers": self.skip_triggers,
            "enrich_profile": self.enrich_profile,
            "is_test": self.is_test,
            **found_by,
        }
        launched = self.launch(context, Launch("goals/register", params, about=(), private=tuple(found_by)))
        return {
            "db_id": params["db_id"],
            "pixel_id": params["pixel_id"],
            "goals": len(params["goals"]),
            "request_id": launched.request_id,
            "replayed": launched.replayed,
        }
