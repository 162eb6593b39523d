"""Which calls a rule applies to."""

from __future__ import annotations

import pytest

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
