"""Data for action hooks, which stands beside a profile and not in it (CONTRACT 3.1, 7.4).

In a record it is the field ``custom_data``, the last one. In the body, it has left the profile:
``{"email": "a", "custom_data": {"n": 1}}`` is the item ``{"data": {"email": "a"}, "custom_data": {"n": 1}}``. Both are
as long as any record and its item, if the profile has a field at all.
"""

from __future__ import annotations

import msgspec

from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

FIELD = "custom_data"
KEY = b'"custom_data":'


class _Record(msgspec.Struct):
    custom_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Item(msgspec.Struct):
    data: msgspec.Raw
    custom_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_RECORD = msgspec.json.Decoder(_Record)
_ITEM = msgspec.json.Decoder(_Item)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def checked(records: JsonLines) -> JsonLines:
    """Records in which the data of hooks comes last; where it is null, it is left out.

    :raises AltcraftConfigurationError: where it is no object.
    """
    if not any(KEY in part for part in records.parts):
        return records
    return JsonLines.of([_checked(record) for record in records])


def item_of(record: bytes) -> bytes:
    """How a record of ``checked`` stands in the body."""
    custom = _RECORD.decode(record).custom_data
    if custom is msgspec.UNSET:
        return b'{"data":%s}' % record
    data = bytes(custom)
    # A comma before it, a brace after it.
    profile = record[: -len(KEY) - len(data) - 2]
    return b'{"data":%s},%s%s}' % (profile, KEY, data)


def record_of(item: bytes) -> bytes:
    """The record that stands in the body as this item."""
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
        # The value is not quoted: it is somebody's data.
        raise AltcraftConfigurationError(
            "custom_data of a row must be an object, the data for action hooks: a dictionary, a JSON column, or columns"
            " that are mapped to custom_data.<name>."
        )
    return msgspec.json.encode({**fields, FIELD: data})
