"""Whether a database has the fields that rows would fill, as far as Altcraft tells."""

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
"""Fields of every profile (CONTRACT 12.3), and those that only find one (CONTRACT 1.9)."""


def check_fields(fields: Sequence[str], answer: Any, key_fields: Iterable[str]) -> bool:
    """Refuse fields that a database does not have.

    How Altcraft's answer looks is not documented, so any list of named objects in it is taken for the fields.

    :param fields: that rows would fill.
    :param answer: the payload of ``databases/fields_get``.
    :param key_fields: that find the profile.
    :return: whether the answer named any fields.
    :raises AltcraftConfigurationError: naming the fields it does not have, and the nearest that it does.
    """
    known = set(_names(answer))
    if not known:
        return False
    unknown = [name for name in fields if name not in known | SYSTEM_FIELDS | set(key_fields)]
    if unknown:
        hint = suggestion(unknown[0], known | SYSTEM_FIELDS, f"It has {', '.join(sorted(known))}.")
        raise AltcraftConfigurationError(
            f"The database has no field {', '.join(map(repr, unknown))}.{hint} If it does have it, set"
            " check_fields=False."
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
