"""An Airflow connection becomes a client."""

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
    """The one door from Airflow to Altcraft's API.

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
        """The connection form on Airflow 2.11; Airflow 3 reads the same from the provider info."""
        from airflow_provider_altcraft.provider_info import HIDDEN_FIELDS, PLACEHOLDERS, RELABELING

        return {"hidden_fields": HIDDEN_FIELDS, "relabeling": RELABELING, "placeholders": PLACEHOLDERS}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The fields of ``extra`` on Airflow 2.11, made of the same description that Airflow 3 reads."""
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
        """The connection as typed settings.

        :raises AltcraftConfigurationError: naming the field that is missing, unknown or of the wrong type.
        """
        return _settings(self.get_connection(self.altcraft_conn_id))

    @cached_property
    def client(self) -> AltcraftClient:
        """A client with pooled sessions, made when it is first used."""
        from airflow_provider_altcraft.api.client import AltcraftClient

        return AltcraftClient(self.settings)

    def abort(self) -> None:
        """Give up the calls under way, in whatever threads: they raise ``AltcraftKilled``.

        Later calls are made by a new client. Safe in a signal handler.
        """
        client = self.__dict__.pop("client", None)
        if client is not None:
            client.abort()

    def get_conn(self) -> AltcraftClient:
        """The client."""
        return self.client

    async def get_async_client(self) -> AsyncAltcraftClient:
        """A client for triggers, to be used as an async context manager."""
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
        :param params: its parameters, without the token, under the API's names or the aliases of the catalogue
            (``docs/endpoints.md``): ``{"campaign_id": 18}`` or ``{"id": 18}``. ``None`` values are left out.
        :param request_id: names the logical request; a write without one is never repeated by itself.
        :param undocumented: parameters that the documentation does not have and this installation does: sent as they
            are. What is documented is refused here, so that it is checked with the others.
        :raises AltcraftConfigurationError: for an endpoint, a parameter or a value that the catalogue does not allow.
        :raises AltcraftError: see ``exceptions``.
        """
        return self.client.call(endpoint, params, undocumented=undocumented, request_id=request_id)

    @without_locals
    def iterate(
        self, endpoint: str, params: Mapping[str, Any] | None = None, *, undocumented: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """Walk a list endpoint, item by item, over all its pages.

        :param endpoint: its name, e.g. ``profiles/list``. What has no pages is one page.
        :param params: of the first page; ``limit`` is the size of a page.
        :param undocumented: see ``call``.
        :raises AltcraftError: see ``call``; and if there are more pages than the answers lead to.
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
        """Stream a file that a task made, in blocks (CONTRACT 8.5).

        :param file: as the result of the task names it.
        :param opened: opens the place for it, anew at each attempt.
        :param before_block: called before each block; raises to stop.
        :returns: how many bytes there were.
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
        """Make one cheap authenticated call. Never raises; the message holds nothing secret."""
        from airflow_provider_altcraft.api.client import AltcraftClient

        try:
            with AltcraftClient(self.settings) as client:
                client.call("databases/list", {"limit": 1}, attempts=1)
        except AltcraftError as error:
            return False, str(error)
        except Exception as error:
            # A message from elsewhere may quote the connection.
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
    """Tell Airflow's log masking of the token: a connection from the environment is not masked everywhere."""
    from urllib.parse import quote_plus

    from airflow.providers.common.compat.sdk import mask_secret

    mask_secret(token)
    # Two old methods carry it in the URL.
    mask_secret(quote_plus(token))


def _mapping(reply: Reply) -> dict[str, Any]:
    return reply.data if isinstance(reply.data, dict) else {}
