"""The hook: a client for Altcraft's API from an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError
from airflow_provider_altcraft.tracebacks import without_locals

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.aio import AsyncAltcraftClient
    from airflow_provider_altcraft.api.client import AltcraftClient
    from airflow_provider_altcraft.api.reply import Reply
    from airflow_provider_altcraft.api.settings import Settings


class AltcraftHook(BaseHook):
    """Calls Altcraft's API with the settings of an Airflow connection.

    :param altcraft_conn_id: the connection: host, API token in the password field, typed settings in ``extra``
        (see ``api.settings.Settings``).
    """

    conn_name_attr = "altcraft_conn_id"
    default_conn_name = "altcraft_default"
    conn_type = "altcraft"
    hook_name = "Altcraft"

    def __init__(self, altcraft_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.altcraft_conn_id = altcraft_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The connection form for Airflow 2.11; Airflow 3 reads the same from the provider info."""
        from airflow_provider_altcraft.provider_info import HIDDEN_FIELDS, PLACEHOLDERS, RELABELING

        return {"hidden_fields": HIDDEN_FIELDS, "relabeling": RELABELING, "placeholders": PLACEHOLDERS}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The fields of ``extra`` for Airflow 2.11, built from the description that Airflow 3 reads."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import StringField

        from airflow_provider_altcraft.provider_info import CONNECTION_FIELDS

        return {
            name: StringField(
                lazy_gettext(field["label"]), widget=BS3TextFieldWidget(), description=field["description"]
            )
            for name, field in CONNECTION_FIELDS.items()
        }

    @cached_property
    def settings(self) -> Settings:
        """The connection's settings, typed.

        :raises AltcraftConfigurationError: naming the field that is missing, unknown or of the wrong type.
        """
        return _settings(self.get_connection(self.altcraft_conn_id))

    @cached_property
    def client(self) -> AltcraftClient:
        """A client with pooled sessions, created on first use."""
        from airflow_provider_altcraft.api.client import AltcraftClient

        return AltcraftClient(self.settings)

    def abort(self) -> None:
        """Abort the calls in progress in all threads: they raise ``AltcraftKilled``.

        Later calls use a new client. Safe in a signal handler.
        """
        client = self.__dict__.pop("client", None)
        if client is not None:
            client.abort()

    def get_conn(self) -> AltcraftClient:
        """The client."""
        return self.client

    async def get_async_client(self) -> AsyncAltcraftClient:
        """A client for triggers; use it as an async context manager."""
        from airflow.providers.common.compat.connection import get_async_connection

        from airflow_provider_altcraft.api.aio import AsyncAltcraftClient

        return AsyncAltcraftClient(_settings(await get_async_connection(self.altcraft_conn_id)))

    @without_locals
    def call(
        self,
        endpoint: str,
        params: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        *,
        undocumented: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Call an endpoint of the catalogue.

        :param endpoint: its name, e.g. ``scampaigns/completed``.
        :param params: its parameters, without the token, under the API's names or the catalogue's aliases
            (``docs/endpoints.md``): ``{"campaign_id": 18}`` or ``{"id": 18}``. ``None`` values are left out.
        :param request_id: identifies the logical request; without one, a write is never retried automatically.
        :param undocumented: parameters this installation takes that are not documented; sent unchecked. Documented ones
            belong in ``params``, where they are checked.
        :raises AltcraftConfigurationError: for an endpoint, a parameter or a value that the catalogue does not allow.
        :raises AltcraftError: see ``exceptions``.
        """
        return self.client.call(endpoint, params, undocumented=undocumented, request_id=request_id)

    @without_locals
    def iterate(
        self, endpoint: str, params: Mapping[str, Any] | None = None, *, undocumented: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """Iterate over the items of a list endpoint, across all its pages.

        :param endpoint: its name, e.g. ``profiles/list``. An endpoint without pages counts as one page.
        :param params: of the first page; ``limit`` is the page size.
        :param undocumented: see ``call``.
        :raises AltcraftError: see ``call``; also if there are more items but the answer does not lead to them.
        """
        return self.client.iterate(endpoint, params, undocumented=undocumented)

    @without_locals
    def download(
        self,
        file: str,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        *,
        before_block: Callable[[], None] = lambda: None,
    ) -> int:
        """Download a file written by a task, in blocks (CONTRACT 8.5).

        :param file: its name or URL in the task's result.
        :param opened: opens the file to write to, once per attempt.
        :param before_block: called before each block; may raise to stop.
        :returns: the number of bytes.
        :raises AltcraftConfigurationError: for a URL of another host than the connection's.
        :raises AltcraftError: see ``call``.
        """
        return self.client.download(file, opened, before_block=before_block)

    def task_status(self, altcraft_task_id: str) -> dict[str, Any]:
        """Status, progress and result of a server-side task (CONTRACT 2.1)."""
        return _mapping(self.call("tasks/status", {"task_id": altcraft_task_id}))

    def mailing_status(self, mailing_id: int) -> dict[str, Any]:
        """``is_active``, ``is_completed`` and ``status`` of a mailing (CONTRACT 5.1)."""
        return _mapping(self.call("campaigns/get_status", {"id": mailing_id}))

    def campaign_status(self, campaign_id: int) -> str:
        """The state of a campaign (CONTRACT 4.1)."""
        return str(_mapping(self.call("scampaigns/get_status", {"id": campaign_id})).get("status") or "")

    def scenario_is_active(self, workflow_id: int) -> bool | None:
        """Whether the list of scenarios shows one as active (CONTRACT 3.5); ``None`` if the token cannot see it."""
        try:
            for scenario in self.iterate("workflows/list"):
                if isinstance(scenario, Mapping) and str(scenario.get("id")) == str(workflow_id):
                    return {"true": True, "false": False}.get(str(scenario.get("is_active")).lower())
        except AltcraftError:
            pass
        return None

    def deactivate_campaign(self, campaign_id: int, request_id: str | None = None) -> Reply:
        """Pause a campaign; its running mailings stop sending (CONTRACT 4.6)."""
        return self.call("scampaigns/deactivate", {"id": campaign_id}, request_id)

    def complete_campaign(self, campaign_id: int, request_id: str | None = None) -> Reply:
        """End a campaign for good (CONTRACT 4.7)."""
        return self.call("scampaigns/completed", {"id": campaign_id}, request_id)

    def campaigns(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """All campaigns, with the filters of ``scampaigns/list`` (CONTRACT 4.3)."""
        return self.iterate("scampaigns/list", filters)

    def test_connection(self) -> tuple[bool, str]:
        """Make one cheap authenticated call. Never raises; the message contains no secrets."""
        from airflow_provider_altcraft.api.client import AltcraftClient

        try:
            with AltcraftClient(self.settings) as client:
                client.call("databases/list", {"limit": 1}, attempts=1)
        except AltcraftError as error:
            return False, str(error)
        except Exception as error:
            # The message is left out: another library's may quote the connection.
            return False, f"The connection could not be tested ({type(error).__name__})."
        return True, "Altcraft answered, and the token is valid."


@without_locals
def _settings(connection: Any) -> Settings:
    from airflow_provider_altcraft.api.settings import settings_from_connection

    try:
        extra = connection.extra_dejson
    except Exception:
        raise AltcraftConfigurationError("The extra of the Altcraft connection is not JSON.") from None
    if connection.password:
        _mask(connection.password)
    return settings_from_connection(
        host=connection.host,
        schema=connection.schema,
        port=connection.port,
        token=connection.password,
        extra=extra,
    )


def _mask(token: str) -> None:
    """Register the token with Airflow's log masking: that of a connection from the environment is not always masked."""
    from urllib.parse import quote_plus

    from airflow.providers.common.compat.sdk import mask_secret

    mask_secret(token)
    # Two old methods have it in the URL.
    mask_secret(quote_plus(token))


def _mapping(reply: Reply) -> dict[str, Any]:
    return reply.data if isinstance(reply.data, dict) else {}
