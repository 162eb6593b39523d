"""Which methods there are, what they take and whether they change anything, as the documents say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """An answer with an error.

    :param code: its ``error``.
    :param debug: its ``error_debug``.
    :param text: its ``error_text``.
    """

    def __init__(self, code: int, debug: str = "", text: str = "Invalid request") -> None:
        super().__init__(debug or text)
        self.code = code
        self.debug = debug
        self.text = text


@dataclass(frozen=True, slots=True)
class Method:
    """What a method takes.

    :param takes: parameter -> type: ``int``, ``float``, ``str``, ``bool``, ``list``, ``strings`` (a list of them),
        ``dict`` or ``any``.
    :param needs: required parameters.
    :param changes: whether it changes data or launches something, and so is deduplicated (CONTRACT 1.8).
    """

    takes: Mapping[str, str]
    needs: tuple[str, ...] = ()
    changes: bool = False


def _takes(**kinds: str) -> dict[str, str]:
    """Parameters by type: ``int="id limit"``."""
    return {name: kind for kind, names in kinds.items() for name in names.split()}


_ID = _takes(int="id")
_PAGE = _takes(int="from_id limit", list="ui_tags groups groups_id", dict="attributes")
_MATCH = _takes(str="matching email phone profile_id field_name", any="field_value")
_IMPORT = {**_MATCH, **_takes(int="resource_id", bool="skip_triggers skip_invalid_subscriptions detect_geo")}
_MESSAGE = _takes(dict="content custom_data", list="attach")
_MAILING = _takes(
    str="name data_type send_channel subid push_sending_mode",
    int="data_id resource_id limit aglimit_count policy_id virtual_sender_id watched_list_id watcher_limit",
    float="agllimit_percent",
    bool="is_active is_random_tracking_prefix unconditional_sending",
    list="content custom_tracking_domains blind_carbon_copy",
    dict="start_schedule attributes",
)
_MAILING_NEEDS = ("name", "data_type", "data_id", "content", "send_channel")
_RUN = _takes(str="override_source_type", int="override_source_id override_limit", dict="content", list="attach")
_TRIGGER = {"id": "str", **_MATCH, **_MESSAGE, **_takes(int="resource_id", dict="custom_request subscription_filter")}

METHODS: dict[str, Method] = {
    "tasks/status": Method(_takes(str="task_id"), ("task_id",)),
    "databases/list": Method(_PAGE),
    "databases/get": Method(_ID, ("id",)),
    "databases/fields_get": Method(_ID, ("id",)),
    "profiles/import": Method(
        {**_IMPORT, **_takes(int="db_id", dict="data", list="add_to_segments remove_from_segments")},
        ("db_id", "data"),
        changes=True,
    ),
    "profiles/import_batch": Method({**_IMPORT, **_takes(int="db_id", list="data")}, ("db_id", "data"), changes=True),
    "profiles/update_batch": Method({**_IMPORT, **_takes(int="db_id", list="data")}, ("db_id", "data"), changes=True),
    "profiles/add_batch": Method(
        _takes(int="db_id", list="data", bool="skip_triggers skip_invalid_subscriptions"),
        ("db_id", "data"),
        changes=True,
    ),
    "profiles/list": Method(_takes(int="db_id limit", any="from_id", dict="query", list="fields"), ("db_id",)),
    "segments/list": Method(_PAGE),
    "suppresses/email_add": Method(_takes(int="id", str="email"), ("id", "email"), changes=True),
    "suppresses/emails_add": Method(_takes(int="id", strings="emails"), ("id", "emails"), changes=True),
    "promocodes/import": Method(_takes(int="loyalty_id", strings="codes"), ("codes", "loyalty_id"), changes=True),
    "market/orders/import": Method(
        _takes(list="data custom_fields custom_line_statuses", bool="skip_triggers"), ("data",), changes=True
    ),
    "workflows/list": Method(_PAGE),
    "workflows/activate": Method(_takes(int="id", bool="skip_profiles"), ("id",), changes=True),
    "workflows/import_and_start_batch_task": Method(
        {**_IMPORT, **_MESSAGE, **_takes(int="workflow_id", list="data")}, ("workflow_id", "matching"), changes=True
    ),
    "scampaigns/list": Method({**_PAGE, "state": "str"}),
    "scampaigns/get": Method(_takes(int="id", bool="marketing_activities"), ("id",)),
    "scampaigns/get_status": Method(_ID, ("id",)),
    "scampaigns/activate": Method(
        _takes(int="id", str="activate_date start_date deactivate_date completed_date"), ("id",), changes=True
    ),
    "scampaigns/deactivate": Method(_ID, ("id",), changes=True),
    "scampaigns/completed": Method(_ID, ("id",), changes=True),
    "campaigns/list": Method({**_PAGE, **_takes(str="type", bool="is_active")}),
    "campaigns/get": Method(_ID, ("id",)),
    "campaigns/get_status": Method(_ID, ("id",)),
    "campaigns/log_v2": Method(_takes(int="id limit", str="from_time"), ("id",)),
    "campaigns/activate": Method({**_RUN, **_takes(int="id", bool="run_now")}, ("id",), changes=True),
    "campaigns/clone": Method(_takes(int="id", str="name"), ("id",), changes=True),
    "campaigns/triggers/start": Method(_TRIGGER, ("id",), changes=True),
    "campaigns/deactivate": Method(_takes(int="id", bool="abort_if_running"), ("id",), changes=True),
    **{f"campaigns/{kind}s/add": Method(_MAILING, _MAILING_NEEDS, changes=True) for kind in ("broadcast", "regular")},
    **{f"campaigns/{kind}s/get": Method(_ID, ("id",)) for kind in ("broadcast", "regular", "trigger")},
    **{
        f"campaigns/{kind}s/list": Method({**_PAGE, **_takes(str="type", bool="is_active")})
        for kind in ("broadcast", "regular", "trigger")
    },
    **{
        f"campaigns/{kind}s/start": Method({"id": "int", **_RUN}, ("id",), changes=True)
        for kind in ("broadcast", "regular")
    },
    "campaigns/triggers/import_and_start_batch_task": Method(
        {**_IMPORT, **_MESSAGE, **_takes(int="trigger_id", list="data")}, ("trigger_id", "data"), changes=True
    ),
}
"""Every method that is emulated. A row here and a function in ``methods`` make another."""


def checked(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call, as their types.

    :raises Refused: for a method that is not emulated, an unknown parameter, a wrong type, or a missing one.
    """
    method = METHODS.get(name)
    if method is None:
        raise Refused(404, f"{name} is not emulated", "Not found")
    given = {key: value for key, value in body.items() if key not in {"token", "format"}}
    for key in given:
        if key not in method.takes:
            raise Refused(400, f"unknown parameter: {key}")
    for key in method.needs:
        if given.get(key) in (None, ""):
            raise Refused(400, f"missing parameter: {key}")
    return {key: _typed(key, value, method.takes[key]) for key, value in given.items()}


def _typed(key: str, value: Any, kind: str) -> Any:
    """A value as its type; numbers and booleans may come as strings (CONTRACT 1.7)."""
    if value is None or kind == "any":
        return value
    try:
        if kind in {"int", "float"} and not isinstance(value, bool | list | dict):
            return int(str(value)) if kind == "int" else float(value)
        if kind == "bool" and str(value).lower() in {"true", "false"}:
            return str(value).lower() == "true"
        if kind == "str" and isinstance(value, str | int):
            return str(value)
    except ValueError:
        pass
    if (kind, type(value)) in {("list", list), ("dict", dict)}:
        return value
    if kind == "strings" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise Refused(400, f"wrong type of parameter: {key} must be {kind}")
