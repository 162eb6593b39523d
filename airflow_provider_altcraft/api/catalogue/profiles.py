"""Profiles: their data, history, relations, subscriptions and goals."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.groups import (
    ANY_MATCHING,
    IMPORT_MATCHING,
    IMPORTING,
    LIMIT,
    PLAIN_MATCHING,
    RESOURCE,
    SKIP_TRIGGERS,
    SKIPPING,
)
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, ResponseKind, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

DB = "db_id/list_id: int!"
ONE = "data: object!"
MANY = "data: object[]!"
_LIST = "list_id/db_id: int! (in the path)"

# fmt: off
ROWS = (
    # An import converges, except for field functions (increase, add) and the triggers it fires (CONTRACT 13).
    row("profiles/import", IDEMPOTENT_WRITE, FULL, "Import profile",
        DB, ONE, ANY_MATCHING, IMPORTING, "add_to_segments: int[]; remove_from_segments: int[]",
        payload="profile_id", page="developer-guide/profiles/import"),
    row("profiles/import_batch", IDEMPOTENT_WRITE, PARTIAL, "Import multiple profiles",
        DB, MANY, ANY_MATCHING, RESOURCE, IMPORTING,
        payload="result", items="data", page="developer-guide/profiles/2195504"),
    row("profiles/add", CREATE, FULL, "Add profile to database",
        DB, ONE, SKIPPING,
        payload="profile_id", page="developer-guide/profiles/2195477",
        note="Does not look for the profile; only a second email is refused."),
    row("profiles/add_batch", CREATE, FULL, "Add multiple profiles",
        DB, MANY, SKIPPING,
        payload="result", items="data", page="developer-guide/profiles/2195496"),
    row("profiles/update", IDEMPOTENT_WRITE, PARTIAL, "Update profile",
        DB, ONE, ANY_MATCHING, IMPORTING,
        page="developer-guide/profiles/import"),
    row("profiles/update_batch", IDEMPOTENT_WRITE, PARTIAL, "Update multiple profiles",
        DB, MANY, ANY_MATCHING, RESOURCE, IMPORTING,
        payload="result", items="data", page="developer-guide/profiles/2195501",
        note="A subscription's status or priority of 0 counts as a value."),
    # With trigger_id or workflow_id, it sends messages.
    row("integrations/any/profile_import", LAUNCH, FULL, "Quick profile import",
        "db_id: int!; matching: email|email_profile|phone|str = email (or the name of a field)", RESOURCE,
        "email: str; phone: str; _regip: str; _regurl: str; trigger_id: int; workflow_id: int",
        "*: any (fields of the database, at least one)",
        answer=ResponseKind.STATUS, page="developer-guide/profiles/3113182",
        note="Starts the trigger mailing or scenario at the same time."),
    row("profiles/get", READ, PATH_ONLY, "Get profile data"),
    row("profiles/list", READ, PARTIAL, "Get data for multiple profiles",
        DB, "from_id: str (pointer from the answer before, empty first)", LIMIT, "query: object; fields: str[]",
        page="developer-guide/profiles/37847989"),
    row("profiles/get_all", CREATE, FULL, "Uploading profiles to a file",
        "source_type: database|segment!; source_id: int!; file_format: str = csv; custom_request: object",
        task="data.task_id", page="developer-guide/profiles/3115796"),
    row("profiles/delete", IRREVERSIBLE, FULL, "Delete profile",
        DB, PLAIN_MATCHING, RESOURCE,
        page="developer-guide/profiles/28936545", note="Needs a special right in the role of the token."),
    row("profiles/merge", IRREVERSIBLE, PARTIAL, "Merging multiple profiles",
        page="developer-guide/profiles/41484440"),
    row("profiles/split", UNKNOWN, PATH_ONLY, "Profile splitting"),
    row("profiles/message_unsub", IDEMPOTENT_WRITE, FULL, "Unsubscribe profile from resource",
        "rtoken: str!; smid: str!; categories: str[]",
        payload="profile_id", page="developer-guide/profiles/41484441"),
    row("v1.0/lists/{list_id}/suspend_all", IDEMPOTENT_WRITE, PARTIAL, "Suspend all database profiles",
        _LIST, answer=ResponseKind.STATUS, token_in_url=True, deprecated=True, page="developer-guide/profiles/2195553"),
    row("v1.0/lists/{list_id}/unsuspend_all", UNKNOWN, PATH_ONLY, "Unsuspend all profiles in a database",
        _LIST, answer=ResponseKind.STATUS, token_in_url=True, deprecated=True),

    row("subscribers/history_get", READ, PATH_ONLY, "Get profile action history"),
    row("subscribers/history_get_all", UNKNOWN, PATH_ONLY, "Get multiple profiles action history"),

    row("relations/attach", UNKNOWN, PATH_ONLY, "Attach relation"),
    row("relations/detach", UNKNOWN, PATH_ONLY, "Detach relation"),
    row("relations/strengthen", UNKNOWN, PATH_ONLY, "Modify relation properties"),
    row("relations/edit", UNKNOWN, PATH_ONLY, "Overwrite relation properties"),
    row("relations/get_counter", READ, PATH_ONLY, "Get profile relations info"),

    row("subscriptions/set", IDEMPOTENT_WRITE, PARTIAL, "Add or edit subscription",
        DB, "profile_id: str!; resource_id: int!; channel: email|sms|push|notify|viber|whatsapp|telegram_bot|str!",
        "email: str (by channel); phone: str (by channel); provider: str (by channel)",
        "subscription_id: str (by channel); cc_data: object (by channel)",
        "status: subscribed|unsubscribed|complained|hardbounced|unconfirmed|suspended|invalid|int (only to change it)",
        "priority: int; date: datetime; ip: str; url: str", SKIP_TRIGGERS,
        page="developer-guide/profiles/subscriptions/2195519"),
    row("subscriptions/list", READ, PATH_ONLY, "Get all profile subscriptions"),
    row("subscriptions/list_all", READ, PATH_ONLY, "Get all subscriptions from multiple profiles"),
    row("subscriptions/get", READ, PATH_ONLY, "Get profile subscription"),
    row("subscriptions/delete", UNKNOWN, PATH_ONLY, "Delete profile subscription"),
    row("subscriptions/undelete", UNKNOWN, PATH_ONLY, "Restore deleted subscription"),
    row("subscriptions/suspend_all", UNKNOWN, PATH_ONLY, "Suspend all subscriptions"),
    row("subscriptions/unsuspend_all", UNKNOWN, PATH_ONLY, "Unsuspend all suspended subscriptions"),

    row("goals/register", CREATE, PARTIAL, "Goals and goal values registration",
        DB, "pixel_id: int!; goal: str; goals: object[] (goal and value); value: float; date: datetime",
        IMPORT_MATCHING, "pixel_data: object (flat, up to 1 KB)", SKIP_TRIGGERS,
        "enrich_profile: bool = true; is_test: bool = false; vendor: str; referer: str; user_agent: str",
        "accept_language: str; client_ip: str",
        page="developer-guide/goals/2195843"),
    row("pushes/post_events", UNKNOWN, PATH_ONLY, "Add app push events"),
)
