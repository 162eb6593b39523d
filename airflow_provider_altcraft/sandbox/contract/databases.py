"""Databases, resources and segments (CONTRACT 9)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import ID, PAGE, Method, takes

_LIST = {**PAGE, **takes(strings="ui_tags groups", ints="groups_id")}
_SEGMENT = takes(int="list_id", str="name", dicts="segment", bool="is_static is_refresh_daily")

METHODS: dict[str, Method] = {
    "databases/list": Method(_LIST),
    "databases/get": Method(ID, ("id",)),
    "databases/fields_get": Method(ID, ("id",), documented="path-only"),
    "databases/wipe": Method(ID, ("id",), changes=True),
    "databases/refresh_counters": Method(
        takes(int="id resource_id", dict="feedback"),
        ("id", "resource_id"),
        changes=True,
        checksum=False,
        documented="partial",
    ),
    "resources/refresh_counters": Method(
        takes(int="id list_id", dict="feedback"), ("id", "list_id"), changes=True, checksum=False, documented="partial"
    ),
    "segments/list": Method(_LIST, documented="partial"),
    "segments/add": Method(_SEGMENT, ("name",), changes=True),
    "segments/update": Method(
        takes(int="id list_id", str="name", dicts="segment"),
        ("id", "name", "segment"),
        changes=True,
        documented="partial",
    ),
    "segments/refresh_counters": Method(
        takes(int="id resource_id db_id"), ("id", "resource_id"), changes=True, checksum=False
    ),
    "segments/get_counters": Method(takes(int="id resource_id list_id"), ("id", "resource_id")),
}
