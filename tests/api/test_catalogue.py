"""The catalogue: every endpoint is a row, and the page that shows them is up to date."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from airflow_provider_altcraft.api.endpoints import AREAS, ENDPOINTS, Documented, Effect, ResponseKind, endpoint
from airflow_provider_altcraft.api.table import page
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

ROOT = Path(__file__).parent.parent.parent
ROWS = pytest.mark.parametrize("row", ENDPOINTS.values(), ids=ENDPOINTS)


def test_every_endpoint_is_there_once():
    assert len(ENDPOINTS) == 175 == sum(len(rows) for rows in AREAS.values())
    assert Counter(row.documented for row in ENDPOINTS.values()) == {
        Documented.FULL: 44,
        Documented.PARTIAL: 34,
        Documented.PATH_ONLY: 97,
    }


@ROWS
def test_a_row_says_what_its_parameters_are(row):
    names = [name for parameter in row.parameters for name in parameter.names]
    assert len(names) == len(set(names))
    for parameter in row.parameters:
        assert parameter.types or parameter.values
        assert all(name == "*" or name.isidentifier() for name in parameter.names)
    assert row.items in {None, *names}
    assert not {"token", "format"} & set(names)


@ROWS
def test_a_row_says_where_it_was_read(row):
    assert bool(row.page) == (row.documented is not Documented.PATH_ONLY)
    assert row.title


def test_a_name_is_the_path_without_what_all_paths_begin_with():
    elsewhere = {name: row.path for name, row in ENDPOINTS.items() if row.path != f"/api/v1.1/{name}"}
    assert elsewhere == {
        "v1.0/lists/{list_id}/suspend_all": "/api/v1.0/lists/{list_id}/suspend_all",
        "v1.0/lists/{list_id}/unsuspend_all": "/api/v1.0/lists/{list_id}/unsuspend_all",
        "integrations/any/profile_import": "/api/integrations/any/profile_import",
        "download/{file}": "/api/download/{file}",
    }


def test_what_differs_is_marked():
    assert {name for name, row in ENDPOINTS.items() if row.deprecated} == {
        name for name in ENDPOINTS if name.startswith("v1.0/")
    }
    assert {name for name, row in ENDPOINTS.items() if row.token_in_url} == {
        name for name in ENDPOINTS if name.startswith("v1.0/")
    }
    assert [name for name, row in ENDPOINTS.items() if row.method == "GET"] == ["download/{file}"]
    assert endpoint("integrations/any/profile_import").answer is ResponseKind.STATUS


@pytest.mark.parametrize(
    ("effect", "converges"),
    [
        (Effect.READ, True),
        (Effect.IDEMPOTENT_WRITE, True),
        (Effect.CREATE, False),
        (Effect.LAUNCH, False),
        (Effect.UNKNOWN, False),
    ],
)
def test_only_a_read_or_an_idempotent_write_may_be_done_twice(effect, converges):
    assert {row.converges for row in ENDPOINTS.values() if row.effect is effect} == {converges}


def test_of_what_cannot_be_undone_only_completing_may_be_done_twice():
    irreversible = {name: row.converges for name, row in ENDPOINTS.items() if row.effect is Effect.IRREVERSIBLE}
    assert irreversible == {
        "scampaigns/completed": True,
        "profiles/delete": False,
        "profiles/merge": False,
        "databases/wipe": False,
    }


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("scampaigns/complete", "scampaigns/completed"),
        ("profile/import", "profiles/import"),
        ("lists/{list_id}/suspend_all", "v1.0/lists/{list_id}/suspend_all"),
    ],
)
def test_a_near_miss_in_a_name_gets_a_suggestion(wrong, right):
    with pytest.raises(AltcraftConfigurationError, match="Did you mean") as caught:
        endpoint(wrong)
    assert repr(right) in str(caught.value)


def test_a_name_far_from_all_gets_none():
    with pytest.raises(AltcraftConfigurationError) as caught:
        endpoint("weather")
    assert "Did you mean" not in str(caught.value)


def test_slashes_around_a_name_do_not_matter():
    assert endpoint("/campaigns/activate/") is endpoint("campaigns/activate")


def test_the_page_of_the_endpoints_is_up_to_date():
    shown = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
    assert shown == page(), "run `make endpoints`"
    assert all(f"`{name}`" in shown for name in ENDPOINTS)


def test_the_page_is_a_table_in_which_no_value_breaks_a_row():
    for line in page().splitlines():
        assert not line.startswith("|") or line.count("|") == 6


def test_reading_the_catalogue_needs_no_library():
    code = (
        "import sys\n"
        "import airflow_provider_altcraft.api.endpoints\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "['__main__', 'airflow_provider_altcraft']"
