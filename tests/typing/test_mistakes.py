"""What a user's type checker makes of a DAG file."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from subprocess import run

import pytest

ROOT = Path(__file__).parents[2]
DAG = Path(__file__).with_name("mistakes.py")
EXPECTED = re.compile(r'^# (?P<code>[\w-]+): "(?P<argument>\w+)"$')
FOUND = re.compile(r"^\S+?:(?P<line>\d+): error: (?P<text>.*)  \[(?P<code>[\w-]+)\]$", re.MULTILINE)

pytest.importorskip("mypy", reason="the type checker is installed beside the newest Airflow only")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_mistake_in_an_argument_is_found():
    checked = run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(DAG.relative_to(ROOT))],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {(int(each["line"]), each["code"]): each["text"] for each in FOUND.finditer(checked.stdout)}
    # Each stands in the line below the mark.
    lines = enumerate(DAG.read_text(encoding="utf-8").splitlines(), start=2)
    expected = {(line, mark["code"]): mark["argument"] for line, text in lines if (mark := EXPECTED.search(text))}
    assert len(expected) > 30
    assert found.keys() == expected.keys(), checked.stdout + checked.stderr
    for place, argument in expected.items():
        assert f'"{argument}"' in found[place]
