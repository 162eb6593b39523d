"""Mailings of every kind, and what broadcasts and regulars share."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from operator import ge, gt
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import MAIN, ApiCall, Body, method, moment, page
from airflow_provider_altcraft.sandbox.methods.files import check_attachments
from airflow_provider_altcraft.sandbox.world import Mailing, Run

DURATION = 5.0
"""Seconds that a run takes, of a mailing created by a call."""

FIRST_ID = 91
"""The first id of the mailings created by a call."""

KINDS = {"broadcasts": "broadcast", "regulars": "regular", "triggers": "trigger"}

SCHEDULE = {
    "start_mins": range(60),
    "start_hours": range(24),
    "start_mdays": range(1, 32),
    "start_wdays": range(8),
    "start_months": range(1, 13),
    "start_years": range(1970, 10_000),
}
"""The ranges of a start schedule (CONTRACT 12.2). How the days of the week are numbered is not said."""

READ_AS = {"agllimit_percent": "aglimit_percent", "watched_list_id": "watcher_list_id"}
"""Parameters that are read back under another name (CONTRACT 14.7)."""

UNSET: dict[str, Any] = {
    "description": "", "content": [], "send_channel": "email", "resource_id": 0, "subid": "", "policy_id": 0,
    "push_sending_mode": "fanout", "virtual_sender_id": 0, "is_random_tracking_prefix": False,
    "custom_tracking_domains": [], "updated_user": "", "update_time": "",
}  # fmt: skip
UNSET_MAILING: dict[str, Any] = {
    **UNSET, "limit": 0, "aglimit_count": 0, "aglimit_percent": 0.0, "watcher_list_id": 0, "watcher_limit": 0,
    "blind_carbon_copy": [], "unconditional_sending": False, "skip_unique_checking": False, "sub_cats_filter": {},
    "sub_fields_filter": {},
}  # fmt: skip
"""What a broadcast or a regular shows for settings that were not given (CONTRACT 6.3)."""

UNSET_TRIGGER: dict[str, Any] = {**UNSET, "call_url": "", "trigger_type": "api_call", "skip_minutes": 0, "descr": ""}
"""The same for a trigger (CONTRACT 7.5)."""


def _brief(mailing: Mailing) -> Body:
    """As lists show it (CONTRACT 6.4)."""
    return {
        "id": mailing.mailing_id,
        "name": mailing.name,
        "type": mailing.kind,
        "is_active": mailing.is_active,
        "for_confirm": False,
        "ui_tags": mailing.stored.get("ui_tags", []),
        "groups": [MAIN],
        "attributes": mailing.stored.get("attributes", {}),
    }


def _whole(mailing: Mailing) -> Body:
    """As it is shown by itself (CONTRACT 6.3, 7.5)."""
    stored = {READ_AS.get(name, name): value for name, value in mailing.stored.items()}
    if mailing.kind == "trigger":
        own = {**UNSET_TRIGGER, "list_id": mailing.data_id, **stored}
    else:
        schedule = {**{name: [] for name in SCHEDULE}, **stored.pop("start_schedule", {})}
        source = {"data_type": mailing.data_type, "data_id": mailing.data_id}
        times = {"start_schedule": {**schedule, "tz": "", "profile": False, "losers": False}}
        own = {**UNSET_MAILING, **stored, **source, **times}
    return {**own, "channel": own["send_channel"], **_brief(mailing)}


def named_kind(call: ApiCall) -> str | None:
    """The kind in the method's name, as in ``campaigns/broadcasts/list``."""
    return KINDS.get(call.name.split("/")[1])


@method("campaigns/list", "campaigns/broadcasts/list", "campaigns/regulars/list", "campaigns/triggers/list")
def mailings(call: ApiCall) -> Body:
    """CONTRACT 5.5, 6.4."""
    wanted = named_kind(call) or call["type"]
    shown = (mailing for mailing in call.world.mailings.values() if wanted in (None, mailing.kind))
    answer = page(call, (_brief(mailing) for mailing in shown if call["is_active"] in (None, mailing.is_active)))
    for one in answer["data"]:
        # Lists can be filtered by attributes, but do not show them.
        del one["attributes"]
    return answer


@method("campaigns/get", "campaigns/broadcasts/get", "campaigns/regulars/get", "campaigns/triggers/get")
def mailing(call: ApiCall) -> Body:
    """CONTRACT 5.6, 6.3, 7.5."""
    kind = named_kind(call)
    return {"data": _whole(call.world.mailing(call["id"], *([kind] if kind else [])))}


@method("campaigns/get_status")
def mailing_status(call: ApiCall) -> Body:
    """CONTRACT 5.1."""
    mailing = call.world.mailing(call["id"])
    running = mailing.running(call.now)
    completed = bool(mailing.runs) and not running
    if mailing.kind == "regular" and completed:
        completed = call.behaviour.regular_is_completed
    word = "Running" if running else "Active" if mailing.is_active else "Inactive"
    return {"data": {"is_active": mailing.is_active, "is_completed": completed, "status": word}}


@method("campaigns/log_v2")
def mailing_log(call: ApiCall) -> Body:
    """CONTRACT 5.2."""
    behaviour = call.behaviour
    mailing = call.world.mailing(call["id"])
    log = mailing.log(call.now, ahead=behaviour.log_ahead, in_whole_seconds=behaviour.log_in_whole_seconds)
    since = moment(call["from_time"]) if call["from_time"] else None
    after = gt if behaviour.log_from_time == "exclusive" else ge
    entries = [entry for entry in log if since is None or after(datetime.fromisoformat(entry["time"]), since)]
    return {"data": entries[: min(call["limit"] or 1000, behaviour.log_page)], "total_count": len(entries)}


def _launch(call: ApiCall, mailing: Mailing) -> Body:
    """Start a run (CONTRACT 6.5). Every call sends the mailing again."""
    check_attachments(call)
    if not mailing.is_active:
        raise Refused(400, f"mailing {mailing.mailing_id} is not active")
    if mailing.running(call.now) and call.behaviour.mailing_already_running == "reject":
        raise Refused(400, f"mailing {mailing.mailing_id} is running")
    source, source_id = call["override_source_type"], call["override_source_id"]
    audience = call.world.audience(source or mailing.data_type, source_id or mailing.data_id)
    recipients = audience[: call["override_limit"] or None]
    launch = call.deliveries.launch(mailing.mailing_id, mailing.kind, call.now, call.request_id, recipients)
    start = call.now + timedelta(seconds=mailing.delay)
    end = start + timedelta(seconds=mailing.duration_for(source_id))
    mailing.runs.append(Run(start, end, launch, mailing.end_level))
    if mailing.kind == "broadcast" and not call.behaviour.broadcast_stays_active:
        mailing.is_active = False
    return {"data": None}


@method("campaigns/activate")
def activate_mailing(call: ApiCall) -> Body:
    """CONTRACT 5.3."""
    mailing = call.world.mailing(call["id"])
    mailing.is_active = True
    return _launch(call, mailing) if call["run_now"] else {"data": None}


@method("campaigns/deactivate")
def deactivate_mailing(call: ApiCall) -> Body:
    """CONTRACT 5.4."""
    mailing = call.world.mailing(call["id"])
    mailing.is_active = False
    if call["abort_if_running"]:
        mailing.stop(call.now, call.deliveries)
    return {"data": None}


@method("campaigns/broadcasts/start", "campaigns/regulars/start")
def start_mailing(call: ApiCall) -> Body:
    """CONTRACT 6.5."""
    return _launch(call, call.world.mailing(call["id"], named_kind(call) or ""))


@method("campaigns/broadcasts/add", "campaigns/regulars/add")
def add_mailing(call: ApiCall) -> Body:
    """CONTRACT 6.1."""
    check_content(call)
    mailing_id = next_id(call)
    call.world.mailings[mailing_id] = Mailing(
        mailing_id,
        named_kind(call) or "",
        call["name"],
        is_active=bool(call["is_active"]),
        data_type=call["data_type"],
        data_id=call["data_id"],
        duration=DURATION,
        stored=settings(call),
    )
    return {"data": {"saved_id": mailing_id}}


@method("campaigns/broadcasts/update", "campaigns/regulars/update")
def update_mailing(call: ApiCall) -> Body:
    """CONTRACT 6.2: a new channel is silently ignored. The answer is cut."""
    mailing = call.world.mailing(call["id"], named_kind(call) or "")
    check_content(call)
    mailing.name, mailing.data_type, mailing.data_id = call["name"], call["data_type"], call["data_id"]
    if call["is_active"] is not None:
        mailing.is_active = call["is_active"]
    mailing.stored.update({name: value for name, value in settings(call).items() if name != "send_channel"})
    return {}


@method("campaigns/clone", "campaigns/triggers/clone")
def clone_mailing(call: ApiCall) -> Body:
    """CONTRACT 5.7, 7.5. Every call makes another copy."""
    kind = named_kind(call)
    original = call.world.mailing(call["id"], *([kind] if kind else []))
    mailing_id = next_id(call)
    call.world.mailings[mailing_id] = replace(
        original,
        mailing_id=mailing_id,
        name=call["name"] or f"Clone of {original.name}",
        is_active=False,
        stored=deepcopy(original.stored),
        runs=[],
    )
    return {"data": {"saved_id": mailing_id}}


def next_id(call: ApiCall) -> int:
    """The id of the next mailing."""
    return max([*call.world.mailings, FIRST_ID - 1]) + 1


def check_content(call: ApiCall) -> None:
    """Refuse content without a template, and a schedule out of range (CONTRACT 12.1, 12.2)."""
    if not call["content"] or not all(isinstance(one.get("message_id"), int) for one in call["content"]):
        raise Refused(400, "content: at least one item is needed, and each must have a message_id")
    for name, values in (call["start_schedule"] or {}).items():
        if name not in SCHEDULE:
            raise Refused(400, f"start_schedule: unknown parameter: {name}")
        if not isinstance(values, list) or not all(value in SCHEDULE[name] for value in values):
            raise Refused(400, f"start_schedule: {name} must be an array of numbers within its range")


def settings(call: ApiCall) -> Body:
    """The parameters that are stored as given."""
    own = {"id", "name", "is_active", "data_type", "data_id"}
    stored = {name: value for name, value in call.body.items() if name not in own and value is not None}
    return {**stored, "update_time": call.now.isoformat()}
