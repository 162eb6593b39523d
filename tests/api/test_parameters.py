"""Parameters: what is refused before a call, what is sent with a warning, and what is understood."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from airflow_provider_altcraft.api import parameters
from airflow_provider_altcraft.api.endpoints import ENDPOINTS, Documented, endpoint
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

PERSON = "ivan@example.com"
MAILING = {
    "name": "Sale",
    "data_type": "list",
    "data_id": 1,
    "content": [{"message_id": 15}],
    "send_channel": "email",
}


@pytest.fixture(autouse=True)
def _nothing_said_yet():
    parameters._warn.cache_clear()


def written(name, params):
    return parameters.written(endpoint(name), params)


def refused(name, params):
    with pytest.raises(AltcraftConfigurationError) as caught:
        written(name, params)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("scampaigns/completed", {"campaign_id": 18}, {"id": 18}),
        ("campaigns/get_status", {"mailing_id": 7}, {"id": 7}),
        ("workflows/start", {"workflow_id": 12}, {"id": 12}),
        ("campaigns/triggers/start", {"trigger_id": 9}, {"id": "9"}),
        ("campaigns/triggers/start_batch", {"id": 9, "data": []}, {"trigger_id": 9, "data": []}),
        (
            "campaigns/triggers/start_batch_task",
            {"trigger_id": 9, "data": []},
            {"id": 9, "trigger_id": 9, "data": []},
        ),
        (
            "segments/get_counters",
            {"segment_id": 5, "resource_id": 2, "db_id": 1},
            {"id": 5, "resource_id": 2, "list_id": 1},
        ),
        (
            "segments/refresh_counters",
            {"segment_id": 5, "resource_id": 2, "db_id": 1},
            {"id": 5, "resource_id": 2, "db_id": 1},
        ),
        ("resources/refresh_counters", {"resource_id": 2, "db_id": 1}, {"id": 2, "list_id": 1}),
        (
            "campaigns/regulars/add",
            {**MAILING, "aglimit_percent": 10, "watcher_list_id": 3},
            {**MAILING, "agllimit_percent": 10, "watched_list_id": 3},
        ),
        (
            "scampaigns/activate",
            {"campaign_id": 18, "start_date": "2026-01-31T09:00:00+03:00"},
            {"id": 18, **dict.fromkeys(("activate_date", "start_date"), "2026-01-31T09:00:00+03:00")},
        ),
    ],
)
def test_one_sensible_name_becomes_whatever_the_method_calls_it(name, given, sent):
    assert written(name, given) == sent


def test_the_same_value_under_two_names_is_said_once():
    assert written("campaigns/get", {"id": 7, "mailing_id": "7"}) == {"id": 7}


def test_two_values_for_one_parameter_are_refused():
    assert "the same parameter" in refused("campaigns/get", {"id": 7, "mailing_id": 8})


def test_what_is_none_is_left_out():
    assert written("campaigns/clone", {"id": 7, "name": None}) == {"id": 7}


@pytest.mark.parametrize("nothing", [{}, {"id": None}, {"id": ""}, {"id": "  "}, {"mailing_id": ""}])
def test_a_required_parameter_that_is_missing_is_named_by_all_its_names(nothing):
    said = refused("campaigns/get_status", nothing)
    assert "required" in said
    assert "mailing_id (or id)" in said


def test_an_unknown_name_is_an_error_where_the_documentation_is_complete():
    assert "'abort_if_running'" in refused("campaigns/deactivate", {"id": 7, "abort_if_runing": True})


def test_an_unknown_name_without_a_near_one_gets_the_whole_list():
    assert "It takes: id, mailing_id." in refused("campaigns/get_status", {"id": 7, "zzz": 1})


def test_what_the_documentation_lacks_is_sent_where_it_is_said_to_be_meant(caplog):
    given = {"newer": {"nested": [1]}, "left_out": None}
    sent = parameters.written(endpoint("scampaigns/get_status"), {"id": "18"}, undocumented=given)
    assert sent == {"id": 18, "newer": {"nested": [1]}}
    assert parameters.written(endpoint("campaigns/delete"), {}, undocumented={"id": 7}) == {"id": 7}
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "undocumented", "reason"),
    [
        ("scampaigns/get_status", {"id": "eighteen"}, "documented parameter 'id'"),
        ("scampaigns/get_status", {"campaign_id": 18}, "documented parameter 'campaign_id'"),
        ("scampaigns/list", {"limit": "all"}, "documented parameter 'limit'"),
        ("integrations/any/profile_import", {"email": "a"}, "documented parameter 'email'"),
        ("scampaigns/get_status", {"token": "canary"}, "belongs in the connection"),
        ("scampaigns/get_status", {"format": "xml"}, "read as JSON"),
        ("scampaigns/get_status", "newer=1", "a mapping"),
        ("scampaigns/get_status", "", "a mapping"),
        ("download/{file}", {"token": "canary"}, "belongs in the connection"),
        ("download/{file}", {"newer": 1}, "no body"),
    ],
)
def test_what_is_known_cannot_go_past_its_check_as_undocumented(name, undocumented, reason):
    row = endpoint(name)
    given = {parameter.name: "1" for parameter in row.parameters if parameter.required}
    with pytest.raises(AltcraftConfigurationError, match=reason):
        parameters.written(row, given, undocumented=undocumented)
    with pytest.raises(AltcraftConfigurationError, match=reason):
        parameters.check(row, given, lambda value: False, undocumented=undocumented)


def test_a_refusal_says_how_a_newer_parameter_is_given():
    assert "pass it as undocumented" in refused("scampaigns/get_status", {"id": 18, "newer": 1})


@pytest.mark.parametrize("name", ["campaigns/get", "campaigns/delete"])
def test_elsewhere_an_unknown_name_is_sent_with_one_warning(name, caplog):
    for _ in range(3):
        assert written(name, {"id": 7, "shiny": {"new": 1}}) == {"id": 7, "shiny": {"new": 1}}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "shiny" in record.getMessage()
    assert ("id" in record.getMessage().partition(":")[2].split(" ")[1]) == (name == "campaigns/delete")


def test_paging_is_known_of_every_list(caplog):
    assert written("templates/list", {"from_id": 5, "limit": 10}) == {"from_id": 5, "limit": 10}
    assert not caplog.records


def test_quick_import_takes_any_field_of_the_database(caplog):
    fields = {"db_id": 1, "email": PERSON, "_fname": "Ann", "list_id": "a field", "loyalty_level": 3}
    assert written("integrations/any/profile_import", fields) == fields
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("campaigns/get_status", {"id": "seven"}),
        ("campaigns/get_status", {"id": True}),
        ("campaigns/get_status", {"id": 7.5}),
        ("campaigns/get_status", {"id": [7]}),
        ("campaigns/get_status", {"id": "7" * 5000}),
        ("campaigns/get_status", {"id": "٧"}),
        ("campaigns/deactivate", {"id": 7, "abort_if_running": "perhaps"}),
        ("campaigns/deactivate", {"id": 7, "abort_if_running": 1}),
        ("campaigns/log_v2", {"id": 7, "from_time": "yesterday"}),
        ("campaigns/log_v2", {"id": 7, "from_time": "2026-01-31"}),
        ("campaigns/log_v2", {"id": 7, "from_time": "2026-01-31T09:00:00"}),
        ("campaigns/log_v2", {"id": 7, "from_time": datetime(2026, 1, 31)}),
        ("campaigns/log_v2", {"id": 7, "from_time": 1769842800}),
        ("reports/bounces", {"date_from": "31.01.2026", "date_to": "2026-01-31"}),
        ("reports/bounces", {"date_from": "2026-02-31", "date_to": "2026-02-31"}),
        ("campaigns/broadcasts/start", {"id": 7, "override_source_type": "database"}),
        ("campaigns/broadcasts/start", {"id": 7, "content": "Hello"}),
        ("campaigns/broadcasts/start", {"id": 7, "attach": [{"name": "a"}, "b"]}),
        ("campaigns/broadcasts/start", {"id": 7, "attach": "abc"}),
        ("scampaigns/list", {"state": "running"}),
        ("profiles/import", {"db_id": 1, "data": {}, "matching": "name"}),
        ("profiles/import", {"db_id": 1, "data": [{}]}),
        ("profiles/import_batch", {"db_id": 1, "data": {}}),
        ("suppresses/emails_add", {"id": 1, "emails": PERSON}),
        ("suppresses/emails_add", {"id": 1, "emails": [PERSON, None]}),
        ("campaigns/regulars/add", {**MAILING, "agllimit_percent": "nan"}),
        ("campaigns/regulars/add", {**MAILING, "agllimit_percent": float("inf")}),
        ("loyalty/account/transactions", {"loyalty_program_id": 1, "from_id": 7}),
    ],
)
def test_a_value_of_another_type_is_refused_before_the_call(name, params):
    assert "must be" in refused(name, params)


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("campaigns/get_status", {"id": " 15 "}, {"id": 15}),
        ("campaigns/get_status", {"id": 15.0}, {"id": 15}),
        ("campaigns/get_status", {"id": 2**80}, {"id": 2**80}),
        ("campaigns/deactivate", {"id": "15", "abort_if_running": "true"}, {"id": 15, "abort_if_running": True}),
        ("scampaigns/list", {"state": "active", "groups_id": ("1", 2)}, {"state": "active", "groups_id": [1, 2]}),
        ("reports/bounces", {"date_from": date(2026, 1, 1), "date_to": datetime(2026, 1, 31, 9)}, None),
        ("campaigns/log_v2", {"id": 7, "from_time": "2026-01-31T09:00:00Z"}, None),
        (
            "subscriptions/set",
            {"db_id": 1, "profile_id": "p", "resource_id": 2, "channel": "carrier pigeon", "status": "0"},
            {"db_id": 1, "profile_id": "p", "resource_id": 2, "channel": "carrier pigeon", "status": 0},
        ),
        ("tasks/status", {"altcraft_task_id": UUID(int=5)}, {"task_id": str(UUID(int=5))}),
        ("profiles/delete", {"db_id": 1, "matching": "custom", "field_name": "n", "field_value": "007"}, None),
        ("profiles/delete", {"db_id": 1, "matching": "custom", "field_name": "n", "field_value": 7}, None),
        ("profiles/delete", {"db_id": 1, "matching": "phone", "phone": 79031234567}, None),
        ("campaigns/regulars/add", {**MAILING, "agllimit_percent": "12.5"}, {**MAILING, "agllimit_percent": 12.5}),
        ("databases/list", {"format": "json"}, {}),
    ],
)
def test_what_can_be_understood_is(name, given, sent):
    found = written(name, given)
    if sent is not None:
        assert found == sent
    if name == "reports/bounces":
        assert found == {"date_from": "2026-01-01", "date_to": "2026-01-31"}
    if name == "profiles/delete":
        assert found.get("field_value") == given.get("field_value")
        assert found.get("phone", "79031234567") == "79031234567"


def test_a_datetime_keeps_its_zone():
    found = written("campaigns/log_v2", {"id": 7, "from_time": datetime(2026, 1, 31, 9, tzinfo=UTC)})
    assert found["from_time"] == "2026-01-31T09:00:00+00:00"


@pytest.mark.parametrize("reserved", [{"token": "canary"}, {"format": "xml"}])
def test_what_the_connection_decides_is_no_parameter(reserved):
    assert "canary" not in refused("databases/list", reserved)


@pytest.mark.parametrize("params", [[1], "id", {1: 2}, 7])
def test_parameters_are_a_mapping_of_names(params):
    assert "mapping" in refused("campaigns/get", params)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("profiles/import", {"db_id": PERSON, "data": {}}),
        ("profiles/import", {"db_id": 1, "data": PERSON}),
        ("profiles/import", {"db_id": 1, "data": {}, "matching": PERSON}),
        ("profiles/delete", {"db_id": 1, "email": {"address": PERSON}}),
    ],
)
def test_a_refusal_never_quotes_a_value(name, params):
    assert PERSON not in refused(name, params)


@pytest.mark.parametrize("row", ENDPOINTS.values(), ids=ENDPOINTS)
def test_what_was_written_may_be_written_again(row):
    """A page after the first is asked for with the parameters of the first as they were sent."""
    from tests.api.test_every_endpoint import everything_of

    once = parameters.written(row, everything_of(row))
    assert parameters.written(row, once) == once


@pytest.mark.parametrize(
    "row",
    [row for row in ENDPOINTS.values() if row.documented is Documented.FULL],
    ids=lambda row: row.name,
)
def test_a_fully_documented_endpoint_takes_nothing_it_does_not_know(row):
    from tests.api.test_every_endpoint import everything_of

    if row.name == "integrations/any/profile_import":
        return
    assert "no parameter" in refused(row.name, {**everything_of(row), "no_such_thing": 1})


@pytest.mark.parametrize(
    ("row", "parameter"),
    [
        pytest.param(row, parameter, id=f"{name}: {parameter.name}")
        for name, row in ENDPOINTS.items()
        for parameter in row.parameters
        if parameter.required
    ],
)
def test_no_required_parameter_may_lack(row, parameter):
    from tests.api.test_every_endpoint import everything_of

    params = {name: value for name, value in everything_of(row).items() if name != parameter.name}
    assert "required" in refused(row.name, params)
