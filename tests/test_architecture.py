"""Who may import whom, and what a DAG file may not cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "airflow_provider_altcraft"
PACKAGE = ROOT.name
DAG_SIDE = sorted(
    f"{PACKAGE}.{path.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')}"
    for folder in ("decorators", "operators", "sensors", "triggers", "transfers")
    for path in (ROOT / folder).glob("*.py")
    if path.stem != "__init__"
)
FLOORS = [
    {"decorators", "operators", "sensors", "transfers"},
    {"runtime", "triggers", "exports"},
    {"launching", "waiting", "hooks"},
    {"delivery"},
    {"api"},
    {"exceptions", "tracebacks"},
]


def imports(path):
    """All modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room(module):
    return module.removeprefix(f"{PACKAGE}.").split(".")[0]


def files_of(*rooms):
    return [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0].removesuffix(".py") in rooms]


@pytest.mark.parametrize(
    "path", files_of("api", "delivery", "exceptions", "tracebacks", "sandbox"), ids=lambda path: path.stem
)
def test_the_client_the_delivery_and_the_sandbox_know_no_airflow(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "airflow"]


@pytest.mark.parametrize("path", files_of("sandbox"), ids=lambda path: path.stem)
def test_the_sandbox_shares_no_code_with_the_client(path):
    assert not [
        name for name in imports(path) if name.startswith(PACKAGE) and not name.startswith(f"{PACKAGE}.sandbox")
    ]


@pytest.mark.parametrize("number", range(len(FLOORS)))
def test_imports_point_down(number):
    above = set().union(*FLOORS[:number])
    wrong = [
        (path.name, name)
        for path in files_of(*FLOORS[number])
        for name in imports(path)
        if name.startswith(PACKAGE) and room(name) in above
    ]
    assert not wrong


def test_nothing_but_tests_and_examples_imports_the_sandbox():
    rooms = set().union(*FLOORS)
    assert not [
        (path.name, name)
        for path in files_of(*rooms)
        for name in imports(path)
        if name.startswith(f"{PACKAGE}.sandbox")
    ]


def test_importing_what_a_dag_needs_loads_no_network_library():
    code = (
        "import sys\n"
        "from airflow.providers.common.compat.sdk import DAG, BaseOperator, BaseSensorOperator, BaseHook\n"
        "import airflow.triggers.base\n"
        "before = set(sys.modules)\n"
        f"import {', '.join(DAG_SIDE)}\n"
        "new = set(sys.modules) - before\n"
        "network = {'requests', 'urllib3', 'aiohttp', 'httpx', 'pandas'}\n"
        "print(sorted(name for name in new if name.split('.')[0] in network"
        " or name.startswith('airflow.providers.http')))\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_module_of_the_dag_side_is_covered():
    assert len(DAG_SIDE) >= 10
