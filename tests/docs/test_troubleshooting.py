"""Who searches the page for an error finds what the code says, and every error that ends a night is there."""

from __future__ import annotations

import ast
import re

import pytest

from airflow_provider_altcraft import exceptions
from tests.docs.pages import DOCS, PACKAGE, ROOT, classes, shown, texts

PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)
ROWS = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
QUOTED = [*HEADINGS, *ROWS]
RAISED_AS_IT_IS = {"waiting"}
"""What stands where an endpoint's name does, and is no text."""


def begins(text, quoted):
    """Whether an error's text begins as the page quotes it; the page may write ``…`` for the rest of it."""
    return text.startswith(quoted.removesuffix("…").rstrip())


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_text_of_the_page_is_one_of_the_code(quoted):
    assert any(begins(text.strip(), quoted) for text in texts())


def test_no_text_is_there_twice():
    assert len(QUOTED) == len(set(QUOTED)) > 60


@pytest.mark.parametrize("path", classes("exceptions"))
def test_every_exception_has_a_heading(path):
    assert f"\n## {path.rpartition('.')[2]}\n" in PAGE


def raised():
    """The first argument of every error that is no mistake of the DAG's author."""
    mistakes = exceptions.AltcraftConfigurationError
    names = {
        path.rpartition(".")[2] for path, found in classes("exceptions").items() if not issubclass(found, mistakes)
    }
    for path in (ROOT / PACKAGE).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
                text = shown(node.args[0])
                if text and text not in RAISED_AS_IT_IS:
                    yield text


@pytest.mark.parametrize("text", sorted({*raised()}))
def test_every_error_that_can_end_a_night_is_on_the_page(text):
    assert any(begins(text, quoted) for quoted in QUOTED), "say on docs/troubleshooting.md what to do about it"


def test_the_example_of_the_page_is_an_error_as_it_is_shown():
    (line,) = re.findall(r"^AirflowFailException: AltcraftJobFailed: (.*)$", PAGE, re.MULTILINE)
    assert any(begins(text, line.replace("7", "…")) for text in raised())
