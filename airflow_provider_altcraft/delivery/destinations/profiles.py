"""Profiles for a database, a scenario or a trigger mailing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar, Literal

from airflow_provider_altcraft.api.endpoints import Endpoint, endpoint
from airflow_provider_altcraft.api.objects import Matching, identifier
from airflow_provider_altcraft.delivery.answers import BatchAnswer, read_items
from airflow_provider_altcraft.delivery.destinations.base import Destination
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


@dataclass(slots=True, kw_only=True)
class _Profiles(Destination):
    """The base of destinations for profiles."""

    matching: str = "email"
    field_name: str | None = None
    skip_triggers: bool | None = None
    skip_invalid_subscriptions: bool | None = None
    detect_geo: bool | None = None

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields of a profile that hold the search value."""
        return tuple(chain.from_iterable(self.search_fields))

    @property
    def search_fields(self) -> tuple[tuple[str, ...], ...]:
        """The search values of the matching; a phone may also be in the profile field ``phones`` (CONTRACT 12.3)."""
        names = Matching(self.matching, self.field_name).key_fields
        if self.field_name:
            return ((self.field_name,),)
        return tuple(("phone", "phones") if name == "phone" else (name,) for name in names)

    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """Read an item for each profile."""
        return read_items(answer, sent)

    def _import_params(self, **own: Any) -> dict[str, Any]:
        shared = {name: getattr(self, name) for name in ("skip_triggers", "skip_invalid_subscriptions", "detect_geo")}
        return {**Matching(self.matching, self.field_name).params, **shared, **own}


@dataclass(slots=True, kw_only=True)
class _Recipients(_Profiles):
    """The base of destinations that send something to the profiles of their rows.

    A row's ``custom_data`` is data for action hooks, as the argument is for all rows; it is not a profile field.
    """

    # Not a template field: the content of files would end up in Airflow's rendered templates.
    attach: Sequence[Any] | None = field(default=None, repr=False)

    @property
    def takes_custom_data(self) -> bool:
        """Yes: beside each profile, or among its search values."""
        return True

    @property
    def has_files(self) -> bool:
        """Whether there are any."""
        return bool(self.attach)


@dataclass(slots=True)
class ProfileDatabase(_Profiles):
    """Profiles of a database (CONTRACT 8.2-8.4). Altcraft answers at once, row by row.

    :param db_id: the database.
    :param mode: ``import`` adds or updates, ``update`` skips unknown profiles, ``add`` does not look for any.
    :param resource_id: the resource whose subscriptions are searched, for matching by email or phone.
    :param matching: how to find a row's profile (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` and ``custom_sub``.
    :param skip_triggers: do not fire triggers and scenarios on import or update.
    :param skip_invalid_subscriptions: accept a profile without its invalid subscriptions instead of rejecting it.
    :param detect_geo: detect the location from the profile's IP address.
    """

    template_fields: ClassVar[Sequence[str]] = ("db_id", "resource_id")

    id_param: ClassVar[str | None] = "db_id"

    db_id: int | str
    mode: Literal["import", "update", "add"] = "import"
    resource_id: int | str | None = None

    @property
    def endpoint(self) -> Endpoint:
        """One of ``profiles/import_batch``, ``update_batch`` and ``add_batch``."""
        if self.mode not in {"import", "update", "add"}:
            raise AltcraftConfigurationError(f"mode must be 'import', 'update' or 'add', not {self.mode!r}.")
        return endpoint(f"profiles/{self.mode}_batch")

    @property
    def params(self) -> dict[str, Any]:
        """The database, and how to find a profile in it."""
        params = self._import_params(db_id=identifier("db_id", self.db_id), resource_id=_resource(self.resource_id))
        if self.mode == "add":
            # Adding neither looks for a profile nor detects locations (CONTRACT 8.4).
            _check_unused(params, ("field_name", "resource_id", "detect_geo"), "mode='add'")
            return {name: value for name, value in params.items() if name not in _SEARCHING}
        return params

    @property
    def search_fields(self) -> tuple[tuple[str, ...], ...]:
        """The search values; none if Altcraft does not look for a profile."""
        return () if self.mode == "add" else _Profiles.search_fields.__get__(self)

    @property
    def database(self) -> int | None:
        """The database."""
        return identifier("db_id", self.db_id)


_SEARCHING = {"matching", "field_name", "detect_geo", "resource_id"}


@dataclass(slots=True)
class Scenario(_Recipients):
    """Profiles imported and sent into a scenario, as a task (CONTRACT 3.1).

    :param workflow_id: the scenario.
    :param content: values for ``{apicontent.name}`` in templates.
    :param custom_data: data for action hooks, for all rows that have none of their own.
    :param matching: how to find a row's profile (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` and ``custom_sub``.
    :param skip_triggers: do not fire triggers and scenarios on import or update.
    :param skip_invalid_subscriptions: accept a profile without its invalid subscriptions instead of rejecting it.
    :param detect_geo: detect the location from the profile's IP address.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Every request carries them; uploaded files take less space.
    """

    template_fields: ClassVar[Sequence[str]] = ("workflow_id", "content", "custom_data")
    makes_task: ClassVar[bool] = True

    id_param: ClassVar[str | None] = "workflow_id"

    workflow_id: int | str
    content: dict[str, Any] | None = None
    custom_data: dict[str, Any] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """``workflows/import_and_start_batch_task``."""
        return endpoint("workflows/import_and_start_batch_task")

    @property
    def params(self) -> dict[str, Any]:
        """The scenario, how to find a profile, and the data for messages."""
        return self._import_params(
            workflow_id=identifier("workflow_id", self.workflow_id),
            content=self.content,
            custom_data=self.custom_data,
            attach=self.attach or None,
        )


@dataclass(slots=True)
class TriggerMailing(_Recipients):
    """Profiles that get a trigger mailing, as a task: imported (CONTRACT 7.4) or existing (CONTRACT 7.3).

    Rows for existing profiles have only the fields to find them by, and optionally ``custom_data``.

    :param trigger_id: the mailing; it must be active and of type ``api_call``.
    :param content: values for ``{apicontent.name}`` in templates.
    :param custom_data: data for action hooks, for all rows that have none of their own.
    :param import_profiles: whether to import the rows, or only to find existing profiles by them.
    :param resource_id: for imports, the resource whose subscriptions are searched, for matching by email or phone.
    :param matching: how to find a row's profile (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` and ``custom_sub``.
    :param skip_triggers: do not fire triggers and scenarios on import or update.
    :param skip_invalid_subscriptions: accept a profile without its invalid subscriptions instead of rejecting it.
    :param detect_geo: detect the location from the profile's IP address.
    :param attach: files, as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of
        ``AltcraftUploadFileOperator``. Every request carries them; uploaded files take less space.
    """

    template_fields: ClassVar[Sequence[str]] = ("trigger_id", "content", "custom_data", "resource_id")
    makes_task: ClassVar[bool] = True

    id_param: ClassVar[str | None] = "trigger_id"

    trigger_id: int | str
    content: dict[str, Any] | None = None
    custom_data: dict[str, Any] | None = None
    import_profiles: bool = True
    resource_id: int | str | None = None

    @property
    def endpoint(self) -> Endpoint:
        """``campaigns/triggers/import_and_start_batch_task``, or ``start_batch_task``."""
        return endpoint(f"campaigns/triggers/{'import_and_' if self.import_profiles else ''}start_batch_task")

    @property
    def params(self) -> dict[str, Any]:
        """The mailing, how to find a profile, and the data for messages."""
        params = self._import_params(
            trigger_id=identifier("trigger_id", self.trigger_id),
            content=self.content,
            custom_data=self.custom_data,
            resource_id=_resource(self.resource_id),
            attach=self.attach or None,
        )
        if self.import_profiles:
            return params
        _check_unused(params, _IMPORTING, "import_profiles=False")
        return {name: value for name, value in params.items() if name not in _IMPORTING}

    @property
    def search_fields(self) -> tuple[tuple[str, ...], ...]:
        """The search values. Without an import, rows are not profiles, so ``phones`` is not one (CONTRACT 1.9)."""
        fields = _Profiles.search_fields.__get__(self)
        return fields if self.import_profiles else tuple((names[0],) for names in fields)

    @property
    def takes(self) -> tuple[str, ...] | None:
        """Any field for imports; otherwise the search values and ``custom_data`` (CONTRACT 7.2)."""
        return None if self.import_profiles else (*self.key_fields, "custom_data")

    def read(self, answer: Any, sent: int) -> BatchAnswer:
        """Read an item for each profile, or the ids of those that got it, as the synchronous method answers."""
        if isinstance(answer, list) and len(answer) < sent and all(isinstance(item, str) for item in answer):
            return BatchAnswer(accepted=len(answer), unaccounted=sent - len(answer), itemised=False)
        return _Profiles.read(self, answer, sent)


_IMPORTING = ("skip_triggers", "skip_invalid_subscriptions", "detect_geo", "resource_id")


def _check_unused(params: Mapping[str, Any], names: Sequence[str], setting: str) -> None:
    """Check that no arguments are given that Altcraft would ignore.

    :raises AltcraftConfigurationError: naming those that are.
    """
    wrong = [name for name in names if params.get(name) is not None]
    if wrong:
        raise AltcraftConfigurationError(f"{', '.join(wrong)} cannot be used with {setting}.")


def _resource(value: int | str | None) -> int | None:
    return None if value is None else identifier("resource_id", value)
