"""The pages are in the navigation, link to what is there, and their Python is what the classes take."""

from __future__ import annotations

import ast
import importlib
import inspect
import re

import pytest
import yaml
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_altcraft.api.endpoints import endpoint
from airflow_provider_altcraft.decorators.altcraft import _AltcraftImportDecoratedOperator
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from tests.docs.pages import DOCS, PACKAGE, PAGES, ROOT, classes, code

README = ROOT / "README.md"
WRITTEN = [README, *PAGES]
KNOWN = {
    found.__name__: found
    for found in classes(
        "operators", "sensors", "transfers", "hooks", "exports", "delivery.destinations", "api.objects", "sandbox"
    ).values()
}
SNIPPETS = [
    pytest.param(block, id=f"{page.stem}-{number}") for page in WRITTEN for number, block in enumerate(code(page))
]


def in_the_navigation(nav):
    for item in nav:
        for value in item.values():
            yield from [value] if isinstance(value, str) else in_the_navigation(value)


def test_every_page_is_in_the_navigation_once():
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(in_the_navigation(nav)) == sorted(path.relative_to(DOCS).as_posix() for path in PAGES)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_links_lead_to_files_that_are_there(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
            assert page == README or DOCS in (page.parent / target).resolve().parents, "the site ends at docs/"


@pytest.mark.parametrize("block", SNIPPETS)
def test_the_python_of_a_page_is_python(block):
    compile(block, "a page", "exec", dont_inherit=True)


@pytest.mark.parametrize("block", SNIPPETS)
def test_it_imports_names_that_are_there(block):
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            module = importlib.import_module(node.module)
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("block", SNIPPETS)
def test_it_calls_classes_with_arguments_that_they_take(block):
    for call in (node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)):
        found = called(call.func)
        if found is not None:
            given = {keyword.arg for keyword in call.keywords if keyword.arg}
            assert given <= accepted(found), ast.unparse(call)


@pytest.mark.parametrize("block", SNIPPETS)
def test_it_names_endpoints_of_the_catalogue(block):
    for call in (node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)):
        names = [keyword.value for keyword in call.keywords if keyword.arg == "endpoint"]
        if getattr(call.func, "attr", "") in ("call", "iterate"):
            names += call.args[:1]
        for name in names:
            endpoint(ast.literal_eval(name))


def called(function):
    """What a call of a snippet calls, if it is ours."""
    if isinstance(function, ast.Name):
        assert function.id in KNOWN or "Altcraft" not in function.id, f"there is no {function.id}"
        return KNOWN.get(function.id)
    if not isinstance(function, ast.Attribute):
        return None
    owner = function.value
    if ast.unparse(function) == "task.altcraft_import":
        return _AltcraftImportDecoratedOperator
    if isinstance(owner, ast.Name) and owner.id in KNOWN:
        return getattr(KNOWN[owner.id], function.attr)
    if ast.unparse(owner) in ("hook", "AltcraftHook()"):
        return getattr(AltcraftHook, function.attr)
    return None


def accepted(found):
    """The names of the arguments, of an operator through all of its bases."""
    if not inspect.isclass(found) or not issubclass(found, BaseOperator):
        return set(inspect.signature(found).parameters)
    signatures = (inspect.signature(base.__init__) for base in found.__mro__ if issubclass(base, BaseOperator))
    return {name for signature in signatures for name in signature.parameters} - {"self", "args", "kwargs"}


def test_the_snippets_were_found():
    assert len(SNIPPETS) >= 10
    assert {"SqlToAltcraftOperator", "AltcraftLaunchMailingOperator", "Scenario", "StartSchedule"} <= set(KNOWN)
