"""A temporary folder on the worker, removed after the delivery or, if its process was killed, by the next one."""

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
    """A folder that no other process uses. Folders of killed processes are removed first.

    A file lock shows whether a folder's process is alive, since the system releases it however the process dies. So
    deliveries that share a temporary directory leave each other's folders alone, even across containers.
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
            # If the file system has no locks, no other process can take this one either.
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if (path / _LOCK).exists():
                return path, lock
            # Another process saw it before it was locked, and removed it.
            os.close(lock)


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(f"{PREFIX}*"):
        # It may belong to another user, or be gone by now.
        with suppress(OSError):
            _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    try:
        lock = os.open(path / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        # Its process died before locking it, or is just about to lock it and will then create another.
        path.rmdir()
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
