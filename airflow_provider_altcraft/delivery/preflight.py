"""Check that a database has the fields that rows would fill, as far as Altcraft reports them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_provider_altcraft.api.suggestion import suggestion
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

SYSTEM_FIELDS = frozenset(
    {
        "_fname", "_lname", "_bdate", "_sex", "_status", "_tz", "_country", "_region", "_city", "_postal_code", "_ip",
        "_browser", "_vendor", "_regdate", "_regip", "_regurl", "_regcountry", "_regcity", "email", "phone", "phones",
        "subscriptions", "profile_id", "provider", "subscription_id",
    }
)  # fmt: skip
"""Fields of every profile (CONTRACT 12.3), and those that only serve to find one (CONTRACT 1.9)."""


def check_fields(fields: Sequence[str], answer: Any, key_fields: Iterable[str]) -> bool:
    """Check that a database has these fields.

    The answer's format is not documented, so any list of named objects in it is taken for the fields.

    :param fields: that rows would fill.
    :param answer: the payload of ``databases/fields_get``.
    :param key_fields: that identify the profile.
    :return: whether the answer lists any fields.
    :raises AltcraftConfigurationError: naming the missing fields, and the closest existing one.
    """
    known = set(_names(answer))
    if not known:
        return False
    unknown = [name for name in fields if name not in known | SYSTEM_FIELDS | set(key_fields)]
    if unknown:
        hint = suggestion(unknown[0], known | SYSTEM_FIELDS, f"It has {', '.join(sorted(known))}.")
        raise AltcraftConfigurationError(
            f"The database has no field {', '.join(map(repr, unknown))}.{hint} If it does, set check_fields=False."
        )
    return True


def _names(answer: Any) -> Iterable[str]:
    if isinstance(answer, dict):
        for value in answer.values():
            yield from _names(value) if isinstance(value, list) else ()
    elif isinstance(answer, list):
        for field in answer:
            name = field.get("name") or field.get("Name") if isinstance(field, dict) else None
            if isinstance(name, str):
                yield name
