"""Mailings: broadcasts, regulars and triggers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, moment, page
from airflow_provider_altcraft.sandbox.methods.databases import import_batch
from airflow_provider_altcraft.sandbox.methods.tasks import start_task
from airflow_provider_altcraft.sandbox.world import Mailing, Run

DURATION = 5.0
"""Seconds that a run of a mailing made here takes."""


def _mailing(mailing: Mailing) -> Body:
    return {
        **mailing.stored,
        "id": mailing.mailing_id,
        "name": mailing.name,
        "type": mailing.kind,
        "is_active": mailing.is_active,
        "for_confirm": False,
        "groups": [{"id": 0, "name": "main"}],
    }


KINDS = {"broadcasts": "broadcast", "regulars": "regular", "triggers": "trigger"}


def _kind(act: Act) -> str | None:
    """The kind that the method's name is about: ``campaigns/broadcasts/list``."""
    return KINDS.get(act.name.split("/")[1])


@method("campaigns/list", "campaigns/broadcasts/list", "campaigns/regulars/list", "campaigns/triggers/list")
def mailings(act: Act) -> Body:
    """CONTRACT 5.5, 6.4."""
    wanted = _kind(act) or act["type"]
    shown = (mailing for mailing in act.world.mailings.values() if wanted in (None, mailing.kind))
    return page(act, (_mailing(mailing) for mailing in shown if act["is_active"] in (None, mailing.is_active)))


@method("campaigns/get", "campaigns/broadcasts/get", "campaigns/regulars/get", "campaigns/triggers/get")
def mailing(act: Act) -> Body:
    """CONTRACT 5.6, 6.3."""
    kind = _kind(act)
    return {"data": _mailing(act.world.mailing(act["id"], *([kind] if kind else [])))}


@method("campaigns/get_status")
def mailing_status(act: Act) -> Body:
    """CONTRACT 5.1."""
    mailing = act.world.mailing(act["id"])
    running = mailing.running(act.now)
    completed = bool(mailing.runs) and not running
    if mailing.kind == "regular" and completed:
        completed = act.behaviour.regular_is_completed
    word = "Running" if running else "Active" if mailing.is_active else "Inactive"
    return {"data": {"is_active": mailing.is_active, "is_completed": completed, "status": word}}


@method("campaigns/log_v2")
def mailing_log(act: Act) -> Body:
    """CONTRACT 5.2."""
    log = act.world.mailing(act["id"]).log(act.now)
    since = moment(act["from_time"]) if act["from_time"] else None
    entries = [entry for entry in log if since is None or datetime.fromisoformat(entry["time"]) >= since]
    return {"data": entries[: act["limit"] or 1000], "total_count": len(entries)}


def _launch(act: Act, mailing: Mailing) -> Body:
    """One run (CONTRACT 6.5). Every call sends again."""
    if not mailing.is_active:
        raise Refused(400, f"mailing {mailing.mailing_id} is not active")
    if mailing.running(act.now) and act.behaviour.mailing_already_running == "reject":
        raise Refused(400, f"mailing {mailing.mailing_id} is running")
    source, source_id = act["override_source_type"], act["override_source_id"]
    audience = act.world.audience(source or mailing.data_type, source_id or mailing.data_id)
    recipients = audience[: act["override_limit"] or None]
    launch = act.deliveries.launch(mailing.mailing_id, mailing.kind, act.now, act.request_id, recipients)
    mailing.runs.append(Run(act.now, act.now + timedelta(seconds=mailing.duration), launch))
    if mailing.kind == "broadcast" and not act.behaviour.broadcast_stays_active:
        mailing.is_active = False
    return {"data": None}


@method("campaigns/activate")
def activate_mailing(act: Act) -> Body:
    """CONTRACT 5.3."""
    mailing = act.world.mailing(act["id"])
    mailing.is_active = True
    return _launch(act, mailing) if act["run_now"] else {"data": None}


@method("campaigns/deactivate")
def deactivate_mailing(act: Act) -> Body:
    """CONTRACT 5.4."""
    mailing = act.world.mailing(act["id"])
    mailing.is_active = False
    if act["abort_if_running"]:
        mailing.stop(act.now, act.deliveries)
    return {"data": None}


@method("campaigns/broadcasts/start", "campaigns/regulars/start")
def start_mailing(act: Act) -> Body:
    """CONTRACT 6.5."""
    return _launch(act, act.world.mailing(act["id"], _kind(act) or ""))


@method("campaigns/broadcasts/add", "campaigns/regulars/add")
def add_mailing(act: Act) -> Body:
    """CONTRACT 6.1."""
    if act["data_type"] not in {"list", "segment"}:
        raise Refused(400, "data_type must be list or segment")
    mailing_id = max([*act.world.mailings, 90]) + 1
    stored = {name: value for name, value in act.body.items() if name not in {"name", "is_active"}}
    act.world.mailings[mailing_id] = Mailing(
        mailing_id,
        _kind(act) or "",
        act["name"],
        is_active=bool(act["is_active"]),
        data_type=act["data_type"],
        data_id=act["data_id"],
        duration=DURATION,
        stored=stored,
    )
    return {"data": {"saved_id": mailing_id}}


@method("campaigns/clone")
def clone_mailing(act: Act) -> Body:
    """CONTRACT 5.7. Each call makes another copy."""
    original = act.world.mailing(act["id"])
    mailing_id = max([*act.world.mailings, 90]) + 1
    name = act["name"] or f"Clone of {original.name}"
    copy = replace(original, mailing_id=mailing_id, name=name, is_active=False, runs=[])
    act.world.mailings[mailing_id] = copy
    return {"data": {"saved_id": mailing_id}}


@method("campaigns/triggers/start")
def start_trigger(act: Act) -> Body:
    """CONTRACT 7.1: one profile that is there."""
    mailing = act.world.mailing(int(act["id"]), "trigger")
    if not mailing.is_active:
        raise Refused(400, f"mailing {mailing.mailing_id} is not active")
    matching = act["matching"] or "email"
    if matching not in {"email", "phone", "profile_id", "custom"}:
        raise Refused(400, f"matching {matching} is not taken here")
    value = act["field_value"] if matching == "custom" else act[matching]
    profile_id = act.world.database(mailing.data_id).find(matching, act["field_name"], value)
    if profile_id is None:
        raise Refused(404, text="Profile not found")
    act.deliveries.launch(mailing.mailing_id, "trigger", act.now, act.request_id, [profile_id])
    return {"data": None}


@method("campaigns/triggers/import_and_start_batch_task")
def trigger_batch(act: Act) -> Body:
    """CONTRACT 7.4."""
    mailing = act.world.mailing(act["trigger_id"], "trigger")
    if not mailing.is_active:
        raise Refused(400, f"mailing {mailing.mailing_id} is not active")
    answers, profile_ids = import_batch(act, act.world.database(mailing.data_id))
    act.deliveries.launch(mailing.mailing_id, "trigger", act.now, act.request_id, profile_ids)
    return start_task(act, answers)
