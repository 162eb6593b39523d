"""The trigger: arguments that survive, one event, no raising, no flood."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import pytest

from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger
from airflow_provider_altcraft.waiting.targets import CampaignTarget, MailingTarget, TaskTarget

TARGETS = [TaskTarget(["a", "b"]), MailingTarget(7, "2026-11-21T09:00:00+00:00"), CampaignTarget(18, "active")]


def round_trip(kwargs):
    """Through the serializer that this Airflow uses for trigger arguments."""
    try:
        from airflow.sdk.serde import deserialize, serialize
    except ImportError:
        from airflow.serialization.serialized_objects import BaseSerialization

        return BaseSerialization.deserialize(json.loads(json.dumps(BaseSerialization.serialize(kwargs))))
    return deserialize(json.loads(json.dumps(serialize(kwargs))))


def events_of(trigger):
    async def collect():
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


def waiting_for(*task_ids, poll_interval=0.02, **arguments):
    return AltcraftTrigger("altcraft_default", TaskTarget(list(task_ids)).to_dict(), poll_interval, **arguments)


@pytest.mark.parametrize("target", TARGETS)
def test_arguments_survive_serialization(target):
    trigger = AltcraftTrigger("conn", target.to_dict(), 2.5, 1e9, None, carried={"report": {"read": 1}, "tasks": []})
    path, kwargs = trigger.serialize()
    assert path == "airflow_provider_altcraft.triggers.altcraft.AltcraftTrigger"
    assert AltcraftTrigger(**round_trip(kwargs)).serialize() == trigger.serialize()


def test_arguments_stored_by_release_0_1_0_are_still_understood(altcraft_sandbox):
    altcraft_sandbox.add_task("task_1")
    stored = {
        "altcraft_conn_id": "altcraft_default",
        "watch": {"kind": "tasks", "ids": ["task_1"]},
        "poll_interval": 1,
        "timeout_at": None,
        "execution_timeout_at": None,
        "carried": None,
    }
    assert events_of(AltcraftTrigger(**stored))[0]["decision"] == "done"


def test_there_is_exactly_one_event_and_it_brings_back_what_was_carried(time_passes):
    time_passes.add_task("task_1", seconds=5)
    (event,) = events_of(waiting_for("task_1", carried={"mailing_id": 7}))
    assert (event["decision"], event["carried"]) == ("done", {"mailing_id": 7})
    assert round_trip(event) == event


@pytest.mark.parametrize("conn_id", ["altcraft_default", "no_such_connection"])
def test_it_never_raises(altcraft_sandbox, conn_id):
    trigger = AltcraftTrigger(conn_id, {"kind": "unheard of"}, 0.01)
    assert events_of(trigger)[0]["decision"] == "failed"


def test_a_thousand_tasks_need_one_request_each_per_round(altcraft_sandbox):
    ids = [f"task_{number}" for number in range(1_000)]
    for task_id in ids:
        altcraft_sandbox.add_task(task_id)
    (event,) = events_of(waiting_for(*ids))
    assert event["result"]["tasks"] == 1_000
    assert len(altcraft_sandbox.journal) == 1_000


def test_nothing_is_asked_while_the_server_wants_peace(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=30))
    events = events_of_for(waiting_for(*[f"task_{number}" for number in range(100)]), seconds=1)
    assert events == []
    # Those on their way when the first refusal came, and no more.
    assert len(altcraft_sandbox.journal) <= 8


def test_the_event_loop_is_not_held(altcraft_sandbox):
    for number in range(200):
        altcraft_sandbox.add_task(f"task_{number}")
    lags = []

    async def measure():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            lags.append(time.monotonic() - before - 0.01)

    async def both():
        watcher = asyncio.create_task(measure())
        async for _ in waiting_for(*[f"task_{number}" for number in range(200)]).run():
            watcher.cancel()

    asyncio.run(both())
    # Airflow warns at 0.2 s.
    assert max(lags, default=0) < 0.2


def events_of_for(trigger, *, seconds):
    async def collect():
        events = []

        async def listen():
            async for event in trigger.run():
                events.append(event)

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listen(), seconds)
        return events

    return asyncio.run(collect())


def test_nothing_is_asked_before_the_moment_that_the_worker_learned(altcraft_sandbox):
    altcraft_sandbox.add_task("task_1")
    assert events_of_for(waiting_for("task_1", next_poll_at=time.time() + 30), seconds=0.3) == []
    assert len(altcraft_sandbox.journal) == 0
    assert events_of(waiting_for("task_1", next_poll_at=time.time() - 30))[0]["decision"] == "done"


@pytest.mark.parametrize("ahead", [7_200, -7_200])
def test_the_first_pause_is_as_long_whatever_the_clock_of_the_worker_says(altcraft_sandbox, monkeypatch, ahead):
    altcraft_sandbox.add_task("task_1")

    def deferred(pause):
        with monkeypatch.context() as worker:
            clock = time.time
            worker.setattr(time, "time", lambda: clock() + ahead)
            _, kwargs = waiting_for("task_1", next_poll_at=time.time() + pause).serialize()
        return AltcraftTrigger(**round_trip(kwargs))

    assert events_of_for(deferred(30), seconds=0.3) == []
    assert len(altcraft_sandbox.journal) == 0
    (found,) = events_of_for(deferred(0.2), seconds=10)
    assert found.payload["decision"] == "done"


def test_a_retry_after_of_a_day_does_not_hold_it_beyond_its_deadline(altcraft_sandbox):
    altcraft_sandbox.add_task("task_1", seconds=10**6)
    altcraft_sandbox.faults.add(Fault("rate_limited", "tasks/status", seconds=86_400))
    (found,) = events_of_for(waiting_for("task_1", timeout_at=time.time() + 0.5), seconds=5)
    event = found.payload
    assert (event["decision"], event["cause"]) == ("timed out", "timeout")


def test_what_is_known_of_tasks_is_not_asked_for_again_and_comes_back_as_numbers(altcraft_sandbox):
    items = [{"profile_id": "p", "error": 0}, {"error": 400, "error_text": "ann@example.com"}]
    altcraft_sandbox.add_task("task_2", result={"error": 0, "error_text": "", "result": items})
    watch = TaskTarget(["task_1", "task_2"], {"task_1": {"items": 3}}).to_dict()
    (event,) = events_of(AltcraftTrigger("altcraft_default", watch, 0.02))
    assert [call.request["task_id"] for call in altcraft_sandbox.journal] == ["task_2"]
    assert event["outcomes"] == {"task_1": {"items": 3}, "task_2": {"items": 2, "refused": {"400": 1}}}
    assert event["result"]["accepted"] == 4
    assert "example.com" not in json.dumps(event)


def test_a_large_result_is_read_beside_the_event_loop(altcraft_sandbox):
    items = [{"profile_id": f"{number:024d}", "error": 0} for number in range(3_000)]
    for number in range(10):
        altcraft_sandbox.add_task(f"task_{number}", result={"error": 0, "error_text": "", "result": items})
    (event,) = events_of(waiting_for(*[f"task_{number}" for number in range(10)]))
    assert event["result"] == {"tasks": 10, "accepted": 30_000, "rejected": 0, "failed": []}
