"""Tasks, and the files they write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(slots=True)
class Task:
    """Work in the background (CONTRACT 2.1)."""

    task_id: str
    made: datetime
    seconds: float
    result: Any
    fails: bool = False

    def progress(self, now: datetime) -> int:
        """Progress in per cent."""
        passed = (now - self.made) / timedelta(seconds=1)
        return 100 if passed >= self.seconds else int(100 * passed / self.seconds)


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be downloaded once its task has ended.

    :param name: its path below ``/api/download/``, without ``data/``.
    """

    name: str
    content: bytes
    content_type: str
    task: Task
