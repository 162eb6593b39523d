"""A single profile: how to find it and what to send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.base import AltcraftOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.launcher import Launched
    from airflow_provider_altcraft.runtime.attachments import Attach

Recipient = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
MATCHINGS = ("email", "phone", "profile_id", "custom")
"""How methods for a single profile can find it (CONTRACT 1.9)."""


def recipient_params(
    recipient: Recipient, matching: str, field_name: str | None, matchings: Sequence[str] = MATCHINGS
) -> dict[str, Any]:
    """The parameters by which Altcraft finds the profile.

    :param matchings: those that the method supports.
    :raises AltcraftConfigurationError: if there is no value to find it by.
    """
    from airflow_provider_altcraft.api.objects import Matching

    if matching not in matchings:
        raise AltcraftConfigurationError(f"matching must be one of {', '.join(matchings)} here, not {matching!r}.")
    search = Matching(matching, field_name)
    values = recipient() if callable(recipient) else recipient
    if not isinstance(values, Mapping):
        # The value is not quoted: it may be personal data.
        raise AltcraftConfigurationError(
            "recipient must be a dictionary such as {'email': ...}, or a callable that returns one, not"
            f" {type(values).__name__}."
        )
    (key,) = search.key_fields
    value = values.get(key)
    if value in (None, ""):
        raise AltcraftConfigurationError(f"The recipient has no {key} to find its profile by.")
    return {**search.params, ("field_value" if matching == "custom" else key): value}


PRIVATE = ("subscription_filter", "attach")
"""Other parameters that Airflow does not render and that must not be stored."""


class RecipientOperator(AltcraftOperator):
    """Start something for one existing profile, once.

    ``recipient`` is not a template field, so personal data never appears in Airflow's rendered templates.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "resource_id", "content", "custom_data")

    recipient: Recipient
    matching: str
    field_name: str | None
    resource_id: Any
    subscription_filter: dict[str, Any] | None
    content: Any
    custom_data: Any
    attach: Attach | None

    def start(self, context: Any, endpoint: str, started_id: int | str) -> Launched:
        """Start it for the recipient.

        :param started_id: id of the scenario or mailing.
        """
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch
        from airflow_provider_altcraft.runtime.attachments import attachments

        found_by = recipient_params(self.recipient, self.matching, self.field_name)
        params = {
            "id": started_id,
            **found_by,
            "resource_id": None if self.resource_id is None else identifier("resource_id", self.resource_id),
            "subscription_filter": self.subscription_filter,
            "content": self.content,
            "custom_data": self.custom_data,
            "attach": attachments(self, self.attach, context),
        }
        about = ("id", *found_by, "resource_id", "subscription_filter")
        launched = self.launch(context, Launch(endpoint, params, about=about, private=(*found_by, *PRIVATE)))
        self.log.info(
            "%s of %s: %s (Request-ID %s).",
            endpoint,
            started_id,
            "done by an earlier try" if launched.replayed else "done",
            launched.request_id,
        )
        return launched
