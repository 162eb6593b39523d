"""What there is at a sandbox and what has happened, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from airflow_provider_altcraft.sandbox.contract import METHODS
from airflow_provider_altcraft.sandbox.faults import Kind
from airflow_provider_altcraft.sandbox.state import State


def summary(state: State) -> dict[str, Any]:
    """The counts and the states of everything, without profiles and messages."""
    now, world, deliveries = state.clock.now(), state.world, state.deliveries
    return {
        "now": now.isoformat(),
        "speed": state.clock.speed,
        "requests": len(state.journal),
        "underway": state.underway,
        "launches": deliveries.total_launches,
        "databases": [
            {"id": db.db_id, "name": db.name, "profiles": len(db.profiles)} for db in world.databases.values()
        ],
        "mailings": [
            {
                "id": mailing.mailing_id,
                "name": mailing.name,
                "kind": mailing.kind,
                "is_active": mailing.is_active,
                "launches": len(deliveries.launches(mailing.mailing_id)),
                "messages": deliveries.count(mailing.mailing_id),
                "runs": [{"start": run.start.isoformat(), "end": run.end.isoformat()} for run in mailing.runs],
            }
            for mailing in world.mailings.values()
        ],
        "campaigns": [
            {"id": one.campaign_id, "name": one.name, "state": one.state(now)} for one in world.campaigns.values()
        ],
        "scenarios": [
            {
                "id": one.workflow_id,
                "name": one.name,
                "is_active": one.is_active,
                "entries": deliveries.scenario_entries(one.workflow_id),
            }
            for one in world.scenarios.values()
        ],
        "suppression_lists": [
            {"id": one.list_id, "name": one.name, "emails": len(one.emails)} for one in world.suppression_lists.values()
        ],
        "programmes": [
            {"id": one.loyalty_id, "name": one.name, "codes": len(one.codes)} for one in world.programmes.values()
        ],
        "orders": len(world.orders),
        "tasks": [{"id": task.task_id, "progress": task.progress(now)} for task in world.tasks.values()],
        "faults": [{**asdict(fault), "met": met} for fault, met in state.faults.in_force()],
        "kinds": get_args(Kind),
        "endpoints": sorted(METHODS),
    }
