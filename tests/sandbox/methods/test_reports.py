"""The report of soft bounces."""

from __future__ import annotations

from datetime import date

import pytest

PERIOD = {"date_from": "2026-03-01", "date_to": "2026-03-31"}


@pytest.fixture(autouse=True)
def bounced(sandbox):
    for day in (1, 31):
        sandbox.add_bounce(7, on=date(2026, 3, day))
    sandbox.add_bounce(8, on=date(2026, 3, 5), text="greylisted", ip="192.0.2.2")
    sandbox.add_bounce(7, on=date(2026, 4, 1))


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        ({}, [(7, 2), (8, 1)]),
        ({"campaign_id": 8}, [(8, 1)]),
        ({"top": 1}, [(7, 2)]),
        ({"group_by": "ip"}, [("192.0.2.1", 2), ("192.0.2.2", 1)]),
        ({"group_by": "from_domain", "campaign_id": 7}, [("altcraft.com", 2)]),
    ],
)
def test_bounces_of_a_period_are_counted(post, asked, counts):
    data = post("reports/bounces", **PERIOD, **asked).json()["data"]
    assert [(row["data_id"], row["count"]) for row in data] == counts
    assert data[0].keys() == {"data_id", "count", "bounce_text", "to_domain"}


@pytest.mark.parametrize(
    "change",
    [{"date_from": "2026-04-01"}, {"date_to": "31.03.2026"}, {"date_to": "20260331"}, {"group_by": "weekday"}],
)
def test_the_rest_is_refused(post, change):
    assert post("reports/bounces", **{**PERIOD, **change}).json()["error"] == 400
