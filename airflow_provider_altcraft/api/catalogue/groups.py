"""Parameters shared by many methods."""

from __future__ import annotations

FROM_ID = "from_id: int = 1"
LIMIT = "limit: int = 1000"
PAGE = f"{FROM_ID}; {LIMIT}"
LABELS = "ui_tags: str[]; groups: str[]; groups_id: int[]"
LIST = f"{PAGE}; {LABELS}"

_VALUES = (
    "email: str (by matching); phone: str (by matching); profile_id: str (by matching); field_name: str (by matching);"
    " field_value: int|str (by matching)"
)
ANY_MODE = (
    "matching: email|email_profile|email_sub|phone|phone_sub|profile_id|push_sub|custom|custom_sub|email_phone"
    "|email_phone_sub = email"
)
ANY_MATCHING = f"{ANY_MODE}; {_VALUES}"
IMPORT_MATCHING = f"matching: email|email_profile|phone|profile_id|custom = email; {_VALUES}"
PLAIN_MATCHING = f"matching: email|phone|profile_id|custom = email; {_VALUES}"
# The documentation has them both as required and with a default (CONTRACT 14.5).
SCENARIO_IMPORT_MATCHING = IMPORT_MATCHING.replace(" = email", "! = email")
SCENARIO_PLAIN_MATCHING = PLAIN_MATCHING.replace(" = email", "! = email")

SKIP_TRIGGERS = "skip_triggers: bool = false"
SKIPPING = f"{SKIP_TRIGGERS}; skip_invalid_subscriptions: bool = false"
IMPORTING = f"{SKIPPING}; detect_geo: bool"
RESOURCE = "resource_id: int"
MESSAGE = "content: object; custom_data: object; attach: object[]"
TIMEOUT = "timeout: object (delay before sending: days, hours, minutes)"
