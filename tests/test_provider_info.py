"""What Airflow is told of this provider."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files

import jsonschema
import pytest

from airflow_provider_altcraft.api.settings import _KINDS
from airflow_provider_altcraft.provider_info import CONNECTION_FIELDS, get_provider_info


def test_it_fits_the_schema_that_airflow_ships():
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_airflow_finds_it_by_the_entry_point():
    (entry,) = entry_points(group="apache_airflow_provider", name="provider_info").select(
        value="airflow_provider_altcraft.provider_info:get_provider_info"
    )
    assert entry.load()()["package-name"] == "airflow-provider-altcraft"


def test_it_uses_the_standard_library_only():
    code = (
        "import sys; before = set(sys.modules); import airflow_provider_altcraft.provider_info as info;"
        "info.get_provider_info();"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'airflow_provider_altcraft'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_module_it_names_exists():
    info = get_provider_info()
    names = [
        name
        for group in ("operators", "sensors", "hooks", "triggers")
        for row in info[group]
        for name in row["python-modules"]
    ]
    for name in [*names, *(row["python-module"] for row in info["transfers"])]:
        importlib.import_module(name)
    for row in info["task-decorators"]:
        module, _, function = row["class-name"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_airflow_knows_the_decorators():
    from airflow.providers.common.compat.sdk import task

    for row in get_provider_info()["task-decorators"]:
        assert callable(getattr(task, row["name"]))


def test_every_setting_of_the_connection_is_in_the_form():
    assert set(CONNECTION_FIELDS) == set(_KINDS)


def test_the_form_of_this_airflow_shows_the_connection_type():
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    manager.initialize_providers_hooks()
    fields = {
        name.rsplit("__", 1)[-1] for name in manager.connection_form_widgets if name.startswith("extra__altcraft__")
    }
    assert set(CONNECTION_FIELDS) <= fields
    behaviour = manager.field_behaviours["altcraft"]
    assert behaviour["relabeling"]["password"] == "API token"


def test_the_form_of_airflow_2_is_made_of_the_same_fields():
    pytest.importorskip("flask_appbuilder", reason="Airflow 3 makes its form from the provider info alone")
    from airflow_provider_altcraft.hooks.altcraft import AltcraftHook

    assert set(AltcraftHook.get_connection_form_widgets()) == set(CONNECTION_FIELDS)
