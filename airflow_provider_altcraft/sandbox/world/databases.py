"""Databases, and the profiles in them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused

MATCHING = {
    "email", "email_profile", "email_sub", "phone", "phone_sub", "profile_id", "push_sub", "custom", "custom_sub",
    "email_phone", "email_phone_sub",
}  # fmt: skip
"""Ways to find a profile (CONTRACT 1.9)."""

SYSTEM_FIELDS = {
    "_fname": "string", "_lname": "string", "_bdate": "date", "_sex": "int", "_status": "int", "_tz": "string",
    "_country": "string", "_region": "string", "_city": "string", "_postal_code": "string", "_ip": "string",
    "_browser": "string", "_vendor": "string", "_regdate": "datetime", "_regip": "string", "_regurl": "string",
    "_regcountry": "string", "_regcity": "string", "email": "string", "phones": "array", "subscriptions": "array",
}  # fmt: skip
"""Fields that every database has (CONTRACT 12.3). The names are documented, most of the types are not."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d\s()-]+")


@dataclass(slots=True)
class Database:
    """Profiles, found by what identifies them.

    :param db_id: its id.
    :param name: its name.
    :param fields: type by custom field. They are shown, not enforced: a profile may carry any field.
    """

    db_id: int
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    _index: dict[tuple[str, str], str] = field(default_factory=dict)

    def save(self, data: dict[str, Any], matching: str, field_name: str | None, *, known: bool | None) -> str:
        """Add or update a profile; its id.

        :param known: ``True`` updates only, ``False`` adds only, ``None`` does either.
        :raises Refused: for a profile that cannot be taken.
        """
        if matching not in MATCHING:
            raise Refused(400, text=f"Unknown matching: {matching}")
        _check_contacts(data)
        if known is False:
            key = ("email", str(data.get("email") or ""))
            if key in self._index and key[1]:
                raise Refused(400, text="Duplicate email")
            return self._store(None, data)
        name = _field(matching, field_name)
        value = _single(data.get(name) or (data.get("phone") if name == "phones" else None))
        if not value:
            raise Refused(400, text=f"No value to match by: {name}")
        found = self.find(matching, field_name, value)
        if found is None and (known or name == "profile_id"):
            raise Refused(404, text="Profile not found")
        return self._store(found, data)

    def find(self, matching: str, field_name: str | None, value: Any) -> str | None:
        """The id of the profile with this value, if there is one."""
        name = _field(matching, field_name)
        return str(value) if name == "profile_id" and value in self.profiles else self._index.get((name, str(value)))

    def _store(self, profile_id: str | None, data: dict[str, Any]) -> str:
        if profile_id is None:
            seed = f"{self.db_id}/{len(self.profiles)}"
            profile_id = hashlib.sha256(seed.encode()).hexdigest()[:24]
            self.profiles[profile_id] = {}
        profile = self.profiles[profile_id]
        for name in data:
            # What a profile was found by before does not find it any more.
            self._index.pop((name, _single(profile.get(name))), None)
        profile.update(data)
        for name, value in data.items():
            if isinstance(value, str | int):
                self._index[name, str(value)] = profile_id
        phone = _single(data.get("phones"))
        if phone:
            self._index["phones", phone] = profile_id
        return profile_id


def _field(matching: str, field_name: str | None) -> str:
    """The field of a profile that a matching looks in."""
    names = {"phone": "phones", "phone_sub": "phones", "profile_id": "profile_id"}
    return field_name or names.get(matching, "email")


def is_email(value: Any) -> bool:
    """Whether it can be an e-mail address."""
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def _check_contacts(data: dict[str, Any]) -> None:
    email = data.get("email")
    if email is not None and not is_email(email):
        raise Refused(400, text="Invalid email")
    phones = data.get("phones", data.get("phone"))
    for phone in phones if isinstance(phones, list) else [phones] if phones is not None else []:
        if not _PHONE.fullmatch(str(phone)) or sum(letter.isdigit() for letter in str(phone)) < 7:
            raise Refused(400, text="Invalid phone")


def _single(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return "" if first in (None, []) else str(first)
