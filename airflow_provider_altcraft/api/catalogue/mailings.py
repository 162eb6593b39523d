"""Mailings, their templates and senders. The paths say ``campaigns``, the word of older editions."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.groups import (
    ANY_MATCHING,
    ANY_MODE,
    IMPORT_MATCHING,
    IMPORTING,
    LIMIT,
    LIST,
    MESSAGE,
    PAGE,
    PLAIN_MATCHING,
    RESOURCE,
    TIMEOUT,
)
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

MAILING = "id/mailing_id: int!"
RUN = (
    "override_source_type: list|segment; override_source_id: int; override_limit: int; content: object;"
    " attach: object[]"
)
# agllimit_percent and watched_list_id are spelled differently in answers (CONTRACT 14.7).
SETTINGS = (
    "name: str!; is_active: bool; data_type: list|segment!; data_id: int!; resource_id: int; content: object[]!;"
    " subid: str; start_schedule: object; limit: int; aglimit_count: int; agllimit_percent/aglimit_percent: float;"
    " policy_id: int; push_sending_mode: fanout|last = fanout; virtual_sender_id: int;"
    " is_random_tracking_prefix: bool; custom_tracking_domains: str[]; blind_carbon_copy: str[];"
    " unconditional_sending: bool; watched_list_id/watcher_list_id: int; watcher_limit: int"
)
CHANNEL = "send_channel: email|sms|push|str!"
ATTRIBUTES = "attributes: object"
IS_ACTIVE = "is_active: bool"

# trigger_id works for all methods: the API calls it id in some and trigger_id in others (CONTRACT 14.4).
TRIGGER = "id/trigger_id: int!"
TRIGGER_ID = "trigger_id/id: int!"

# fmt: off
ROWS = (
    # With run_now it launches, every time (CONTRACT 5.3).
    row("campaigns/activate", LAUNCH, FULL, "Activate mailing",
        MAILING, "run_now: bool", RUN,
        page="developer-guide/campaigns/2195660", note="What overrides a run goes with run_now."),
    row("campaigns/deactivate", IDEMPOTENT_WRITE, FULL, "Deactivate mailing",
        MAILING, "abort_if_running: bool = false",
        page="developer-guide/campaigns/2195662"),
    row("campaigns/get", READ, PARTIAL, "Get mailing information",
        MAILING, page="developer-guide/campaigns/2195650"),
    row("campaigns/get_status", READ, FULL, "Get mailing status",
        MAILING, page="developer-guide/campaigns/2195664"),
    row("campaigns/log_v2", READ, FULL, "Get mailing log",
        MAILING, "from_time: datetime", LIMIT,
        page="developer-guide/campaigns/2195652"),
    row("campaigns/list", READ, PARTIAL, "Get mailing list",
        LIST, "type: trigger|broadcast|regular|str", IS_ACTIVE, ATTRIBUTES,
        page="developer-guide/campaigns/2195648"),
    row("campaigns/clone", CREATE, FULL, "Clone mailing",
        MAILING, "name: str = Clone of ...",
        page="developer-guide/campaigns/2195654"),
    row("campaigns/delete", UNKNOWN, PATH_ONLY, "Delete mailing"),

    row("campaigns/broadcasts/add", CREATE, PARTIAL, "Create broadcast mailing",
        SETTINGS, CHANNEL, ATTRIBUTES,
        page="developer-guide/campaigns/broadcast-campaigns/2195891"),
    row("campaigns/broadcasts/update", IDEMPOTENT_WRITE, PARTIAL, "Update broadcast mailing",
        MAILING, SETTINGS,
        page="developer-guide/campaigns/broadcast-campaigns/2195895", note="Leaves the channel alone."),
    row("campaigns/broadcasts/start", LAUNCH, PARTIAL, "Launch a broadcast mailing",
        MAILING, RUN,
        page="developer-guide/campaigns/broadcast-campaigns/3116196", note="The mailing must be active."),
    row("campaigns/broadcasts/get", READ, FULL, "Get broadcast information",
        MAILING, page="developer-guide/campaigns/broadcast-campaigns/2195887"),
    row("campaigns/broadcasts/list", READ, FULL, "Get broadcasts list",
        LIST, IS_ACTIVE, "type: broadcast (required by the table, not by its example)", ATTRIBUTES,
        page="developer-guide/campaigns/broadcast-campaigns/2195885"),

    row("campaigns/regulars/add", CREATE, FULL, "Create regular mailing",
        SETTINGS, CHANNEL, ATTRIBUTES,
        page="developer-guide/campaigns/regular-campaigns/2195903"),
    row("campaigns/regulars/update", UNKNOWN, PATH_ONLY, "Update regular mailing"),
    row("campaigns/regulars/start", LAUNCH, PARTIAL, "Launch a regular mailing",
        MAILING, RUN,
        page="developer-guide/campaigns/regular-campaigns/3116201", note="The mailing must be active."),
    row("campaigns/regulars/get", READ, FULL, "Get regular mailing information",
        MAILING, page="developer-guide/campaigns/regular-campaigns/2195901"),
    row("campaigns/regulars/list", READ, FULL, "Get regular mailings list",
        LIST, IS_ACTIVE, ATTRIBUTES,
        page="developer-guide/campaigns/regular-campaigns/2195899"),

    # Only active trigger mailings of type api_call can be started (CONTRACT 7).
    row("campaigns/triggers/add", CREATE, PARTIAL, "Create trigger mailing",
        "name: str!; is_active: bool; content: object[]!; subid: str; trigger_type: api_call|str!; skip_minutes: int",
        RESOURCE, CHANNEL, "policy_id: int; push_sending_mode: str = fanout",
        page="developer-guide/campaigns/trigger-campaigns/2195922"),
    row("campaigns/triggers/update", UNKNOWN, PATH_ONLY, "Update trigger mailing"),
    row("campaigns/triggers/clone", CREATE, PARTIAL, "Clone a trigger mailing",
        TRIGGER, "name: str",
        page="developer-guide/campaigns/trigger-campaigns/56258725"),
    row("campaigns/triggers/start", LAUNCH, PARTIAL, "Trigger launch (API call)",
        "id/trigger_id: str|int!", PLAIN_MATCHING, RESOURCE, "custom_request: object; subscription_filter: object",
        MESSAGE,
        page="developer-guide/campaigns/trigger-campaigns/2196177"),
    row("campaigns/triggers/start_batch", LAUNCH, FULL, "Bulk trigger launch",
        TRIGGER_ID, "data: array!", ANY_MODE, "field_name: str (by matching)", MESSAGE,
        payload="result", items="data", page="developer-guide/campaigns/trigger-campaigns/37847471"),
    # Its page says id, that of the method above says trigger_id: both are sent (CONTRACT 7.3).
    row("campaigns/triggers/start_batch_task", LAUNCH, PARTIAL, "Task for bulk trigger launch",
        "id+trigger_id: int!", "data: array!", ANY_MATCHING, "custom_request: object", MESSAGE,
        items="data", task="not seen", page="developer-guide/campaigns/trigger-campaigns/33063451"),
    row("campaigns/triggers/import_and_start", LAUNCH, PARTIAL, "Profile import + trigger mailing launch",
        TRIGGER_ID, "data: object!", IMPORT_MATCHING, RESOURCE, IMPORTING, MESSAGE, TIMEOUT,
        "db_id/list_id: int (seen in an example)",
        page="developer-guide/campaigns/trigger-campaigns/22708362"),
    row("campaigns/triggers/import_and_start_batch", LAUNCH, PARTIAL, "Bulk profiles import + trigger mailing launch",
        TRIGGER_ID, "data: object[]!", IMPORT_MATCHING, RESOURCE, IMPORTING, MESSAGE, TIMEOUT,
        items="data", wrapped=True, page="developer-guide/campaigns/trigger-campaigns/37847473"),
    row("campaigns/triggers/import_and_start_batch_task", LAUNCH, PARTIAL,
        "Task for bulk profiles import + trigger launch",
        TRIGGER_ID, "data: object[]!", IMPORT_MATCHING, RESOURCE, IMPORTING, MESSAGE,
        items="data", wrapped=True, task="not seen", page="developer-guide/campaigns/trigger-campaigns/33063474"),
    row("campaigns/triggers/get", READ, FULL, "Get trigger mailing information",
        TRIGGER, page="developer-guide/campaigns/trigger-campaigns/2195917"),
    row("campaigns/triggers/list", READ, PATH_ONLY, "Get trigger mailings list"),

    row("templates/add", UNKNOWN, PATH_ONLY, "Add template"),
    row("templates/update", UNKNOWN, PATH_ONLY, "Update template"),
    row("templates/get", READ, PATH_ONLY, "Get template info"),
    row("templates/list", READ, PATH_ONLY, "Get templates list"),
    row("templates/delete", UNKNOWN, PATH_ONLY, "Delete template"),
    row("webver/get", READ, PATH_ONLY, "Get message web version"),

    row("senders/list", READ, FULL, "Get senders list", PAGE, page="developer-guide/senders/2195754"),
    row("vsenders/add", UNKNOWN, PATH_ONLY, "Create virtual sender"),
    row("vsenders/update", UNKNOWN, PATH_ONLY, "Update virtual sender"),
    row("vsenders/get", READ, PATH_ONLY, "Get virtual sender information"),
    row("vsenders/list", READ, PARTIAL, "Get virtual senders list",
        PAGE, page="developer-guide/senders/virtual-senders/2195762"),
    row("vsenders/clone", UNKNOWN, PATH_ONLY, "Clone virtual sender"),
    row("vsenders/delete", UNKNOWN, PATH_ONLY, "Delete virtual sender"),
)
