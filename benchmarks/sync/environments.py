"""Environments that the contenders are installed in, apart from each other and from ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-benchmarks-sync"
UV = Path(sys.executable).with_name("uv")


class CannotInstall(Exception):
    """An environment could not be made."""


def python_of(environment: str) -> str:
    """The interpreter of an environment."""
    return str(FOLDER / environment / "bin" / "python")


def prepare(environment: str) -> None:
    """Make an environment, unless it is there and its requirements are the same.

    :raises CannotInstall: with what the installer said last.
    """
    requirements = ROOT / "requirements" / f"benchmarks-{environment}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    ready = FOLDER / environment / ".ready"
    if ready.is_file() and ready.read_text() == digest:
        return
    print(f"An environment for {environment} …", flush=True)
    _uv("venv", "--clear", "--python", sys.executable, str(FOLDER / environment))
    _install(environment, "--requirements", str(requirements))
    if environment == "airflow":
        _install(environment, "--no-deps", "--editable", str(ROOT))
    ready.write_text(digest)


def _install(environment: str, *what: str) -> None:
    _uv("pip", "install", "--compile-bytecode", "--python", python_of(environment), *what)


def _uv(*arguments: str) -> None:
    done = subprocess.run([str(UV), *arguments, "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstall((done.stderr.strip() or "no reason given").splitlines()[-1].strip())
