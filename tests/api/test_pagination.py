"""Lists are walked to their end: by id, by an opaque pointer, and where no page names the next."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.endpoints import ENDPOINTS
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError
from tests.api.test_every_endpoint import everything_of

LISTS = [row for row in ENDPOINTS.values() if row.paging]


@pytest.fixture
def client(echo):
    with AltcraftClient(Settings(echo.url, "token")) as client:
        yield client


def page(*ids, **more):
    return {"error": 0, "error_text": "", "data": [{"id": number} for number in ids], **more}


def found(client, name, params=None):
    return [item["id"] for item in client.iterate(name, params)]


def asked(echo):
    return [arrived.json.get("from_id") for arrived in echo.arrived]


def test_every_list_has_pages():
    lists = {name for name, row in ENDPOINTS.items() if name.rpartition("/")[2] in {"list", "list_all"}}
    assert lists | {"loyalty/account/transactions"} == {row.name for row in LISTS}
    assert {row.name for row in LISTS if row.paging == "pointer"} == {"profiles/list", "loyalty/account/transactions"}


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.name)
def test_a_list_is_walked_by_its_pointer(row, client, echo):
    params = {name: value for name, value in everything_of(row).items() if name not in {"from_id", "probe"}}
    first, second = (11, 21) if row.paging == "id" else ("b64-1", "b64-2")
    echo.answers += [page(1, 2, next_from_id=first), page(11, next_from_id=second), page()]
    assert found(client, row.name, params) == [1, 2, 11]
    assert asked(echo) == [None, first, second]
    bodies = [{key: value for key, value in arrived.json.items() if key != "from_id"} for arrived in echo.arrived]
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize("row", [row for row in LISTS if row.paging == "id"], ids=lambda row: row.name)
def test_a_list_without_a_pointer_is_followed_from_the_last_id(row, client, echo):
    echo.answers += [page(1, 2), page(5), page()]
    assert found(client, row.name) == [1, 2, 5]
    assert asked(echo) == [None, 3, 6]


def test_an_id_that_is_a_text_leads_on_too(client, echo):
    echo.answers += [page("1", "2"), page()]
    assert found(client, "databases/list") == ["1", "2"]
    assert asked(echo) == [None, 3]


def test_a_walk_may_begin_in_the_middle(client, echo):
    echo.answers += [page(7), page()]
    assert found(client, "databases/list", {"from_id": "5", "limit": "10"}) == [7]
    assert asked(echo) == [5, 8]


def test_a_pointer_goes_back_as_it_came(client, echo):
    echo.answers += [page(1, next_from_id="opaque=="), page(2, next_from_id="42"), page()]
    assert found(client, "databases/list") == [1, 2]
    assert asked(echo) == [None, "opaque==", "42"]


@pytest.mark.parametrize("pointer", [None, "", 0, [], {"a": 1}, 1.5, True])
def test_a_pointer_that_is_none_is_not_followed(client, echo, pointer):
    echo.answers += [page(1, next_from_id=pointer), page()]
    assert found(client, "databases/list") == [1]


def test_a_pointer_that_does_not_move_is_the_end(client, echo):
    echo.answers += [page(1, next_from_id=5), page(5, next_from_id=5)]
    assert found(client, "databases/list") == [1, 5]
    assert len(echo.arrived) == 2


def test_a_list_that_does_not_page_is_not_read_twice(client, echo):
    echo.answers += [page(1, 2), page(1, 2)]
    assert found(client, "templates/list") == [1, 2]


def test_ids_of_profiles_are_never_counted_up(client, echo):
    echo.answers += [page("641111111111111111111111")]
    assert found(client, "profiles/list", {"db_id": 1}) == ["641111111111111111111111"]
    assert len(echo.arrived) == 1


@pytest.mark.parametrize(("limit", "more"), [(2, {}), (1000, {"total_count": 5})])
def test_profiles_that_cannot_be_asked_for_are_not_passed_over(client, echo, limit, more):
    echo.answers += [page("a", "b", **more)]
    with pytest.raises(AltcraftError, match="next_from_id"):
        found(client, "profiles/list", {"db_id": 1, "limit": limit})


@pytest.mark.parametrize("more", [{"total_count": 2}, {"total": "2"}])
def test_a_full_last_page_of_profiles_is_the_last(client, echo, more):
    echo.answers += [page("a", "b", **more)]
    assert found(client, "profiles/list", {"db_id": 1, "limit": 2}) == ["a", "b"]


def test_after_pages_with_a_pointer_one_without_is_the_last(client, echo):
    echo.answers += [page("a", "b", next_from_id="x"), page("c", "d")]
    assert found(client, "profiles/list", {"db_id": 1, "limit": 2}) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("name", ["scampaigns/get", "campaigns/log_v2", "databases/get"])
def test_what_has_no_pages_is_one_page(client, echo, name):
    echo.answers += [page(7, next_from_id=8)]
    assert found(client, name, {"id": 7}) == [7]
    assert len(echo.arrived) == 1


@pytest.mark.parametrize("row", [row for row in ENDPOINTS.values() if row.effect.value != "read"], ids=lambda r: r.name)
def test_what_changes_anything_is_not_walked(row, client, echo):
    with pytest.raises(AltcraftConfigurationError, match="not a list"):
        next(client.iterate(row.name, everything_of(row)))
    assert not echo.arrived
