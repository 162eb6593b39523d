"""Data for action hooks, sent beside a profile and not in it (CONTRACT 3.1, 7.4).

In a record it is the last field, ``custom_data``; in the body it is outside the profile: the record
``{"email": "a", "custom_data": {"n": 1}}`` becomes the item ``{"data": {"email": "a"}, "custom_data": {"n": 1}}``. The
difference in length is that of any record and its item, so sizes stay exact (if the profile has any field at all).
"""

from __future__ import annotations

import msgspec

from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

FIELD = "custom_data"
KEY = b'"custom_data":'


class _Record(msgspec.Struct):
    custom_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _BodyItem(msgspec.Struct):
    data: msgspec.Raw
    custom_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_RECORD = msgspec.json.Decoder(_Record)
_ITEM = msgspec.json.Decoder(_BodyItem)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def checked(records: JsonLines) -> JsonLines:
    """Records with the data for hooks moved to the end; nulls are removed.

    :raises AltcraftConfigurationError: if it is not an object.
    """
    if not any(KEY in part for part in records.parts):
        return records
    return JsonLines.of([_checked(record) for record in records])


def item_of(record: bytes) -> bytes:
    """The item of the body for a record that ``checked`` returned."""
    custom = _RECORD.decode(record).custom_data
    if custom is msgspec.UNSET:
        return b'{"data":%s}' % record
    data = bytes(custom)
    # Cut off the comma before the key, the key, the data and the closing brace.
    profile = record[: -len(KEY) - len(data) - 2]
    return b'{"data":%s},%s%s}' % (profile, KEY, data)


def record_of(item: bytes) -> bytes:
    """The record of an item of the body: the reverse of ``item_of``."""
    found = _ITEM.decode(item)
    profile = bytes(found.data)
    if found.custom_data is msgspec.UNSET:
        return profile
    return b"%s,%s%s}" % (profile[:-1], KEY, bytes(found.custom_data))


def _checked(record: bytes) -> bytes:
    fields = _FIELDS.decode(record)
    if FIELD not in fields:
        return record
    data = fields.pop(FIELD)
    if bytes(data) == b"null":
        return msgspec.json.encode(fields)
    if bytes(data)[:1] != b"{":
        # The value is not quoted: it may be personal data.
        raise AltcraftConfigurationError(
            "custom_data of a row must be an object with data for action hooks: a dictionary, a JSON column, or columns"
            " mapped to custom_data.<name>."
        )
    return msgspec.json.encode({**fields, FIELD: data})
