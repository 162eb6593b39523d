"""Requests and answers as the documentation and public clients show them (CONTRACT).

Each is the name of the endpoint, the parameters, the answer, and what a caller gets: the payload, and the id of a task.
"""

from __future__ import annotations

from tests.seeds import pages

DONE = {"error": 0, "error_text": "Successful operation"}
PROFILE = "64aa00000000000000000001"
TASK = "30421978-7f6d-4f39-913f-fb6cad8e2477"
COUNTERS = [{"channel": "email", "status": {"subscribed_sendable": 10, "unconfirmed_sendable": 2}}]
LOG = [
    {"level": "INFO", "message": "started", "state": "start", "time": "2026-01-31T09:00:00+03:00", "value": ""},
    {"level": "INFO", "message": "ended", "state": "end", "time": "2026-01-31T09:05:00+03:00", "value": "5m0s"},
]
MAILING = {
    "name": "Sale",
    "data_type": "list",
    "data_id": 1,
    "content": [{"message_id": 15}],
    "send_channel": "email",
}
SCHEDULE = {
    "start_mins": [0],
    "start_hours": [9],
    "start_mdays": [],
    "start_wdays": [],
    "start_months": [],
    "start_years": [],
}
SEGMENT = [
    {
        "condition": "and",
        "limit": 0,
        "list_id": 1,
        "percent_from": 0,
        "percent_to": 100,
        "queries": [{"compo": "is", "name": "_fname", "operator": "eq", "type": "string", "value": [{"value": "A"}]}],
    }
]


def shown(page):
    """Request and answer of a page, and the payload where it usually is."""
    return page["request"], page["response"], page["response"]["data"]


SEED = [
    ("scampaigns/completed", *shown(pages.COMPLETE), None),
    ("scampaigns/list", *shown(pages.LIST_PAGE), None),
    ("campaigns/regulars/add", *shown(pages.CREATE_REGULAR), None),
    (
        "workflows/import_and_start_batch_task",
        pages.SCENARIO_BATCH["request"],
        pages.SCENARIO_BATCH["response"],
        {"task_id": TASK},
        TASK,
    ),
    ("tasks/status", *shown(pages.TASK_STATUS), None),
]

EXAMPLES = [
    *SEED,
    # 1.3, 1.7
    ("campaigns/clone", {"id": "15"}, {**DONE, "data": {"saved_id": 501}}, {"saved_id": 501}, None),
    ("campaigns/deactivate", {"id": "15", "abort_if_running": "true"}, {**DONE, "data": None}, None, None),
    # 2.1: the older edition says success
    (
        "tasks/status",
        {"task_id": TASK},
        {**DONE, "data": {"status": "success", "progress": 100}},
        {"status": "success", "progress": 100},
        None,
    ),
    # 3.4, 3.5, 3.6
    (
        "workflows/start",
        {"id": 12, "matching": "custom", "field_name": "CRM_ID", "field_value": 7, "resource_id": 20},
        DONE,
        {},
        None,
    ),
    (
        "workflows/start",
        {
            "id": 12,
            "matching": "email",
            "email": "a@example.com",
            "subscription_filter": {"email": "a@example.com", "not_strict": True},
        },
        DONE,
        {},
        None,
    ),
    (
        "workflows/list",
        {"limit": 1, "attributes": {"season": {"options": ["spring"]}}},
        {**DONE, "data": [{"id": 12, "mode": "skip", "groups": [{"ID": 0, "title": "main"}]}], "total": 1},
        [{"id": 12, "mode": "skip", "groups": [{"ID": 0, "title": "main"}]}],
        None,
    ),
    ("workflows/activate", {"id": 12, "skip_profiles": False}, {**DONE, "data": None}, None, None),
    (
        "workflows/import_and_start",
        {"workflow_id": 12, "db_id": 1, "matching": "email", "email": "a@example.com", "data": {"_fname": "A"}},
        DONE,
        {},
        None,
    ),
    # 4.2 - 4.6
    ("scampaigns/get_status", {"id": 18}, {**DONE, "data": {"status": "active"}}, {"status": "active"}, None),
    ("scampaigns/list", {"attributes": {"season": ["spring"]}, "state": "active"}, {**DONE, "data": []}, [], None),
    ("scampaigns/get", {"id": 18, "marketing_activities": True}, {**DONE, "data": [{"id": 18}]}, [{"id": 18}], None),
    (
        "scampaigns/activate",
        {"id": 18, "activate_date": "2025-08-23T10:36:25+03:00", "completed_date": "2025-09-23T10:36:25.099+03:00"},
        {**DONE, "data": None},
        None,
        None,
    ),
    ("scampaigns/deactivate", {"id": 18}, {**DONE, "data": None}, None, None),
    # 5
    (
        "campaigns/get_status",
        {"id": 7},
        {**DONE, "data": {"is_active": False, "is_completed": False, "status": "Inactive"}},
        {"is_active": False, "is_completed": False, "status": "Inactive"},
        None,
    ),
    (
        "campaigns/log_v2",
        {"id": 7, "from_time": "2026-01-31T09:00:00+03:00", "limit": 1000},
        {**DONE, "data": LOG, "total_count": 2},
        LOG,
        None,
    ),
    (
        "campaigns/activate",
        {"id": 7, "run_now": True, "override_source_type": "segment", "override_source_id": 3, "override_limit": 10},
        {**DONE, "data": None},
        None,
        None,
    ),
    ("campaigns/list", {"type": "trigger", "is_active": True, "ui_tags": ["a"]}, {**DONE, "data": []}, [], None),
    # 6
    (
        "campaigns/broadcasts/add",
        {**MAILING, "start_schedule": SCHEDULE, "agllimit_percent": 1.5, "push_sending_mode": "last"},
        {**DONE, "data": {"saved_id": 92}},
        {"saved_id": 92},
        None,
    ),
    ("campaigns/broadcasts/list", {"type": "broadcast"}, {**DONE, "data": [], "total_count": 0}, [], None),
    ("campaigns/broadcasts/start", {"id": 7, "content": {"name": "A"}}, {**DONE, "data": None}, None, None),
    # 7
    ("campaigns/triggers/start", {"id": "9", "matching": "email", "email": "a@example.com"}, DONE, {}, None),
    (
        "campaigns/triggers/start_batch",
        {"trigger_id": 9, "matching": "email", "data": [{"email": "a@example.com"}]},
        {**DONE, "result": [PROFILE]},
        [PROFILE],
        None,
    ),
    (
        "campaigns/triggers/import_and_start",
        {
            "trigger_id": 9,
            "db_id": 1,
            "matching": "email",
            "email": "a@example.com",
            "data": {"_fname": "A"},
            "timeout": {"days": 0, "hours": 0, "minutes": 5},
            "attach": [{"name": "a.txt", "data": "data:text/plain;base64,YQ=="}],
        },
        {**DONE, "profile_id": PROFILE},
        PROFILE,
        None,
    ),
    (
        "campaigns/triggers/import_and_start_batch_task",
        {"trigger_id": 9, "data": [{"data": {"email": "a@example.com"}}]},
        {**DONE, "data": {"task_id": f"task_{TASK}"}},
        {"task_id": f"task_{TASK}"},
        f"task_{TASK}",
    ),
    # 8
    (
        "profiles/import",
        {
            "db_id": 1,
            "matching": "email",
            "email": "a@example.com",
            "data": {"points": {"action": "increase", "value": 5}},
            "add_to_segments": [3],
        },
        {**DONE, "profile_id": PROFILE},
        PROFILE,
        None,
    ),
    (
        "profiles/import_batch",
        {"db_id": 1, "matching": "phone", "data": [{"phone": "+79031234567"}]},
        {**DONE, "result": [{**DONE, "profile_id": PROFILE}]},
        [{**DONE, "profile_id": PROFILE}],
        None,
    ),
    ("profiles/add", {"db_id": 1, "data": {}}, {**DONE, "profile_id": PROFILE}, PROFILE, None),
    (
        "profiles/add_batch",
        {"db_id": 1, "data": [{"email": "a@example.com"}]},
        {**DONE, "result": [{**DONE, "profile_id": PROFILE}]},
        [{**DONE, "profile_id": PROFILE}],
        None,
    ),
    (
        "profiles/get_all",
        {"source_type": "database", "source_id": 1, "file_format": "csv"},
        {**DONE, "data": {"task_id": TASK}},
        {"task_id": TASK},
        TASK,
    ),
    (
        "profiles/delete",
        {"db_id": 1, "matching": "profile_id", "profile_id": PROFILE},
        {**DONE, "data": {"profile_id": PROFILE}},
        {"profile_id": PROFILE},
        None,
    ),
    (
        "profiles/message_unsub",
        {"rtoken": "r", "smid": "s", "categories": ["news"]},
        {**DONE, "profile_id": PROFILE},
        PROFILE,
        None,
    ),
    (
        "profiles/list",
        {"db_id": 1, "from_id": "", "limit": 1000, "query": {"_sex": 1}, "fields": ["email"]},
        {**DONE, "data": [{"id": PROFILE, "email": "a@example.com"}]},
        [{"id": PROFILE, "email": "a@example.com"}],
        None,
    ),
    (
        "subscriptions/set",
        {
            "db_id": 1,
            "profile_id": PROFILE,
            "resource_id": 20,
            "channel": "telegram_bot",
            "cc_data": {"id": 5},
            "status": "subscribed",
        },
        DONE,
        {},
        None,
    ),
    # 9
    (
        "databases/list",
        {},
        {**DONE, "data": [{"id": 1, "name": "a", "Groups": [{"Id": 0, "Name": "main"}]}], "next_from_id": 2},
        [{"id": 1, "name": "a", "Groups": [{"Id": 0, "Name": "main"}]}],
        None,
    ),
    ("databases/get", {"id": 1}, {**DONE, "data": {"id": 1, "suppress_id": 4}}, {"id": 1, "suppress_id": 4}, None),
    (
        "databases/wipe",
        {"id": 1},
        {**DONE, "data": {"count_action": 5, "count_profile": 2}},
        {"count_action": 5, "count_profile": 2},
        None,
    ),
    (
        "segments/add",
        {"name": "a", "segment": SEGMENT, "is_static": False},
        {**DONE, "data": {"saved_id": 3}},
        {"saved_id": 3},
        None,
    ),
    (
        "segments/refresh_counters",
        {"id": 3, "resource_id": 20, "db_id": 1},
        {**DONE, "data": {"task_id": TASK}},
        {"task_id": TASK},
        TASK,
    ),
    ("segments/get_counters", {"id": 3, "resource_id": 20, "list_id": 1}, {**DONE, "data": COUNTERS}, COUNTERS, None),
    (
        "databases/refresh_counters",
        {"id": 1, "resource_id": 20, "feedback": {"type": "json", "url": "https://example.com/numbers"}},
        {**DONE, "task_id": TASK},
        {"task_id": TASK},
        TASK,
    ),
    # 10
    ("suppresses/email_add", {"id": 4, "email": "a@example.com"}, DONE, {}, None),
    (
        "suppresses/emails_add",
        {"id": 4, "emails": ["a@example.com"]},
        {**DONE, "total_count": 1, "total_imported": 1, "total_updated": 0, "total_duplicated": 0},
        {"total_imported": 1, "total_updated": 0, "total_duplicated": 0},
        None,
    ),
    ("suppresses/export", {"id": 4, "type": "emails"}, {**DONE, "data": {"task_id": TASK}}, {"task_id": TASK}, TASK),
    # 11
    (
        "reports/bounces",
        {"date_from": "2026-01-01", "date_to": "2026-01-31", "group_by": "ip", "top": 10},
        {**DONE, "data": [{"data_id": "1.2.3.4", "count": 3, "bounce_text": "full", "to_domain": "example.com"}]},
        [{"data_id": "1.2.3.4", "count": 3, "bounce_text": "full", "to_domain": "example.com"}],
        None,
    ),
    (
        "promocodes/import",
        {"codes": ["A1"], "loyalty_id": 2},
        {**DONE, "data": [{**DONE, "code": "A1"}], "inserted": 1, "duplicated": 0, "discarded_by_limit": 0},
        [{**DONE, "code": "A1"}],
        None,
    ),
    ("promocodes/export_all", {"loyalty_id": 2}, {**DONE, "data": [{"code": "A1"}]}, [{"code": "A1"}], None),
    (
        "goals/register",
        {
            "db_id": 1,
            "pixel_id": 3,
            "goals": [{"goal": "bought", "value": 10}],
            "matching": "email",
            "email": "a@example.com",
            "pixel_data": {"sku": "1"},
        },
        DONE,
        {},
        None,
    ),
    (
        "market/orders/import",
        {
            "data": [{"external_id": "o1", "matching": "email", "email": "a@example.com", "total_price": "9.90"}],
            "custom_line_statuses": [{"type": "delivered"}],
        },
        DONE,
        {},
        None,
    ),
    (
        "market/orders/get_status",
        {"external_id": "o1"},
        {**DONE, "result": {"endpoint": "shop", "status": "new"}},
        {"endpoint": "shop", "status": "new"},
        None,
    ),
    (
        "file_upload",
        {"header": "a.txt", "data": "data:text/plain;base64,YQ=="},
        {**DONE, "data": {"file": "0b9f4f0e-3c1e-4c52-9d0e-7f8f6a0c2b11"}},
        {"file": "0b9f4f0e-3c1e-4c52-9d0e-7f8f6a0c2b11"},
        None,
    ),
    (
        "senders/list",
        {"from_id": 1, "limit": 1000},
        {**DONE, "data": [{"id": 1, "type": "akmta"}], "total_count": 1},
        [{"id": 1, "type": "akmta"}],
        None,
    ),
    (
        "loyalty/transactions_export",
        {
            "loyalty_program_id": 2,
            "points_currency_eid": "points",
            "date_from": "2026-01-01T00:00:00Z",
            "date_to": "2026-01-31T23:59:59Z",
        },
        {**DONE, "data": {"task_id": TASK}},
        {"task_id": TASK},
        TASK,
    ),
]

REFUSALS = [
    # 1.3: over the limit, on the page of the scenario import
    (pages.SCENARIO_BATCH["too_large"], "AltcraftRequestTooLarge", 400),
    ({"error": 400, "error_debug": "", "error_text": "Invalid request"}, "AltcraftRejected", 400),
    ({"error": 401, "error_text": "API token required"}, "AltcraftAuthenticationError", 401),
    ({"error": 402, "error_text": "Tariff limit"}, "AltcraftRejected", 402),
    ({"error": 403, "error_text": "No access"}, "AltcraftAuthenticationError", 403),
    ({"error": 440, "error_text": ""}, "AltcraftRejected", 440),
    # 1.7: spelt with a blank in one example
    ({"error": 400, "error text": "Invalid request"}, "AltcraftRejected", 400),
]
