"""Which tests go to the same process when pytest-xdist runs them in several.

Groups of pytest-xdist itself (``xdist_group``) are names put into node ids, which pytest 9.2 does not take.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent


class Scheduling(LoadScopeScheduling):
    """Gives each test to whoever is free, but keeps together what shares something costly."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid.partition("::")[0]) or nodeid


@cache
def together(file: str) -> str | None:
    """What a file's tests run with, one after another: the word for a whole Airflow, the file itself, or nothing.

    :param file: its path from the root.
    """
    text = (ROOT / file).read_text(encoding="utf-8")
    if "from tests.chaos.cluster import" in text:
        return "a whole Airflow"
    return file if 'scope="module"' in text else None
