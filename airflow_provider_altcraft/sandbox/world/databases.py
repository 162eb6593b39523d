"""Databases, and the profiles in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.world import functions, subscriptions
from airflow_provider_altcraft.sandbox.world.matching import Key, keys, wanted

SYSTEM_FIELDS = {
    "_fname": "string", "_lname": "string", "_bdate": "date", "_sex": "int", "_status": "int", "_tz": "string",
    "_country": "string", "_region": "string", "_city": "string", "_postal_code": "string", "_ip": "string",
    "_browser": "string", "_vendor": "string", "_regdate": "datetime", "_regip": "string", "_regurl": "string",
    "_regcountry": "string", "_regcity": "string", "email": "string", "phones": "array", "subscriptions": "array",
}  # fmt: skip
"""Fields that every database has (CONTRACT 12.3). The names are documented, but most types are not."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d\s()-]+")

Profile = dict[str, Any]


@dataclass(slots=True)
class Database:
    """Profiles, and an index of what they can be found by.

    :param db_id: its id.
    :param name: its name.
    :param fields: type by custom field. They are shown, not enforced: a profile may have any field.
    """

    db_id: int
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    _made: int = 0
    _latest: dict[Key, str] = field(default_factory=dict)
    _shared: dict[Key, dict[str, None]] = field(default_factory=dict)

    def save(
        self,
        data: Profile,
        matching: str,
        field_name: str | None,
        *,
        known: bool | None,
        search: Mapping[str, Any] | None = None,
        skip_invalid_subscriptions: bool = False,
        several: str = "latest",
    ) -> str:
        """Add or update a profile, and return its id.

        :param known: ``True`` updates only, ``False`` adds only, ``None`` does either.
        :param search: search values that are not in the data.
        :param several: of several profiles that match, the ``latest``, or ``refuse``.
        :raises Refused: for a profile that cannot be stored.
        """
        data = _taken(data, skip_invalid_subscriptions=skip_invalid_subscriptions)
        if known is False:
            if ("email", str(data.get("email"))) in self._latest:
                raise Refused(400, text="Duplicate email")
            return self._store(None, data)
        places = wanted(matching, {**data, "field_name": field_name, **(search or {})})
        found = self.find(places, several)
        if found is None:
            if known or matching == "profile_id":
                raise Refused(404, text="Profile not found")
            data = _findable(data, places[0])
        return self._store(found, {name: value for name, value in data.items() if name != "profile_id"})

    def find(self, places: Iterable[Key], several: str = "latest") -> str | None:
        """The id of the profile that the first successful of these keys finds; ``None`` if none does.

        :raises Refused: if several match, and that is refused.
        """
        for place in places:
            name, value = place
            if name == "profile_id":
                return value if value in self.profiles else None
            if several == "refuse" and len(self._shared.get(place, ())) > 1:
                raise Refused(409, text="Several profiles match")
            if place in self._latest:
                return self._latest[place]
        return None

    def delete(self, profile_id: str) -> None:
        """Remove a profile."""
        for key in set(keys(self.profiles.pop(profile_id))):
            self._forget(key, profile_id)

    def wipe(self) -> int:
        """Remove all profiles, and return how many there were."""
        count = len(self.profiles)
        self.profiles.clear()
        self._latest.clear()
        self._shared.clear()
        return count

    def subscribe(self, profile_id: str, subscription: subscriptions.Subscription) -> None:
        """Add a subscription to a profile, or change it."""
        self._store(profile_id, {"subscriptions": [subscription]})

    def subscriptions(self, profile_id: str) -> list[dict[str, Any]]:
        """The subscriptions of a profile."""
        return self.profiles[profile_id].get("subscriptions") or []

    def _store(self, profile_id: str | None, data: Profile) -> str:
        if profile_id is None:
            profile_id = hashlib.sha256(f"{self.db_id}/{self._made}".encode()).hexdigest()[:24]
            self._made += 1
            self.profiles[profile_id] = {}
        profile = self.profiles[profile_id]
        changed = _changed(profile, data)
        before = set(keys(profile))
        profile.update(changed)
        for name in [name for name in changed if changed[name] is None and functions.is_function(data[name])]:
            del profile[name]
        after = set(keys(profile))
        for key in before - after:
            self._forget(key, profile_id)
        for key in after - before:
            self._remember(key, profile_id)
        return profile_id

    def _remember(self, key: Key, profile_id: str) -> None:
        holder = self._latest.get(key)
        if holder is not None:
            self._shared.setdefault(key, {holder: None})[profile_id] = None
        self._latest[key] = profile_id

    def _forget(self, key: Key, profile_id: str) -> None:
        """Stop finding a profile by a key."""
        holders = self._shared.get(key)
        if holders is None:
            del self._latest[key]
            return
        del holders[profile_id]
        self._latest[key] = next(reversed(holders))
        if len(holders) == 1:
            del self._shared[key]


def is_email(value: Any) -> bool:
    """Whether it can be an e-mail address."""
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def _findable(data: Profile, place: Key) -> Profile:
    """A new profile with the value it was searched for by: the next import has to find it by that."""
    name, value = place
    if name.startswith("sub:") or place in keys(data):
        return data
    return {**data, name: [value] if name == "phones" else value}


def _taken(data: Profile, *, skip_invalid_subscriptions: bool) -> Profile:
    """The data of a profile that can be stored.

    :raises Refused: for data that cannot be stored.
    """
    _check_contacts(data)
    if "subscriptions" not in data:
        return data
    given = data["subscriptions"]
    if not isinstance(given, list):
        raise Refused(400, text="subscriptions must be an array")
    kept = []
    for one in given:
        try:
            kept.append(subscriptions.checked(one))
        except Refused:
            if not skip_invalid_subscriptions:
                raise
    return {**data, "subscriptions": kept}


def _changed(profile: Profile, data: Profile) -> Profile:
    """The new values of the fields that are given."""
    changed = {
        name: functions.applied(name, profile.get(name), value) if functions.is_function(value) else value
        for name, value in data.items()
    }
    if data.get("subscriptions") is not None:
        changed["subscriptions"] = subscriptions.merged(profile.get("subscriptions") or [], data["subscriptions"])
    return changed


def _check_contacts(data: Profile) -> None:
    email = data.get("email")
    if email is not None and not functions.is_function(email) and not is_email(email):
        raise Refused(400, text="Invalid email")
    phones = data.get("phones", data.get("phone"))
    if phones is None or functions.is_function(phones):
        return
    for phone in phones if isinstance(phones, list) else [phones]:
        if not _is_phone(str(phone)):
            raise Refused(400, text="Invalid phone")


def _is_phone(text: str) -> bool:
    return _PHONE.fullmatch(text) is not None and sum(letter.isdigit() for letter in text) >= 7
