"""A folder on the worker for as long as a delivery needs it, and not longer than its process lives."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "altcraft-ledger-"
_LOCK = "lock"


class WorkingCopy:
    """A folder that no other process uses. Those of processes that were killed are removed first.

    A lock tells whether the process of a folder lives, since the system takes it back at any death. So several
    deliveries on one worker leave one another's folders alone, in whatever container they run.
    """

    def __init__(self) -> None:
        _remove_abandoned(Path(tempfile.gettempdir()))
        self.path, self._lock = _locked_folder()

    def remove(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _locked_folder() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            # Where the disk knows no locks, nobody can take it either.
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if (path / _LOCK).exists():
                return path, lock
            # Another process saw it without a lock and removed it.
            os.close(lock)


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(f"{PREFIX}*"):
        # Somebody else's, or gone meanwhile.
        with suppress(OSError):
            _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    try:
        lock = os.open(path / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        # Its process ended before it could lock it, or is about to: then it makes another.
        path.rmdir()
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
