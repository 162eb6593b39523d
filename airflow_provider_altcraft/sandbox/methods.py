"""What the methods do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.deliveries import Deliveries, Launch
from airflow_provider_altcraft.sandbox.world import Campaign, Database, Mailing, Run, Task, World

Body = dict[str, Any]

DURATION = 5.0
"""Seconds that a run of a mailing made here takes."""


@dataclass(slots=True)
class Act:
    """One call on its way through a method."""

    name: str
    world: World
    deliveries: Deliveries
    behaviour: Behaviour
    now: datetime
    request_id: str | None
    body: Body

    def __getitem__(self, name: str) -> Any:
        return self.body.get(name)


METHODS: dict[str, Callable[[Act], Body]] = {}


def method(*names: str) -> Callable[[Callable[[Act], Body]], Callable[[Act], Body]]:
    """Register what a method does."""

    def register(function: Callable[[Act], Body]) -> Callable[[Act], Body]:
        METHODS.update(dict.fromkeys(names, function))
        return function

    return register


def _page(act: Act, items: Iterable[Body]) -> Body:
    """One page of a list (CONTRACT 1.6)."""
    everything = sorted(items, key=lambda item: int(item["id"]))
    start, limit = act["from_id"] or 1, act["limit"] or 1000
    page = [item for item in everything if int(item["id"]) >= start][:limit]
    answer: Body = {"data": page, "total_count": len(everything)}
    if act.behaviour.next_from_id and page:
        answer["next_from_id"] = int(page[-1]["id"]) + 1
    return answer


@method("tasks/status")
def task_status(act: Act) -> Body:
    """CONTRACT 2.1."""
    task = act.world.tasks.get(act["task_id"])
    if task is None:
        raise Refused(404, "task not found", "Not found")
    progress, words = task.progress(act.now), act.behaviour.task_words
    if progress < 100:
        return {"data": {"status": words.running if progress else words.waiting, "progress": progress, "result": None}}
    return {"data": {"status": words.failed if task.fails else words.succeeded, "progress": 100, "result": task.result}}


@method("databases/list")
def databases(act: Act) -> Body:
    """CONTRACT 9."""
    return _page(act, ({"id": db.db_id, "name": db.name, "ui_tags": []} for db in act.world.databases.values()))


@method("databases/get")
def database(act: Act) -> Body:
    """CONTRACT 9."""
    db = act.world.database(act["id"])
    return {"data": {"id": db.db_id, "name": db.name, "suppress_id": 0, "description": ""}}


@method("databases/fields_get")
def database_fields(act: Act) -> Body:
    """The page of this method was not seen; the shape is the sandbox's own."""
    db = act.world.database(act["id"])
    return {"data": [{"name": name, "type": kind} for name, kind in db.fields.items()]}


def _taken(act: Act, db: Database, data: Any, *, known: bool | None = None) -> Body:
    """One item of a batch: stored, or refused by itself (CONTRACT 1.3)."""
    try:
        if not isinstance(data, dict):
            raise Refused(400, text="A profile must be an object")
        profile_id = db.save(data, act["matching"] or "email", act["field_name"], known=known)
    except Refused as refused:
        return {"error": refused.code, "error_text": refused.text}
    return {"error": 0, "error_text": "Successful operation", "profile_id": profile_id}


@method("profiles/import")
def import_profile(act: Act) -> Body:
    """CONTRACT 8.1."""
    answer = _taken(act, act.world.database(act["db_id"]), {**act["data"]})
    if answer["error"]:
        raise Refused(answer["error"], text=answer["error_text"])
    return {"profile_id": answer["profile_id"]}


@method("profiles/import_batch", "profiles/update_batch", "profiles/add_batch")
def import_profiles(act: Act) -> Body:
    """CONTRACT 8.2 to 8.4."""
    db = act.world.database(act["db_id"])
    known = {"profiles/update_batch": True, "profiles/add_batch": False}.get(act.name)
    items = [_taken(act, db, item, known=known) for item in act["data"]]
    return {"result": items} if act.behaviour.result_of_batches == "itemised" else {}


@method("profiles/list")
def profiles(act: Act) -> Body:
    """CONTRACT 8.8: pages by an opaque pointer."""
    stored = list(act.world.database(act["db_id"]).profiles.items())
    start = int(str(act["from_id"] or "p0")[1:])
    limit = act["limit"] or 1000
    answer: Body = {"data": [{**data, "id": profile_id} for profile_id, data in stored[start : start + limit]]}
    answer["next_from_id"] = f"p{start + limit}" if start + limit < len(stored) else ""
    return answer


@method("segments/list")
def segments(act: Act) -> Body:
    """CONTRACT 9."""
    return _page(act, act.world.segments.values())


def _import_batch(act: Act, db: Database) -> tuple[list[Body], list[str]]:
    """The items of an import-and-start, wrapped in ``data`` (CONTRACT 14.6), and the profiles they became."""
    items = act["data"] or []
    if any(not isinstance(item, dict) or set(item) - {"data", "custom_data"} for item in items):
        raise Refused(400, 'every item of data must be {"data": {...}}')
    answers = [_taken(act, db, item.get("data")) for item in items]
    return answers, [answer["profile_id"] for answer in answers if not answer["error"]]


def _task(act: Act, answers: list[Body]) -> Body:
    """A task for what was imported (CONTRACT 1.10, 2.1)."""
    behaviour, tasks = act.behaviour, act.world.tasks
    task_id = behaviour.task_id_prefix + str(UUID(int=(len(tasks) + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
    shown = [item if item["error"] else {"profile_id": item["profile_id"]} for item in answers]
    result: Body = {"error": 0, "error_text": ""}
    if behaviour.tasks_fail:
        result = {"error": 500, "error_text": "The task failed"}
    elif behaviour.result_of_batches == "itemised":
        result["result"] = shown
    seconds = behaviour.task_seconds + len(answers) * behaviour.task_seconds_per_item
    tasks[task_id] = Task(task_id, act.now, seconds, result, behaviour.tasks_fail)
    return {"task_id": task_id} if behaviour.task_id_position == "top" else {"data": {"task_id": task_id}}


@method("workflows/import_and_start_batch_task")
def scenario_batch(act: Act) -> Body:
    """CONTRACT 3.1."""
    scenario = act.world.scenario(act["workflow_id"])
    if not scenario.is_active:
        raise Refused(400, f"scenario {scenario.workflow_id} is not active")
    answers, profile_ids = _import_batch(act, act.world.database(scenario.db_id))
    act.deliveries.enter(scenario.workflow_id, profile_ids)
    return _task(act, answers)


@method("campaigns/triggers/import_and_start_batch_task")
def trigger_batch(act: Act) -> Body:
    """CONTRACT 7.4."""
    mailing = act.world.mailing(act["trigger_id"], "trigger")
    if not mailing.is_active:
        raise Refused(400, f"mailing {mailing.mailing_id} is not active")
    answers, profile_ids = _import_batch(act, act.world.database(mailing.data_id))
    launch = Launch(mailing.mailing_id, "trigger", act.now, len(profile_ids), act.request_id)
    act.deliveries.launch(launch, profile_ids)
    return _task(act, answers)


@method("workflows/list")
def scenarios(act: Act) -> Body:
    """CONTRACT 3.5: ``total`` instead of ``total_count``."""
    answer = _page(
        act,
        (
            {
                "id": scenario.workflow_id,
                "name": scenario.name,
                "list_id": scenario.db_id,
                "is_active": scenario.is_active,
            }
            for scenario in act.world.scenarios.values()
        ),
    )
    answer["total"] = answer.pop("total_count")
    return answer


@method("workflows/activate")
def activate_scenario(act: Act) -> Body:
    """CONTRACT 3.6."""
    act.world.scenario(act["id"]).is_active = True
    return {"data": None}


def _campaign(act: Act, campaign: Campaign) -> Body:
    state = campaign.state(act.now)
    return {
        "id": campaign.campaign_id,
        "is_delete": state == "deleted",
        "name": campaign.name,
        "description": "",
        "tags": [],
        "state": state,
        "groups": [{"id": 0, "name": "main"}],
        "marketing_activities_counter": len(campaign.mailings),
    }


@method("scampaigns/list")
def campaigns(act: Act) -> Body:
    """CONTRACT 4.3."""
    everything = [_campaign(act, campaign) for campaign in act.world.campaigns.values()]
    return _page(act, (item for item in everything if act["state"] in (None, item["state"])))


@method("scampaigns/get")
def campaign(act: Act) -> Body:
    """CONTRACT 4.4: an array with one object."""
    return {"data": [_campaign(act, act.world.campaign(act["id"]))]}


@method("scampaigns/get_status")
def campaign_status(act: Act) -> Body:
    """CONTRACT 4.2."""
    return {"data": {"status": act.world.campaign(act["id"]).state(act.now)}}


@method("scampaigns/activate")
def activate_campaign(act: Act) -> Body:
    """CONTRACT 4.5."""
    campaign = _open_campaign(act)
    names = ("activate_date", "start_date") if act.behaviour.campaign_date_field == "either" else (
        act.behaviour.campaign_date_field,
    )  # fmt: skip
    start = next((_moment(act[name]) for name in names if act[name]), None)
    if start is None and not any(name in act.body for name in names):
        raise Refused(400, f"missing parameter: {names[0]}")
    campaign.move(max(start or act.now, act.now), "active")
    for name, state in (("deactivate_date", "inactive"), ("completed_date", "completed")):
        if act[name]:
            campaign.move(_moment(act[name]), state)
    return {"data": None}


@method("scampaigns/deactivate")
def deactivate_campaign(act: Act) -> Body:
    """CONTRACT 4.6."""
    _leave(act, _open_campaign(act), "inactive")
    return {"data": None}


@method("scampaigns/completed")
def complete_campaign(act: Act) -> Body:
    """CONTRACT 4.7: irreversible."""
    campaign = _open_campaign(act)
    _leave(act, campaign, "completed")
    for mailing_id in campaign.mailings:
        act.world.mailing(mailing_id).is_active = False
    return {"data": None}


def _open_campaign(act: Act) -> Campaign:
    campaign = act.world.campaign(act["id"])
    if campaign.state(act.now) in {"completed", "deleted"}:
        raise Refused(400, f"campaign {campaign.campaign_id} is {campaign.state(act.now)}")
    return campaign


def _leave(act: Act, campaign: Campaign, state: str) -> None:
    campaign.moves = [move for move in campaign.moves if move[0] <= act.now]
    campaign.move(act.now, state)
    for mailing_id in campaign.mailings:
        act.world.mailing(mailing_id).stop(act.now)


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(400, "dates must be RFC 3339") from None
    if moment.tzinfo is None:
        raise Refused(400, "dates must be RFC 3339, with an offset")
    return moment


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
    return _page(act, (_mailing(mailing) for mailing in shown if act["is_active"] in (None, mailing.is_active)))


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
    since = _moment(act["from_time"]) if act["from_time"] else None
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
    mailing.runs.append(Run(act.now, act.now + timedelta(seconds=mailing.duration)))
    launch = Launch(mailing.mailing_id, mailing.kind, act.now, len(recipients), act.request_id)
    act.deliveries.launch(launch, recipients)
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
        mailing.stop(act.now)
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
