"""The page that says what is emulated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from airflow_provider_altcraft.sandbox.contract import METHODS, NOT_EMULATED
from airflow_provider_altcraft.sandbox.coverage import page

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_page_in_the_documents_is_up_to_date():
    assert PAGE.read_text() == page(), "python -m airflow_provider_altcraft.sandbox --coverage > docs/sandbox.md"


def test_the_page_names_every_method_once():
    lines = [line for line in page().splitlines() if line.startswith("| `")]
    for name in (*METHODS, *NOT_EMULATED):
        assert sum(line.startswith(f"| `{name}` |") for line in lines) == 1


def test_the_command_line_says_it():
    command = [sys.executable, "-m", "airflow_provider_altcraft.sandbox", "--coverage"]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout == page()
