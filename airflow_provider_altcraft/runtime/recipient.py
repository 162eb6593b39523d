"""One profile: how it is found, and what it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.base import LaunchingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.launcher import Launched
    from airflow_provider_altcraft.runtime.attachments import Attach

Recipient = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
MATCHINGS = ("email", "phone", "profile_id", "custom")
"""How the methods for one profile find it (CONTRACT 1.9)."""


def recipient_params(
    recipient: Recipient, matching: str, field_name: str | None, matchings: Sequence[str] = MATCHINGS
) -> dict[str, Any]:
    """The parameters by which Altcraft finds the profile.

    :param matchings: what the method takes.
    :raises AltcraftConfigurationError: if there is nothing to find it by.
    """
    from airflow_provider_altcraft.api.objects import Matching

    if matching not in matchings:
        raise AltcraftConfigurationError(f"matching must be one of {', '.join(matchings)} here, not {matching!r}.")
    search = Matching(matching, field_name)
    values = recipient() if callable(recipient) else recipient
    if not isinstance(values, Mapping):
        # The value is not quoted: it is somebody's data.
        raise AltcraftConfigurationError(
            "recipient is a dictionary such as {'email': ...}, or a callable that returns one, not"
            f" {type(values).__name__}."
        )
    (key,) = search.key_fields
    value = values.get(key)
    if value in (None, ""):
        raise AltcraftConfigurationError(f"The recipient has no {key} to be found by.")
    return {**search.params, ("field_value" if matching == "custom" else key): value}


PRIVATE = ("subscription_filter", "attach")
"""What else is not rendered by Airflow, and so kept nowhere."""


class RecipientOperator(LaunchingOperator):
    """Something that is started for one profile that is there, once.

    The recipient is no template field: personal data never lands in Airflow's rendered templates.

    :param recipient: what the profile is found by, such as ``{"email": ...}``; or a callable that returns it, called on
        the worker.
    :param matching: ``email``, ``phone``, ``profile_id`` or ``custom`` (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param resource_id: resource for email and phone matching. Templated.
    :param subscription_filter: which subscription gets the message.
    :param content: values for ``{apicontent.name}`` in the messages. Templated.
    :param custom_data: data for action hooks. Templated.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Templated, but for their content.
    """

    template_fields: Sequence[str] = (*LaunchingOperator.template_fields, "resource_id", "content", "custom_data")

    def __init__(
        self,
        *,
        recipient: Recipient,
        matching: str = "email",
        field_name: str | None = None,
        resource_id: int | str | None = None,
        subscription_filter: dict[str, Any] | None = None,
        content: dict[str, Any] | None = None,
        custom_data: dict[str, Any] | None = None,
        attach: Attach | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recipient = recipient
        self.matching = matching
        self.field_name = field_name
        self.resource_id = resource_id
        self.subscription_filter = subscription_filter
        self.content = content
        self.custom_data = custom_data
        self.attach = attach
        # Airflow looks for upstream tasks in template fields only.
        XComArg.apply_upstream_relationship(self, attach)

    def start(self, context: Any, endpoint: str, started_id: int | str) -> Launched:
        """Start it for the recipient.

        :param started_id: of what is started.
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
            "done at an earlier try" if launched.replayed else "done",
            launched.request_id,
        )
        return launched
