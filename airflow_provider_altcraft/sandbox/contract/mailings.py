"""Mailings: broadcasts, regulars and triggers (CONTRACT 5 to 7)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import (
    CHANNELS,
    ID,
    IMPORT,
    LIST,
    MATCH,
    MATCHING,
    MATCHING_FIVE,
    MATCHING_FOUR,
    MESSAGE,
    Documented,
    Method,
    takes,
)

KINDS = ("broadcast", "regular", "trigger")
_SOURCES = ("list", "segment")

_MAILING = takes(
    str="name data_type send_channel subid push_sending_mode",
    int="data_id resource_id limit aglimit_count policy_id virtual_sender_id watched_list_id watcher_limit",
    float="agllimit_percent",
    bool="is_active is_random_tracking_prefix unconditional_sending",
    dicts="content",
    strings="custom_tracking_domains blind_carbon_copy",
    dict="start_schedule attributes",
)
_MAILING_NEEDS = ("name", "data_type", "data_id", "content", "send_channel")
_MAILING_CHOICES = {"data_type": _SOURCES, "send_channel": CHANNELS, "push_sending_mode": ("fanout", "last")}
_RUN = takes(str="override_source_type", int="override_source_id override_limit", dict="content", dicts="attach")
_RUN_CHOICES = {"override_source_type": _SOURCES}
_LIST = {**LIST, **takes(str="type", bool="is_active")}
_FIND = takes(int="resource_id", dict="custom_request subscription_filter")
_START = Method({"id": "int", **_RUN}, ("id",), changes=True, documented="partial", choices=_RUN_CHOICES)


def _update(documented: Documented) -> Method:
    needs = ("id", "name", "data_type", "data_id", "content")
    return Method({"id": "int", **_MAILING}, needs, changes=True, documented=documented, choices=_MAILING_CHOICES)


def _import_and_start(own: dict[str, str]) -> Method:
    parameters, choices = {**IMPORT, **MESSAGE, **takes(int="trigger_id"), **own}, {"matching": MATCHING_FIVE}
    return Method(parameters, ("trigger_id", "data"), changes=True, documented="partial", choices=choices)


METHODS: dict[str, Method] = {
    "campaigns/list": Method(_LIST, documented="partial", choices={"type": KINDS}),
    "campaigns/get": Method(ID, ("id",), documented="partial"),
    "campaigns/get_status": Method(ID, ("id",)),
    "campaigns/log_v2": Method(takes(int="id limit", str="from_time"), ("id",)),
    "campaigns/activate": Method(
        {**_RUN, **takes(int="id", bool="run_now")}, ("id",), changes=True, choices=_RUN_CHOICES
    ),
    "campaigns/deactivate": Method(takes(int="id", bool="abort_if_running"), ("id",), changes=True),
    "campaigns/clone": Method(takes(int="id", str="name"), ("id",), changes=True),
    "campaigns/broadcasts/add": Method(
        _MAILING, _MAILING_NEEDS, changes=True, documented="partial", choices=_MAILING_CHOICES
    ),
    "campaigns/regulars/add": Method(_MAILING, _MAILING_NEEDS, changes=True, choices=_MAILING_CHOICES),
    "campaigns/broadcasts/update": _update("partial"),
    "campaigns/regulars/update": _update("path-only"),
    "campaigns/broadcasts/start": _START,
    "campaigns/regulars/start": _START,
    "campaigns/broadcasts/get": Method(ID, ("id",)),
    "campaigns/regulars/get": Method(ID, ("id",)),
    "campaigns/triggers/get": Method(ID, ("id",)),
    "campaigns/broadcasts/list": Method(_LIST, choices={"type": ("broadcast",)}),
    "campaigns/regulars/list": Method(_LIST, choices={"type": ("regular",)}),
    "campaigns/triggers/list": Method(_LIST, documented="path-only", choices={"type": ("trigger",)}),
    "campaigns/triggers/add": Method(
        takes(
            str="name subid trigger_type send_channel push_sending_mode",
            int="skip_minutes resource_id policy_id",
            bool="is_active",
            dicts="content",
        ),
        ("name", "content", "trigger_type", "send_channel"),
        changes=True,
        documented="partial",
        choices={"send_channel": CHANNELS, "push_sending_mode": ("fanout", "last")},
    ),
    "campaigns/triggers/clone": Method(takes(int="id", str="name"), ("id",), changes=True, documented="partial"),
    "campaigns/triggers/start": Method(
        {"id": "str", **MATCH, **MESSAGE, **_FIND},
        ("id",),
        changes=True,
        documented="partial",
        choices={"matching": MATCHING_FOUR},
    ),
    "campaigns/triggers/start_batch": Method(
        {**MESSAGE, **takes(int="trigger_id", dicts="data", str="matching field_name")},
        ("trigger_id", "data"),
        changes=True,
        choices={"matching": MATCHING},
    ),
    "campaigns/triggers/start_batch_task": Method(
        {**MATCH, **MESSAGE, **takes(int="id trigger_id", dicts="data", dict="custom_request")},
        ("data",),
        changes=True,
        documented="partial",
        choices={"matching": MATCHING},
    ),
    "campaigns/triggers/import_and_start": _import_and_start(takes(int="db_id", dict="data timeout")),
    "campaigns/triggers/import_and_start_batch": _import_and_start(takes(list="data", dict="timeout")),
    "campaigns/triggers/import_and_start_batch_task": _import_and_start(takes(list="data")),
}
