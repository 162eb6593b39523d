"""Which method a path belongs to."""

from __future__ import annotations

import pytest
import requests

from airflow_provider_altcraft.sandbox.paths import named


@pytest.mark.parametrize(
    ("path", "name", "parameters"),
    [
        ("/api/v1.1/tasks/status", "tasks/status", {}),
        ("/api/v1.1/campaigns/regulars/add/", "campaigns/regulars/add", {}),
        ("/api/integrations/any/profile_import", "integrations/any/profile_import", {}),
        ("/api/v1.0/lists/7/suspend_all", "v1.0/lists/{list_id}/suspend_all", {"list_id": "7"}),
        ("/api/download/data/a/1.csv", "download", {"file": "data/a/1.csv"}),
        ("/api/download/a/1.csv", "download", {"file": "a/1.csv"}),
    ],
)
def test_a_path_names_its_method(path, name, parameters):
    assert named(path) == (name, parameters)


@pytest.mark.parametrize("path", ["/api/tasks/status", "/api/v2/tasks/status", "/api/v1.0/leads", "/api/download"])
def test_what_is_outside_the_api_is_not_found(sandbox, path):
    assert named(path) is None
    assert requests.post(f"{sandbox.url}{path}", json={"token": sandbox.token}, timeout=5).status_code == 404
