"""The API's nouns: what they say, and what they refuse to."""

from __future__ import annotations

import pendulum
import pytest

from airflow_provider_altcraft.api.objects import Content, Matching, StartSchedule, identifier
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


def test_a_cron_expression_becomes_lists_of_numbers():
    assert StartSchedule.from_cron("0,30 9-11 1 12 *").params == {
        "start_mins": [0, 30],
        "start_hours": [9, 10, 11],
        "start_mdays": [1],
        "start_wdays": [],
        "start_months": [12],
        "start_years": [],
    }


@pytest.mark.parametrize(("sunday", "weekdays"), [(0, [0, 1, 5]), (1, [1, 2, 6])])
def test_weekdays_are_numbered_as_the_installation_does(sunday, weekdays):
    assert StartSchedule.from_cron("0 9 * * 1,5,7", sunday=sunday).start_wdays == weekdays


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("0 9 * * 1", "sunday="),
        ("0 9 1 * 1", "cannot combine days of the month"),
        ("0 9 L * *", "the last"),
        ("0 9 * * 1#2", "n-th"),
        ("0 0 9 * * *", "five"),
        ("R 9 * * *", "cannot be random"),
        ("@reboot", "not a cron"),
        ("61 * * * *", "not a cron"),
    ],
)
def test_what_a_schedule_cannot_say_is_refused(expression, reason):
    with pytest.raises(AltcraftConfigurationError, match=reason):
        StartSchedule.from_cron(expression)


def test_a_moment_is_said_in_the_zone_of_the_mailing():
    moment = pendulum.datetime(2026, 12, 31, 22, 30, tz="UTC")
    schedule = StartSchedule.at(moment, timezone="Europe/Moscow")
    assert schedule.params == {
        "start_mins": [30],
        "start_hours": [1],
        "start_mdays": [1],
        "start_wdays": [],
        "start_months": [1],
        "start_years": [2027],
    }


@pytest.mark.parametrize("moment", [pendulum.naive(2026, 1, 1), pendulum.datetime(2026, 1, 1, 0, 0, 30)])
def test_a_moment_without_zone_or_with_seconds_is_refused(moment):
    with pytest.raises(AltcraftConfigurationError):
        StartSchedule.at(moment, timezone="UTC")


@pytest.mark.parametrize("field", [{"start_hours": [24]}, {"start_mins": [-1]}, {"start_months": ["1"]}])
def test_numbers_out_of_range_are_refused(field):
    with pytest.raises(AltcraftConfigurationError):
        StartSchedule(**field)


def test_content_leaves_out_what_it_does_not_say():
    assert Content("15", subject="Hello").params == {"message_id": 15, "subject": "Hello"}


@pytest.mark.parametrize(("mode", "field_name"), [("name", None), ("custom", None), ("email", "CRM_ID")])
def test_a_matching_that_cannot_be_is_refused(mode, field_name):
    with pytest.raises(AltcraftConfigurationError):
        Matching(mode, field_name)


@pytest.mark.parametrize("value", ["", " ", None, "None", "seven", 0, -1, True, "1.5"])
def test_an_id_that_is_none_is_refused(value):
    with pytest.raises(AltcraftConfigurationError, match="mailing_id"):
        identifier("mailing_id", value)
