"""The suite on more pairs of Airflow and Python than the two of ``make test``, each in an environment of its own.

``python tests/matrix.py [--chaos] [airflow-3.1 ...] [-- arguments of pytest]`` takes the pairs named, or all of them.
The environments stay in ``.venv-matrix/``. ``tests/chaos``, which takes many minutes, runs with
``--chaos`` only.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv-matrix"
LONGEST = 40 * 60
"""Seconds for the suite on one pair."""
OURS = "apache-airflow-providers-common-compat"
"""Taken as new as it is, whatever the day: this provider needs it so."""


@dataclass(frozen=True)
class Pair:
    """An Airflow on a Python.

    :param airflow: its version, or the beginning of it.
    :param as_of: the day whose newest packages are taken, in the place of Airflow's own constraints: an Airflow of the
        past does not work with every package of today. ``None`` takes the newest.
    :param fab: whether to install the provider of FAB. The connection form of 3.0 and 3.1 shows the fields of a
        provider only where it is.
    """

    airflow: str
    python: str
    as_of: str | None = None
    fab: bool = False

    @property
    def name(self) -> str:
        return f"airflow-{self.airflow}-python-{self.python}"

    @property
    def requirements(self) -> list[str]:
        version = self.airflow if self.airflow.count(".") == 2 else f"{self.airflow}.*"
        return [
            f"apache-airflow=={version}",
            *(["apache-airflow-providers-fab"] if self.fab else []),
            *("-r", "requirements/matrix.in"),
            *("--editable", "."),
        ]

    @property
    def day(self) -> list[str]:
        if self.as_of is None:
            return []
        tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
        return ["--exclude-newer", self.as_of, "--exclude-newer-package", f"{OURS}={tomorrow}"]


PAIRS = (
    Pair("2.11.2", "3.12"),
    Pair("3.0", "3.11", as_of="2025-09-10", fab=True),
    Pair("3.1", "3.12", as_of="2026-03-31", fab=True),
    Pair("3.2", "3.12", as_of="2026-06-30"),
    Pair("3.3.2", "3.13"),
)


def interpreter(version: str) -> str | None:
    """A Python of this version that starts; pyenv puts some into the path that do not."""
    found = [which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for python in filter(None, found):
        if subprocess.run([str(python), "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(python)
    return None


def run(pair: Pair, arguments: list[str]) -> tuple[bool, str]:
    """Install a pair, if it is not yet, and run the suite on it; whether all went well, and its line in the table."""
    python = interpreter(pair.python)
    if python is None:
        return False, f"there is no Python {pair.python}"
    uv = which("uv") or str(Path(sys.executable).parent / "uv")
    folder = ENVIRONMENTS / pair.name
    own = str(folder / "bin" / "python")
    if not folder.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", python, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", own, *pair.day, *pair.requirements]
    if subprocess.run(install, cwd=ROOT, check=False).returncode:
        return False, "could not be installed"
    began = time.monotonic()
    results = folder / "results.xml"
    results.unlink(missing_ok=True)
    suite = [own, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={results}", *arguments]
    try:
        subprocess.run(suite, cwd=ROOT, check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return False, f"not done within {LONGEST / 60:g} minutes"
    if not results.exists():
        return False, "broke off"
    tests, skipped, failed = counts(results)
    minutes = (time.monotonic() - began) / 60
    line = f"{version(own):8} {tests - skipped - failed:6} {skipped:8} {failed:7} {minutes:8.1f}"
    return failed == 0, line


def counts(results: Path) -> tuple[int, int, int]:
    """Tests, how many of them were skipped, and how many failed."""
    (suite,) = ElementTree.parse(results).getroot().iter("testsuite")
    tests, skipped, failures, errors = (int(suite.get(name, 0)) for name in ("tests", "skipped", "failures", "errors"))
    return tests, skipped, failures + errors


def version(python: str) -> str:
    """The Airflow of an environment."""
    code = "from importlib.metadata import version; print(version('apache-airflow'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def main(arguments: list[str]) -> int:
    """Run the pairs one after another."""
    own, of_pytest = arguments, []
    if "--" in arguments:
        own, of_pytest = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    if "--chaos" not in own:
        of_pytest = ["--ignore=tests/chaos", *of_pytest]
    asked = [name for name in own if name != "--chaos"]
    lines: dict[str, tuple[bool, str]] = {}
    for pair in PAIRS:
        if not asked or any(pair.name.startswith(name) for name in asked):
            sys.stdout.write(f"\n{pair.name}\n")
            sys.stdout.flush()
            lines[pair.name] = run(pair, of_pytest)
    sys.stdout.write(f"\n{'':28} {'Airflow':8} {'passed':>6} {'skipped':>8} {'failed':>7} {'minutes':>8}\n")
    sys.stdout.writelines(f"{name:28} {line}\n" for name, (_, line) in lines.items())
    return 0 if lines and all(well for well, _ in lines.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
