"""Profiles that come from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.delivering import DeliveringOperator, Opened

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

Profiles = Iterable[Mapping[str, Any]]


class ProfilesOperator(DeliveringOperator):
    """Profiles from Python to the destination that a subclass names.

    The profiles are no template field: they never land in Airflow's rendered templates.

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or
        yields them; it is called on the worker, so that nothing is read when the DAG is parsed.
    """

    template_fields: Sequence[str] = tuple(name for name in DeliveringOperator.template_fields if name != "destination")

    def __init__(self, *, profiles: Profiles | Callable[[], Profiles] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.profiles = profiles
        # Airflow looks for upstream tasks in template fields only.
        XComArg.apply_upstream_relationship(self, profiles)

    @contextmanager
    def opened(self, context: Any, destination: Destination, encoder: ProfileEncoder) -> Iterator[Opened]:
        """The profiles. A list of them is here as a whole, so all can be checked before the first call."""
        from airflow_provider_altcraft.delivery.source import closing_generators, from_profiles

        profiles = self.produced(context)
        if isinstance(profiles, str | bytes | Mapping) or not isinstance(profiles, Iterable):
            hint = " It is no template: write extract.output instead of '{{ ... }}'." if "{{" in str(profiles) else ""
            raise AltcraftConfigurationError(
                f"{self.origin} must be a list of profiles, or yield them, not {type(profiles).__name__}.{hint}"
            )
        if isinstance(profiles, list | tuple):
            fields = chain.from_iterable(profile for profile in profiles if isinstance(profile, Mapping))
            source = from_profiles(profiles, encoder, self.batch_size)
            yield Opened(source, fields=list(dict.fromkeys(fields)), is_whole=True)
        else:
            rows = iter(profiles)
            with closing_generators(rows, warn=self.log.warning):
                yield Opened(from_profiles(rows, encoder, self.batch_size))

    @property
    def origin(self) -> str:
        """Where the profiles come from, for errors."""
        return "profiles"

    def produced(self, context: Any) -> Any:
        """The profiles, produced now."""
        profiles = self.profiles
        if isinstance(profiles, XComArg):
            return profiles.resolve(context)
        return profiles() if callable(profiles) else profiles


class AltcraftImportProfilesOperator(ProfilesOperator):
    """Import profiles into a database (CONTRACT 8.2-8.4). Altcraft answers at once, row by row.

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or
        yields them.
    :param db_id: the database. Templated.
    :param mode: ``import`` adds or updates, ``update`` leaves unknown profiles alone, ``add`` does not look.
    :param matching: how the profile of a row is found (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param skip_triggers: do not fire the triggers and scenarios that an import or update would.
    :param skip_invalid_subscriptions: take a profile without its invalid subscriptions.
    :param detect_geo: find the place by the profile's IP address.

    Returns counters and where rejects are kept. Sending rows and rejects: ``DeliveringOperator``.
    """

    template_fields: Sequence[str] = (*ProfilesOperator.template_fields, "db_id")

    def __init__(
        self,
        *,
        db_id: int | str,
        mode: Literal["import", "update", "add"] = "import",
        matching: str = "email",
        field_name: str | None = None,
        skip_triggers: bool | None = None,
        skip_invalid_subscriptions: bool | None = None,
        detect_geo: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.db_id = db_id
        self.mode = mode
        self.matching = matching
        self.field_name = field_name
        self.skip_triggers = skip_triggers
        self.skip_invalid_subscriptions = skip_invalid_subscriptions
        self.detect_geo = detect_geo

    @property
    def destination(self) -> Destination:
        """The database."""
        from airflow_provider_altcraft.delivery.destinations import ProfileDatabase

        return ProfileDatabase(
            db_id=self.db_id,
            mode=self.mode,
            matching=self.matching,
            field_name=self.field_name,
            skip_triggers=self.skip_triggers,
            skip_invalid_subscriptions=self.skip_invalid_subscriptions,
            detect_geo=self.detect_geo,
        )
