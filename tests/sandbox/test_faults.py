"""Which calls a rule applies to."""

from __future__ import annotations

import pytest
import requests

from airflow_provider_altcraft.sandbox import Fault
from airflow_provider_altcraft.sandbox.faults import Faults

START = "campaigns/broadcasts/start"


class Request:
    """The parameters of a request, and how often they were read."""

    def __init__(self, **parameters):
        self.parameters, self.reads = parameters, 0

    def __call__(self):
        self.reads += 1
        return self.parameters


@pytest.fixture
def faults():
    return Faults(seed=7)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({"kind": "nosuch"}, "Fault.kind is 'nosuch'"),
        ({"kind": "delay", "endpoint": "tasks/state"}, "no method 'tasks/state'"),
        ({"kind": "delay", "seconds": "2"}, "Fault.seconds is '2'"),
        ({"kind": "delay", "seconds": -1}, "seconds from 0"),
        ({"kind": "status", "nth": 0}, "count from 1"),
        ({"kind": "status", "times": 0}, "count from 1"),
        ({"kind": "status", "probability": 1.5}, "from 0 to 1"),
        ({"kind": "status", "where": ["id"]}, "Fault.where is"),
    ],
)
def test_a_rule_that_could_never_apply_is_refused(rule, wrong):
    with pytest.raises(ValueError, match=wrong):
        Fault(**rule)


@pytest.mark.parametrize(
    ("path", "given", "wrong"),
    [
        ("faults", {"kind": "nosuch"}, "Fault.kind"),
        ("faults", {"kind": "delay", "second": 1}, "second"),
        ("faults", ["delay"], "mapping"),
        ("behaviour", {"deduplication": "of"}, "Behaviour.deduplication"),
        ("behaviour", {"deduplicaton": "off"}, "deduplicaton"),
        ("advance", {}, "seconds"),
        ("speed", {"speed": "fast"}, "fast"),
        ("mailings", {"mailing": 7}, "mailing"),
    ],
)
def test_what_the_control_does_not_understand_is_refused_and_changes_nothing(sandbox, path, given, wrong):
    before = requests.get(f"{sandbox.url}/_sandbox/state", timeout=5).json()
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=given, timeout=5)
    assert (answer.status_code, wrong in answer.json()["error"]) == (400, True), answer.text
    after = requests.get(f"{sandbox.url}/_sandbox/state", timeout=5).json()
    assert {**after, "now": 0} == {**before, "now": 0}


def test_what_is_no_json_is_refused(sandbox):
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", data=b"{", headers=headers, timeout=5)
    assert answer.status_code == 400


def test_a_switch_takes_only_what_it_can_be(sandbox):
    with pytest.raises(ValueError, match=r"Behaviour\.duplicate_while_running is 'waits'"):
        sandbox.behaviour.duplicate_while_running = "waits"


def test_a_rule_without_where_reads_no_request(faults):
    request = Request(id=7)
    faults.add(Fault("status", START))
    assert faults.meet(START, request) is not None
    assert request.reads == 0


def test_a_rule_with_where_for_another_endpoint_reads_no_request(faults):
    request = Request(id=7)
    faults.add(Fault("status", START, where={"id": 7}))
    assert faults.meet("campaigns/regulars/start", request) is None
    assert request.reads == 0


def test_rules_with_where_read_the_request_once(faults):
    request = Request(id=9)
    for mailing_id in (7, 8, 9):
        faults.add(Fault("status", START, where={"id": mailing_id}, text=str(mailing_id)))
    assert faults.meet(START, request).text == "9"
    assert request.reads == 1


def test_a_request_that_does_not_match_is_not_counted(faults):
    faults.add(Fault("status", START, where={"id": 7}, nth=2))
    met = [faults.meet(START, Request(id=mailing_id)) for mailing_id in (7, 8, 7, 7)]
    assert [fault is not None for fault in met] == [False, False, True, False]


def test_the_server_reads_the_request_for_where(sandbox, post):
    sandbox.faults.add(Fault("status", START, where={"id": 8}))
    assert post(START, id=7).status_code == 200
    sandbox.faults.add(Fault("status", START, where={"id": 7}))
    assert post(START, id=7).status_code == 502


def test_the_server_parses_no_body_for_a_rule_without_where(sandbox, post, monkeypatch):
    from airflow_provider_altcraft.sandbox import server

    parsed = []
    monkeypatch.setattr(server, "_parameters", lambda body: parsed.append(body) or {})
    sandbox.faults.add(Fault("status", START))
    assert post(START, id=7).status_code == 502
    assert not parsed
