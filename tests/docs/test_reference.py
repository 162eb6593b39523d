"""Whatever a DAG can import has an entry, with an example that the suite runs."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter

import pytest
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_altcraft import exceptions
from airflow_provider_altcraft.delivery.destinations import Destination
from airflow_provider_altcraft.exports import FileExport, ListExport
from airflow_provider_altcraft.provider_info import get_provider_info
from tests.docs.pages import ENTRY, INCLUDED, PACKAGE, PAGES, ROOT, classes, entries, section

ENTRIES = dict(entries())
WORKERS = {
    path: found.__name__
    for path, found in classes("operators", "sensors", "transfers").items()
    if issubclass(found, BaseOperator)
}
DECORATORS = {row["class-name"]: f"task.{row['name']}" for row in get_provider_info()["task-decorators"]}
PLACES = {
    path: found.__name__ for path, found in classes("delivery.destinations").items() if issubclass(found, Destination)
}
SOURCES = {
    path: found.__name__ for path, found in classes("exports").items() if issubclass(found, FileExport | ListExport)
}
SHOWN = {**WORKERS, **DECORATORS, **PLACES, **SOURCES}


def dags_that_are_run():
    """The example DAGs that the suite runs, by the calls of its ``run``."""
    tree = ast.parse((ROOT / "tests/example_dags/test_example_dags.py").read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run")
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}


def examples(path):
    """What an entry includes from the example DAGs: file, part and text."""
    for file, part in INCLUDED.findall(ENTRIES[path]):
        if file.startswith("example_dags/"):
            yield file, part, section(file, part or None)


@pytest.mark.parametrize("path", SHOWN)
def test_it_has_an_entry(path):
    assert path in ENTRIES, f"write `::: {path}` on a page below docs/reference, with an example"


@pytest.mark.parametrize("path", [path for path in SHOWN if path in ENTRIES])
def test_its_example_is_part_of_a_dag_that_the_suite_runs(path):
    used = [file for file, _, text in examples(path) if re.search(rf"\b{re.escape(SHOWN[path])}\(", text)]
    assert used, f"include a part of an example DAG that calls {SHOWN[path]} below `::: {path}`"
    names = {re.search(r'with DAG\(\s*"(\w+)"', section(file, None))[1] for file in used}
    assert names <= dags_that_are_run(), "run it in tests/example_dags"


def test_what_is_public_was_found():
    kinds = Counter(path.removeprefix(f"{PACKAGE}.").split(".")[0] for path in SHOWN)
    assert kinds["operators"] >= 12
    assert (kinds["sensors"], kinds["transfers"], kinds["decorators"]) == (3, 2, 1)
    assert kinds["delivery"] == 6
    assert kinds["exports"] == 4


def test_every_exception_has_an_entry():
    known = {path for path, found in classes("exceptions").items() if issubclass(found, exceptions.AltcraftError)}
    assert len(known) >= 13
    assert known <= set(ENTRIES)


@pytest.mark.parametrize("path", ENTRIES)
def test_an_entry_names_something_that_is_there(path):
    module, _, name = path.rpartition(".")
    if path == f"{PACKAGE}.exceptions":
        return
    found = getattr(importlib.import_module(module), name)
    assert found.__module__ == module, "name it where it is defined: that is where its docstring is"


def test_nothing_has_two_entries():
    found = Counter(path for page in PAGES for path in ENTRY.findall(page.read_text(encoding="utf-8")))
    assert [path for path, times in found.items() if times > 1] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_includes_is_there(page):
    for file, part in INCLUDED.findall(page.read_text(encoding="utf-8")):
        assert section(file, part or None).strip()
