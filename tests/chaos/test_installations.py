"""Installations that remember otherwise, or not at all: each fault has its expected end, and never a second launch."""

from __future__ import annotations

import json

import pytest

from airflow_provider_altcraft.operators.campaigns import AltcraftActivateCampaignOperator
from airflow_provider_altcraft.operators.mailings import (
    AltcraftCreateMailingOperator,
    AltcraftLaunchMailingOperator,
    AltcraftStartTriggerMailingOperator,
)
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from tests.chaos.airflow_in_small import play
from tests.contexts import Store

START = "campaigns/broadcasts/start"
BATCH = "workflows/import_and_start_batch_task"
PROFILES = [{"email": f"customer-{number}@example.com"} for number in range(4)]

OFF = ({"deduplication": "off"}, {"deduplication_window": 0})
SECONDS = ({"deduplication_window": 2}, {"deduplication_window": 2})
CHECKSUM = ({"deduplication": "checksum", "duplicate_header": "X-Duplicate-Request"}, {})
OLD = (
    {"deduplication": "checksum", "duplicate_header": "X-Duplicate-Request", "request_id_header": "X-Request-ID"},
    {"request_id_header": "X-Request-ID"},
)
REMEMBERS_ERRORS = ({"replay_errors": True}, {})
FORGETS_ERRORS = ({"replay_errors": False}, {})

GREEN, UNKNOWN = "green", "AltcraftOutcomeUnknown"


@pytest.fixture
def installation(altcraft, monkeypatch):
    """An installation and a connection that says what it is like."""

    def installation(kind):
        behaviour, extra = kind
        altcraft.reset(**behaviour)
        usual = {"read_timeout": 0.15, "max_attempts": 3}
        monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", altcraft.connection(**{**usual, **extra}))
        return altcraft

    return installation


def launch():
    return AltcraftLaunchMailingOperator(task_id="launch", mailing_id=7, poll_interval=0.01, timeout=30)


def start_regular():
    return AltcraftLaunchMailingOperator(
        task_id="launch", mailing_id=8, mailing_type="regular", poll_interval=0.01, timeout=30
    )


def start():
    return AltcraftImportAndStartOperator(
        task_id="start", profiles=PROFILES, workflow_id=12, poll_interval=0.01, timeout=30
    )


@pytest.mark.parametrize("remembers", [False, True], ids=["no store", "store"])
@pytest.mark.parametrize(
    ("kind", "fault", "end", "launches"),
    [
        # Nobody remembers, so a look decides: the log shows the start of a broadcast, or nothing.
        pytest.param(OFF, "drop_after", GREEN, 1, id="off, answer lost"),
        pytest.param(OFF, "drop_before", UNKNOWN, 0, id="off, request lost"),
        pytest.param(OFF, "rate_limited", GREEN, 1, id="off, told to wait"),
        pytest.param(OFF, "html", UNKNOWN, 0, id="off, a gateway's page"),
        pytest.param(OFF, "error_after", GREEN, 1, id="off, error after the work"),
        pytest.param(CHECKSUM, "drop_after", GREEN, 1, id="checksum, answer lost"),
        pytest.param(CHECKSUM, "cut_body", GREEN, 1, id="checksum, half an answer"),
        pytest.param(OLD, "drop_after", GREEN, 1, id="old header, answer lost"),
        pytest.param(REMEMBERS_ERRORS, "error_after", GREEN, 1, id="errors remembered, error after the work"),
        pytest.param(FORGETS_ERRORS, "error_after", GREEN, 1, id="errors forgotten, error after the work"),
        pytest.param(REMEMBERS_ERRORS, "api_error", GREEN, 1, id="errors remembered, error before the work"),
    ],
)
def test_a_broadcast(installation, kind, fault, end, launches, remembers):
    altcraft = installation(kind)
    altcraft.fault(kind=fault, endpoint=START, times=1, code=500 if "error" in fault else 502, seconds=0.01)
    store = Store() if remembers else None
    came = play(launch, store=store, sleep=altcraft.advance, between_tries=altcraft.fall_quiet)
    assert (came.word, altcraft.launches()[7]) == (end, launches)


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_start_of_a_regular_mailing_is_no_evidence_since_it_has_a_schedule(installation, fault):
    altcraft = installation(OFF)
    altcraft.fault(kind=fault, endpoint="campaigns/regulars/start", times=1)
    end = play(start_regular, store=None, sleep=altcraft.advance)
    assert end.word == UNKNOWN
    assert altcraft.launches()[8] == (fault == "drop_after")


@pytest.mark.parametrize(
    ("kind", "fault", "end", "entries"),
    [
        pytest.param(OFF, "drop_after", UNKNOWN, 1, id="off, answer lost"),
        pytest.param(OFF, "rate_limited", GREEN, 1, id="off, told to wait"),
        pytest.param(CHECKSUM, "drop_after", GREEN, 1, id="checksum, answer lost"),
        pytest.param(REMEMBERS_ERRORS, "error_after", UNKNOWN, 1, id="errors remembered, error after the work"),
    ],
)
def test_a_batch_into_a_scenario_cannot_be_looked_for(installation, kind, fault, end, entries):
    altcraft = installation(kind)
    altcraft.fault(kind=fault, endpoint=BATCH, times=1, code=500, seconds=0.01)
    came = play(start, store=None, sleep=altcraft.advance)
    assert came.word == end
    assert set(altcraft.entries().values()) == {entries}


@pytest.mark.parametrize("remembers", [False, True], ids=["no store", "store"])
def test_a_retry_that_comes_after_the_window_does_not_launch_again(installation, remembers):
    altcraft = installation(SECONDS)
    altcraft.run_at(1)
    altcraft.fault(kind="drop_after", endpoint=START)
    altcraft.fault(kind="status", endpoint="campaigns/log_v2", times=20)
    store = Store() if remembers else None
    first = play(launch, store=store, sleep=altcraft.advance, retries=0)
    assert not first.green
    altcraft.mend()
    altcraft.advance(3600)
    then = play(launch, store=store, sleep=altcraft.advance, first_try=2, max_tries=3)
    assert altcraft.launches()[7] == 1
    # What was kept of the intent says where to look; without it, a start in the log could be anybody's.
    assert then.word == (GREEN if remembers else UNKNOWN)
    assert altcraft.launches()[7] == 1


@pytest.mark.parametrize("remembers", [False, True], ids=["no store", "store"])
def test_an_old_refusal_is_gone_past_once_its_reason_is(installation, remembers):
    altcraft = installation(REMEMBERS_ERRORS)
    store = Store() if remembers else None
    trigger = lambda: AltcraftStartTriggerMailingOperator(  # noqa: E731
        task_id="start", trigger_id=9, recipient={"email": PROFILES[0]["email"]}
    )
    assert not play(trigger, store=store, sleep=altcraft.advance).green
    play(start, store=None, sleep=altcraft.advance, task_id="import")
    assert play(trigger, store=store, sleep=altcraft.advance, first_try=2, max_tries=4).green
    assert altcraft.launches()[9] == 1


def test_a_creation_without_a_memory_is_not_repeated(installation):
    altcraft = installation(OFF)
    altcraft.fault(kind="drop_after", endpoint="campaigns/broadcasts/add", times=1)
    create = lambda: AltcraftCreateMailingOperator(  # noqa: E731
        task_id="create",
        name="Digest",
        mailing_type="broadcast",
        data_type="list",
        data_id=1,
        content=[{"message_id": 1}],
        send_channel="email",
    )
    assert play(create, store=None, sleep=altcraft.advance).word == UNKNOWN
    assert len(altcraft.calls("campaigns/broadcasts/add")) == 1


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_activation_is_looked_for_in_the_campaigns_state(installation, fault):
    altcraft = installation(OFF)
    altcraft.fault(kind=fault, endpoint="scampaigns/activate", times=1)
    activate = lambda: AltcraftActivateCampaignOperator(  # noqa: E731
        task_id="activate", campaign_id=18, poll_interval=0.01, timeout=30
    )
    end = play(activate, store=None, sleep=altcraft.advance)
    assert end.green if fault == "drop_after" else end.word == UNKNOWN
    assert altcraft.campaign(18) == ("active" if fault == "drop_after" else "inactive")


@pytest.mark.parametrize("remembers", [False, True], ids=["no store", "store"])
def test_every_try_sends_the_same_bytes_headers_included(installation, remembers):
    altcraft = installation(CHECKSUM)
    altcraft.fault(kind="drop_before", endpoint=START, times=4)
    play(launch, store=Store() if remembers else None, sleep=altcraft.advance)
    calls = altcraft.calls(START)
    sent = {json.dumps([call["headers"], call["body_digest"]]) for call in calls}
    assert len(calls) > 4
    assert len(sent) == 1, sent
