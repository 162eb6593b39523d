"""Trigger mailings that are started by a call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, attempt, method
from airflow_provider_altcraft.sandbox.methods.files import check_attachments
from airflow_provider_altcraft.sandbox.methods.mailings import DURATION, check_content, next_id, settings
from airflow_provider_altcraft.sandbox.methods.profiles import (
    check_custom_data,
    found,
    hook_data,
    import_batch,
    import_one,
    selected,
)
from airflow_provider_altcraft.sandbox.methods.tasks import start_task
from airflow_provider_altcraft.sandbox.world import Database, Mailing

SUBSCRIPTION_FILTERS = ({"subscription_id", "provider"}, {"email"}, {"phone"})
"""What a ``subscription_filter`` may hold, beside ``not_strict`` (CONTRACT 3.4)."""


@method("campaigns/triggers/add")
def add_trigger(call: ApiCall) -> Body:
    """CONTRACT 7.5. Which database it belongs to is not said; here it is the first."""
    check_content(call)
    mailing_id = next_id(call)
    call.world.mailings[mailing_id] = Mailing(
        mailing_id,
        "trigger",
        call["name"],
        is_active=bool(call["is_active"]),
        data_type="list",
        data_id=min(call.world.databases, default=0),
        duration=DURATION,
        stored=settings(call),
    )
    return {"data": {"saved_id": mailing_id}}


@method("campaigns/triggers/start")
def start_trigger(call: ApiCall) -> Body:
    """CONTRACT 7.1: existing profiles, by matching or by a query."""
    mailing = startable(call, call["id"])
    check_subscription_filter(call)
    send(call, mailing, selected(call, _database(call, mailing)))
    return {"data": None}


@method("campaigns/triggers/start_batch")
def start_batch(call: ApiCall) -> Body:
    """CONTRACT 7.2: the ids of the profiles that it was sent to."""
    mailing = startable(call, call["trigger_id"])
    answers = _each(call, mailing)
    profile_ids = [answer["profile_id"] for answer in answers if answer.get("profile_id")]
    send(call, mailing, profile_ids, data=hook_data(call, answers))
    return {"result": profile_ids}


@method("campaigns/triggers/start_batch_task")
def start_batch_task(call: ApiCall) -> Body:
    """CONTRACT 7.3. The result of its task was not seen; here it is that of an import."""
    field = call.behaviour.start_batch_task_field
    names = ("id", "trigger_id") if field == "either" else (field,)
    trigger_id = next((call[name] for name in names if call[name] is not None), None)
    if trigger_id is None:
        raise Refused(400, f"missing parameter: {names[0]}")
    mailing = startable(call, trigger_id)
    if call["custom_request"] is not None:
        answers: list[Body] = [
            {"error": 0, "profile_id": profile_id} for profile_id in selected(call, _database(call, mailing))
        ]
        data = None
    else:
        answers = _each(call, mailing)
        data = hook_data(call, answers)
    send(call, mailing, [answer["profile_id"] for answer in answers if answer.get("profile_id")], data=data)
    return start_task(call, answers)


@method("campaigns/triggers/import_and_start")
def import_and_start(call: ApiCall) -> Body:
    """CONTRACT 7.4."""
    mailing = startable(call, call["trigger_id"])
    db = _database(call, mailing)
    if call["db_id"] not in (None, db.db_id):
        raise Refused(400, f"db_id: trigger {mailing.mailing_id} belongs to database {db.db_id}")
    delay = _delay(call)
    answer = import_one(call, db)
    send(call, mailing, [answer["profile_id"]], delay)
    return answer if call.behaviour.import_and_start_answer == "profile_id" else {}


@method("campaigns/triggers/import_and_start_batch")
def import_and_start_batch(call: ApiCall) -> Body:
    """CONTRACT 7.4. The answer is cut; here it is that of the other batches."""
    answers = _imported(call)
    return {"result": answers} if call.behaviour.result_of_batches == "itemised" else {}


@method("campaigns/triggers/import_and_start_batch_task")
def import_and_start_batch_task(call: ApiCall) -> Body:
    """CONTRACT 7.4."""
    return start_task(call, _imported(call))


def check_subscription_filter(call: ApiCall) -> None:
    """Refuse an invalid filter. A valid one changes nothing: deliveries do not tell subscriptions apart."""
    wanted = call["subscription_filter"]
    if wanted is not None and set(wanted) - {"not_strict"} not in SUBSCRIPTION_FILTERS:
        raise Refused(400, "subscription_filter must have subscription_id and provider, or email, or phone")


def startable(call: ApiCall, mailing_id: Any) -> Mailing:
    """A trigger that a call can start: it must be active, and of the type ``api_call`` (CONTRACT 7)."""
    if not str(mailing_id).isdigit():
        raise Refused(400, "wrong type of parameter: id must be int")
    mailing = call.world.mailing(int(mailing_id), "trigger")
    check_attachments(call)
    if not mailing.is_active:
        raise Refused(400, f"mailing {mailing.mailing_id} is not active")
    if mailing.stored.get("trigger_type", "api_call") != "api_call":
        raise Refused(400, f"mailing {mailing.mailing_id} cannot be started by a call")
    return mailing


def _database(call: ApiCall, mailing: Mailing) -> Database:
    return call.world.database(mailing.data_id)


def _each(call: ApiCall, mailing: Mailing) -> list[Body]:
    """The profile that each item matches, or why there is none."""
    db = _database(call, mailing)
    check_custom_data(call["data"])

    def one(item: Body) -> Body:
        profile_id = found(call, db, item)
        return {} if profile_id is None else {"profile_id": profile_id}

    return [attempt(one, item) for item in call["data"]]


def _imported(call: ApiCall) -> list[Body]:
    mailing = startable(call, call["trigger_id"])
    delay = _delay(call)
    answers, profile_ids = import_batch(call, _database(call, mailing))
    send(call, mailing, profile_ids, delay, hook_data(call, answers))
    return answers


def send(
    call: ApiCall,
    mailing: Mailing,
    profile_ids: list[str],
    delay: timedelta = timedelta(),
    data: dict[str, Any] | None = None,
) -> None:
    """Send a mailing to profiles, now or after a delay. Without profiles, there is no launch.

    :param data: for action hooks, by profile; by default that of the request, for all.
    """
    if profile_ids:
        call.deliveries.launch(mailing.mailing_id, "trigger", call.now + delay, call.request_id, profile_ids)
        data = dict.fromkeys(profile_ids, call["custom_data"]) if data is None else data
        call.deliveries.note_hook_data("trigger", mailing.mailing_id, data)


def _delay(call: ApiCall) -> timedelta:
    """The ``timeout``: how long to wait before sending (CONTRACT 7.4)."""
    timeout = call["timeout"] or {}
    if set(timeout) - {"days", "hours", "minutes"} or not all(isinstance(value, int) for value in timeout.values()):
        raise Refused(400, "timeout must be numbers of days, hours and minutes")
    return timedelta(**timeout)
