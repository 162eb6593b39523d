"""The page, as far as no browser is needed: what it reads is there, and what it sends is taken."""

from __future__ import annotations

import json
import re

import pytest
import requests

from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.sandbox.page import PAGE

BUTTONS = [(path, json.loads(body)) for path, body in re.findall(r"""data-path="(\w+)" data-body='([^']+)'""", PAGE)]


def state(sandbox):
    return requests.get(f"{sandbox.url}/_sandbox/state", timeout=5).json()


def test_its_buttons_were_found():
    assert {path for path, _ in BUTTONS} == {"advance", "speed", "reset"}


@pytest.mark.parametrize(("path", "body"), BUTTONS)
def test_each_button_is_understood(sandbox, path, body):
    assert requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=5).ok


def test_all_that_it_shows_of_the_state_is_there(sandbox):
    assert set(re.findall(r"\bstate\.(\w+)", PAGE)) <= state(sandbox).keys()


def test_a_fault_that_is_added_in_it_is_shown_with_how_often_it_was_met(sandbox, post):
    given = {"kind": "status", "endpoint": "tasks/status", "times": 2, "code": 502, "seconds": 1}
    assert requests.post(f"{sandbox.url}/_sandbox/faults", json=given, timeout=5).ok
    post("tasks/status", task_id="1")
    (shown,) = state(sandbox)["faults"]
    assert (shown["kind"], shown["met"], shown["times"]) == ("status", 1, 2)


def test_it_offers_all_faults_and_the_methods_that_they_can_meet(sandbox):
    offered = state(sandbox)
    assert [Fault(kind).kind for kind in offered["kinds"]] == offered["kinds"]
    assert [Fault("status", name).endpoint for name in offered["endpoints"]] == offered["endpoints"]


def test_a_reset_is_seen(sandbox, post):
    post("profiles/import", db_id=1, data={"email": "a@b.com"}, matching="email")
    assert state(sandbox)["databases"][0]["profiles"] == 1
    requests.post(f"{sandbox.url}/_sandbox/reset", json={}, timeout=5)
    assert state(sandbox)["databases"][0]["profiles"] == 0
