"""The page on Altcraft's API has the sections that are cited, and says of each unknown what is done about it."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from typing import get_args

import pytest

from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.faults import Kind
from tests.docs.pages import DOCS, PACKAGE, ROOT

PAGE = (DOCS / "contract.md").read_text(encoding="utf-8")
ANCHORS = re.findall(r'<a id="([^"]+)"></a>', PAGE)
HEADINGS = re.findall(r'^(##+) <a id="([^"]+)"></a>([\d.]+) ', PAGE, re.MULTILINE)

NUMBER = r"\d+(?:\.\d+)?"
CITED = re.compile(rf"CONTRACT[\s#]+({NUMBER}(?:(?:, and|,| and| to|-)[\s#]*{NUMBER})*)")
CITING = sorted(
    path
    for folder in (PACKAGE, "example_dags", "docs", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".yaml"} and "CONTRACT" in path.read_text(encoding="utf-8")
)
MODULES = sorted((ROOT / PACKAGE).rglob("*.py"))

OPEN_QUESTIONS = re.compile(r"^\| unknown \| the provider \| the sandbox \|\n\|[-|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
UNKNOWNS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for table in OPEN_QUESTIONS.findall(PAGE)
    for line in table.splitlines()
]
NAMES = r"((?:`\w+`(?:,| and)?\s*)+)"
OF_TIME_AND_SIZE = {"task_seconds", "task_seconds_per_item", "export_rows_per_file"}
"""Switches that say how long or how large something is here; no document leaves that open."""


def named(kind):
    """The names behind a word: "switches `replay_errors` and `key_includes_path`"."""
    return {name for names in re.findall(rf"\b{kind}\s+{NAMES}", PAGE) for name in re.findall(r"`(\w+)`", names)}


@pytest.mark.parametrize("path", CITING, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_section_that_is_cited_is_on_the_page(path):
    cited = {
        number for group in CITED.findall(path.read_text(encoding="utf-8")) for number in re.findall(NUMBER, group)
    }
    assert cited - set(ANCHORS) == set()


def test_citations_are_found_however_they_are_written():
    text = (
        "(CONTRACT 1.8, 13). CONTRACT 8.2 to 8.4: CONTRACT 8.9, and 1.4 for. CONTRACT 11. The 2 (CONTRACT\n    # 5.1)"
    )
    assert CITED.findall(text) == ["1.8, 13", "8.2 to 8.4", "8.9, and 1.4", "11", "5.1"]
    assert len(CITING) > 50


def test_each_section_is_there_once_and_in_order():
    assert len(ANCHORS) == len(set(ANCHORS))
    assert sorted(ANCHORS, key=lambda anchor: [int(part) for part in anchor.split(".")]) == ANCHORS


def test_a_heading_has_the_anchor_of_its_number():
    assert all(anchor == number for _, anchor, number in HEADINGS)
    assert all(len(level) == (3 if "." in number else 2) for level, _, number in HEADINGS)
    assert {anchor for anchor in ANCHORS if anchor not in {number for *_, number in HEADINGS}} == {
        f"14.{number}" for number in range(1, 13)
    }


def test_links_within_the_page_lead_to_a_section():
    assert {link for link in re.findall(r"\]\(#([^)]+)\)", PAGE) if link not in ANCHORS} == set()


def test_each_unknown_says_what_the_provider_and_the_sandbox_do():
    assert len(UNKNOWNS) > 50
    assert [row for row in UNKNOWNS if len(row) != 3 or not all(row)] == []


def test_the_settings_it_names_are_those_of_the_connection():
    known = {field.name for field in fields(Settings)}
    assert {"request_id_header", "deduplicates_launches"} <= named("settings?") <= known


def test_every_switch_of_the_sandbox_is_named_and_no_other():
    switches = {field.name for field in fields(Behaviour)}
    assert named("switch(?:es)?") <= switches
    assert {name for name in switches if f"`{name}`" not in PAGE} == OF_TIME_AND_SIZE


def test_the_faults_it_names_are_those_of_the_sandbox():
    assert {"api_error", "rate_limited"} <= named("faults?") <= set(get_args(Kind))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_for_users_cites_a_section(path):
    """A user who meets an error does not know what CONTRACT is; those who read the code do."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    assert [
        node.value for node in strings if id(node) not in docstrings and re.search(r"CONTRACT \d", node.value)
    ] == []
