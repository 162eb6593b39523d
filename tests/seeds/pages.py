"""Requests and answers exactly as whole pages of the documentation show them."""

COMPLETE = {"request": {"id": 18}, "response": {"data": None, "error": 0, "error_text": "Successful operation"}}

LIST_PAGE = {
    "request": {"limit": 1},
    "response": {
        "data": [
            {
                "id": 42,
                "is_delete": False,
                "name": "Seasonal sale",
                "tags": [],
                "state": "inactive",
                "active_period": {"settings": {"tz": "Europe/Moscow", "end_at": "2025-08-23T10:36:25.099+03:00"}},
                "groups": [{"id": 0, "name": "main"}],
            }
        ],
        "error": 0,
        "error_text": "",
        "total_count": 5,
    },
}

CREATE_REGULAR = {
    "request": {
        "virtual_sender_id": 5,
        "content": [
            {
                "from_email": "regular@altcraft.com",
                "from_name": "Paul",
                "message_id": 15,
                "replyto_email": "regular@altcraft.com",
                "replyto_name": "Roman",
                "subject": "Hello",
            }
        ],
        "custom_tracking_domains": ["trk.example.com", "trk.example.org"],
        "data_id": 1,
        "data_type": "list",
        "is_active": True,
        "limit": 1,
        "name": "Regular mailing #1",
        "resource_id": 20,
        "send_channel": "email",
        "start_schedule": {
            "start_hours": [1, 2, 3, 4],
            "start_mins": [1, 2, 3, 4],
            "start_mdays": [1],
            "start_months": [12],
            "start_wdays": [],
            "start_years": [2024],
        },
    },
    "response": {"data": {"saved_id": 92}, "error": 0, "error_text": "Successful operation"},
}

SCENARIO_BATCH = {
    "request": {
        "workflow_id": 12,
        "matching": "email",
        "data": [
            {
                "data": {
                    "_fname": "Herbert",
                    "_lname": "Lambert",
                    "email": "example@example.com",
                    "phones": "+79862014852",
                }
            },
            {
                "data": {
                    "_fname": "Bert",
                    "_lname": "Lambert",
                    "email": "example@example.com",
                    "phones": "+79862014853",
                }
            },
        ],
    },
    "response": {
        "error": 0,
        "error_text": "Successful operation",
        "task_id": "30421978-7f6d-4f39-913f-fb6cad8e2477",
    },
    "too_large": {"error": 400, "error_debug": "http: request body too large", "error_text": "Invalid request"},
}

TASK_STATUS = {
    "request": {"task_id": "task_b2f9fk6a-2479-4a63-b592-f15d4e3b69c5"},
    "response": {
        "data": {
            "status": "completed",
            "progress": 100,
            "result": {
                "error": 0,
                "error_text": "",
                "result": [
                    {"profile_id": "61e947333f62fc26d384452c"},
                    {"profile_id": "61e947333f62fc26d384452e"},
                ],
            },
        },
        "error": 0,
        "error_text": "Successful operation",
    },
}
