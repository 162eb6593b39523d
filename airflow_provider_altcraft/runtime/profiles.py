"""The base of operators whose profiles come from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.delivering import DeliveringOperator, Opened

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

Profiles = Iterable[Mapping[str, Any]]
D = TypeVar("D", bound="Destination")


class ProfilesOperator(DeliveringOperator):
    """Send profiles from Python to the destination that a subclass names.

    ``profiles`` is not a template field, so it never appears in Airflow's rendered templates.
    """

    profiles: Profiles | Callable[[], Profiles] | XComArg

    @contextmanager
    def opened(self, context: Any, destination: Destination, encoder: ProfileEncoder) -> Iterator[Opened]:
        """Open the profiles. A list is in memory as a whole, so all of it is checked before the first call."""
        from airflow_provider_altcraft.delivery.source import closing_generators, from_profiles

        profiles = self.produced(context)
        if isinstance(profiles, str | bytes | Mapping) or not isinstance(profiles, Iterable):
            hint = " It is not templated: pass extract.output instead of '{{ ... }}'." if "{{" in str(profiles) else ""
            raise AltcraftConfigurationError(
                f"{self.origin} must be a list of profiles or yield them, not {type(profiles).__name__}.{hint}"
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
        """Where the profiles come from, for error texts."""
        return "profiles"

    def produced(self, context: Any) -> Any:
        """Produce the profiles."""
        profiles = self.profiles
        if isinstance(profiles, XComArg):
            return profiles.resolve(context)
        return profiles() if callable(profiles) else profiles

    def destination_of(self, kind: type[D]) -> D:
        """A destination built from the operator's arguments of the same names."""
        return kind(**{name: getattr(self, name) for name in _fields(kind) if hasattr(self, name)})

    def given_destination(self, *kinds: type[Destination]) -> Destination | None:
        """The argument ``destination``; ``None`` if its parts are given instead.

        :param kinds: classes it may have.
        :raises AltcraftConfigurationError: if both are given, or it has another class.
        """
        given = self.destination
        if given is None:
            return None
        if not isinstance(given, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise AltcraftConfigurationError(f"destination must be a {names}, not {type(given).__name__}.")
        parts = {name: default for kind in kinds for name, default in _fields(kind).items() if hasattr(self, name)}
        both = [name for name, default in parts.items() if getattr(self, name) not in (None, default)]
        if both:
            raise AltcraftConfigurationError(f"Set {', '.join(both)} in the destination, since that is given.")
        return given


def _fields(kind: type[Destination]) -> dict[str, Any]:
    """The arguments of a destination and their defaults; ``None`` for those without one."""
    return {field.name: None if field.default is MISSING else field.default for field in fields(kind)}  # type: ignore[arg-type]
