"""What `make dist` does with a wheel: install it into an empty environment, and use it there as its users do.

``python tests/release.py dist/….whl``. What the changelog says of the version is written to ``build/release-notes.md``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-wheel"
NOTES = ROOT / "build" / "release-notes.md"
DISTRIBUTION = "airflow-provider-altcraft"
LONGEST = 300
"""Seconds for one command."""
USES_THE_FIXTURE = """
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook


def test_the_hook_reaches_the_altcraft_of_the_fixture(altcraft_sandbox):
    assert AltcraftHook().campaign_status(18) == altcraft_sandbox.campaign_state(18)
"""


def version() -> str:
    """The version of the package, as its file says it."""
    text = (ROOT / "airflow_provider_altcraft" / "__init__.py").read_text(encoding="utf-8")
    (found,) = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return str(found)


def changes(of: str) -> tuple[str, str]:
    """What the changelog has on a version: the rest of its heading, and the text below it.

    :raises LookupError: if it has nothing.
    """
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        name, _, rest = heading.partition(",")
        if name.strip() == of and body.strip():
            return rest.strip(), body.strip()
    raise LookupError(f"CHANGELOG.md has no section for {of}: write what changed under '## {of}, <date>'")


def run(*command: str | Path, cwd: str) -> str:
    """Run a command outside the checkout, so that it finds what is installed and nothing else."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(cwd),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def clean_environment(home: str) -> dict[str, str]:
    """The environment without what points to the checkout or to another Airflow."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON", "VIRTUAL"))}
    return {**own, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


def try_out(wheel: Path, home: str) -> None:
    """Install the wheel, and use it."""
    uv = which("uv") or str(Path(sys.executable).parent / "uv")
    programs = ENVIRONMENT / "bin"
    run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT, cwd=home)
    tested = ROOT / "requirements" / "airflow-3.3.txt"
    run(
        *(uv, "pip", "install", "--quiet", "--python", programs / "python", "--constraint", tested),
        *(wheel, "pytest"),
        cwd=home,
    )
    found = run(programs / "airflow", "providers", "get", DISTRIBUTION, "--output", "json", cwd=home)
    if DISTRIBUTION not in found or version() not in found:
        sys.exit(f"airflow providers get {DISTRIBUTION} does not show version {version()}:\n{found}")
    start_sandbox(programs / "python", home)
    Path(home, "test_fixture.py").write_text(USES_THE_FIXTURE, encoding="utf-8")
    run(programs / "python", "-m", "pytest", "-q", "test_fixture.py", cwd=home)


def start_sandbox(python: Path, home: str) -> None:
    """Start the command of the sandbox, and see that it says how to connect."""
    command = [python, "-m", "airflow_provider_altcraft.sandbox", "--port", "0"]
    with subprocess.Popen(
        command, cwd=home, env=clean_environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as sandbox:
        said = sandbox.stdout.readline() if sandbox.stdout else ""
        sandbox.terminate()
    if "http://127.0.0.1:" not in said:
        sys.exit(f"the sandbox of the wheel does not say where it is: {said!r}")


def main(wheel: str) -> None:
    """Check a wheel, and write its release notes."""
    path = Path(wheel).resolve()
    if f"-{version()}-" not in path.name:
        sys.exit(f"{path.name} is not of version {version()}")
    date, notes = changes(version())
    with tempfile.TemporaryDirectory(prefix="altcraft-wheel-") as home:
        try_out(path, home)
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(f"{notes}\n", encoding="utf-8")
    sys.stdout.write(f"{path.name} works in an empty environment; its notes are in {NOTES.relative_to(ROOT)}\n")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", date):
        sys.stdout.write(f"Before it is uploaded: CHANGELOG.md says of {version()} {date!r}, and not a date\n")


if __name__ == "__main__":
    main(sys.argv[1])
