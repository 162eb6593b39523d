"""Profiles, their subscriptions and their goals (CONTRACT 8, 11)."""

from __future__ import annotations

from airflow_provider_altcraft.sandbox.contract.method import (
    IMPORT,
    MATCH,
    MATCHING,
    MATCHING_FIVE,
    MATCHING_FOUR,
    Method,
    takes,
)

_PUSH = takes(str="provider subscription_id")
_ONE = {**IMPORT, **_PUSH, **takes(int="db_id", dict="data")}
_MANY = {**IMPORT, **_PUSH, **takes(int="db_id", list="data")}
_SKIPS = takes(bool="skip_triggers skip_invalid_subscriptions")
_ANY = {"matching": MATCHING}

SUBSCRIPTION_CHANNELS = ("email", "sms", "push", "notify", "viber", "whatsapp", "telegram_bot")
"""CONTRACT 12.4."""

METHODS: dict[str, Method] = {
    "profiles/import": Method(
        {**_ONE, **takes(ints="add_to_segments remove_from_segments")}, ("db_id", "data"), changes=True, choices=_ANY
    ),
    "profiles/import_batch": Method(_MANY, ("db_id", "data"), changes=True, documented="partial", choices=_ANY),
    "profiles/update": Method(_ONE, ("db_id", "data"), changes=True, documented="partial", choices=_ANY),
    "profiles/update_batch": Method(_MANY, ("db_id", "data"), changes=True, documented="partial", choices=_ANY),
    "profiles/add": Method({**_SKIPS, **takes(int="db_id", dict="data")}, ("db_id", "data"), changes=True),
    "profiles/add_batch": Method({**_SKIPS, **takes(int="db_id", list="data")}, ("db_id", "data"), changes=True),
    "profiles/list": Method(
        takes(int="db_id limit", any="from_id", dict="query", strings="fields"), ("db_id",), documented="partial"
    ),
    "profiles/get_all": Method(
        takes(str="source_type file_format", int="source_id", dict="custom_request"),
        ("source_type", "source_id"),
        changes=True,
        checksum=False,
        choices={"source_type": ("database", "segment"), "file_format": ("csv", "json")},
    ),
    "profiles/delete": Method(
        {**MATCH, **takes(int="db_id resource_id")}, ("db_id",), changes=True, choices={"matching": MATCHING_FOUR}
    ),
    "profiles/message_unsub": Method(takes(str="rtoken smid", strings="categories"), ("rtoken", "smid"), changes=True),
    "integrations/any/profile_import": Method(
        takes(str="matching email phone _regip _regurl", int="db_id resource_id trigger_id workflow_id"),
        ("db_id",),
        changes=True,
        open=True,
        http_status=True,
    ),
    "v1.0/lists/{list_id}/suspend_all": Method(takes(int="list_id"), ("list_id",), changes=True, documented="partial"),
    "subscriptions/set": Method(
        takes(
            int="db_id resource_id priority",
            str="profile_id channel email phone provider subscription_id date ip url",
            any="status",
            dict="cc_data",
            bool="skip_triggers",
        ),
        ("db_id", "profile_id", "resource_id", "channel"),
        changes=True,
        documented="partial",
        choices={"channel": SUBSCRIPTION_CHANNELS},
    ),
    "goals/register": Method(
        {
            **MATCH,
            **takes(
                int="db_id pixel_id",
                str="goal date vendor referer user_agent accept_language client_ip",
                float="value",
                dicts="goals",
                dict="pixel_data",
                bool="skip_triggers enrich_profile is_test",
            ),
        },
        ("db_id", "pixel_id"),
        changes=True,
        documented="partial",
        choices={"matching": MATCHING_FIVE},
    ),
}
