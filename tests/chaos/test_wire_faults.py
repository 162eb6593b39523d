"""Random faults of the wire: whatever goes wrong, never two launches, and never a green task without one.

Each schedule is a seed: what the installation is like, whether Airflow has a store, whether the task defers, and up to
five faults. ``schedule(seed)`` says what it holds; ``-k "<job> and <block>"`` runs a block of them again.
"""

from __future__ import annotations

import random

import pytest

from airflow_provider_altcraft.operators.campaigns import AltcraftCompleteCampaignOperator
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from tests.chaos.airflow_in_small import play
from tests.contexts import Store

SCHEDULES_PER_BLOCK = 50
BLOCKS = 7
PROFILES = [{"email": f"customer-{number}@example.com"} for number in range(5)]
QUICK = {"poll_interval": 0.01, "timeout": 30}

FAULTS = (
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "rate_limited", "seconds": 0.02},
    {"kind": "status", "code": 502},
    {"kind": "status", "code": 503},
    {"kind": "html", "code": 502},
    {"kind": "html", "code": 200},
    {"kind": "cut_body"},
    # Thrice: while the first request is worked on, its repeats get the answer that is the least documented.
    *[{"kind": "delay", "seconds": 0.2}] * 3,
    {"kind": "delay_after", "seconds": 0.2},
    {"kind": "api_error", "code": 500},
    {"kind": "error_after", "code": 500},
)

JOBS = {
    "launch": (
        lambda **how: AltcraftLaunchMailingOperator(task_id="launch", mailing_id=7, **QUICK, **how),
        ("campaigns/broadcasts/start", "campaigns/broadcasts/start", "campaigns/get_status", "campaigns/log_v2", "*"),
    ),
    "import_and_start": (
        lambda **how: AltcraftImportAndStartOperator(
            task_id="start", profiles=PROFILES, workflow_id=12, batch_size=2, max_in_flight=2, **QUICK, **how
        ),
        ("workflows/import_and_start_batch_task", "workflows/import_and_start_batch_task", "tasks/status", "*"),
    ),
    "complete": (
        lambda **how: AltcraftCompleteCampaignOperator(
            task_id="complete", campaign_id=18, allow_irreversible=True, **QUICK, **how
        ),
        ("scampaigns/completed", "scampaigns/completed", "scampaigns/get_status", "*"),
    ),
}


def schedule(job, seed):
    """What goes wrong, and where: the same for the same seed."""
    dice = random.Random(f"{job} {seed}")
    endpoints = JOBS[job][1]
    behaviour = {
        "replay_errors": dice.random() < 0.5,
        "duplicate_while_running": dice.choice(["wait", "error", "marked"]),
        "key_includes_path": dice.random() < 0.5,
        "error_http_status": dice.choice(["200", "own"]),
        "duplicate_header": dice.choice(["Duplicate-Request", "X-Duplicate-Request"]),
        "broadcast_stays_active": dice.random() < 0.7,
    }
    faults = [
        {**dice.choice(FAULTS), "endpoint": dice.choice(endpoints), "nth": dice.randint(1, 4), "times": 1}
        for _ in range(dice.randint(1, 5))
    ]
    if job == "import_and_start" and not behaviour["replay_errors"]:
        # Of a batch, an error that is not remembered is taken at its word: it was not done, and is sent again.
        faults = [fault for fault in faults if fault["kind"] != "error_after"]
    return behaviour, faults, dice.random() < 0.5, dice.random() < 0.5


def happened(altcraft, job):
    """How often the thing was done to whom it was done most, and to whom least."""
    if job == "launch":
        return (altcraft.launches()[7],) * 2
    if job == "import_and_start":
        entries = altcraft.entries()
        times = list(entries.values()) + [0] * (len(PROFILES) - len(entries))
        return max(times), min(times)
    return (int(altcraft.campaign(18) == "completed"),) * 2


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("job", JOBS)
def test_whatever_the_wire_does(altcraft, job, block):
    for seed in range(block * SCHEDULES_PER_BLOCK, (block + 1) * SCHEDULES_PER_BLOCK):
        behaviour, faults, remembers, deferrable = schedule(job, seed)
        altcraft.reset(**behaviour)
        for fault in faults:
            altcraft.fault(**fault)
        end = play(
            lambda: JOBS[job][0](deferrable=deferrable, retries=3),  # noqa: B023
            store=Store() if remembers else None,
            sleep=altcraft.advance,
            between_tries=altcraft.fall_quiet,
        )
        altcraft.fall_quiet()
        most, least = happened(altcraft, job)
        told = f"{job} {seed}: {behaviour} {faults} store={remembers} deferred={deferrable} -> {end}"
        assert most <= 1, told
        if end.green:
            assert least == 1, told
        else:
            # Most faults pass. This one Altcraft itself tells for ever after: error 500, for a batch it had taken.
            assert end.word == "AltcraftOutcomeUnknown", told
            assert "error_after" in {fault["kind"] for fault in faults}, told
