"""Files with personal data: written atomically and, on local disks, readable by their owner only."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

LEFTOVER_SECONDS = 86_400.0
"""Age from which an unfinished file is taken to be left by a killed process: no delivery writes for that long."""

_LOCAL = ("", "file", "local")
_UNFINISHED = re.compile(r".+\.[0-9a-f]{16}\.part")
_swept: set[Path] = set()


def make_folder(folder: Any) -> None:
    """Create a folder and its missing parents; on local disks with mode 0700, whatever the umask.

    The folder itself is restricted even if it exists; existing parents are left alone.

    :param folder: a ``pathlib.Path`` or ``ObjectStoragePath``.
    """
    local = _local(folder)
    if local is None:
        folder.mkdir(parents=True, exist_ok=True)
        return
    for missing in reversed([path for path in (local, *local.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    # Fails if the folder belongs to another user, or the file system has no modes: then leave it as it is.
    with suppress(OSError):
        local.chmod(0o700)


def write(path: Any, parts: Iterable[bytes]) -> None:
    """Write or replace a file; on local disks with mode 0600, whatever the umask.

    Several processes may write it at once: each writes a temporary file, and the last to finish wins.

    :param path: in an existing folder.
    :param parts: its content.
    """
    local = _local(path)
    if local is None:
        with path.open("wb") as file:
            for part in parts:
                file.write(part)
        return
    unfinished = local.with_name(f"{local.name}.{uuid4().hex[:16]}.part")
    try:
        # O_EXCL, because the mode only applies to a file that this call creates.
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
        unfinished.replace(local)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _remove_leftovers(local.parent)


def _remove_leftovers(folder: Path) -> None:
    """Remove unfinished files of killed processes, once nobody can still be writing them.

    Each process looks only once: a folder may hold the files of ten thousand batches.
    """
    if folder in _swept:
        return
    _swept.add(folder)
    old = time.time() - LEFTOVER_SECONDS
    # Another process may remove them at the same time, or they may belong to another user.
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if _UNFINISHED.fullmatch(entry.name) and entry.stat().st_mtime < old:
                Path(entry.path).unlink(missing_ok=True)


def listed(folder: Any, suffix: str = "") -> list[Any]:
    """The files in a folder, sorted by name; none if it does not exist."""
    if not folder.exists():
        return []
    return sorted((path for path in folder.iterdir() if path.name.endswith(suffix)), key=lambda path: str(path.name))


def _local(path: Any) -> Path | None:
    """The path on a local disk; ``None`` if it is elsewhere."""
    protocol = getattr(path, "protocol", None)
    if protocol is None:
        return path if isinstance(path, Path) else None
    return Path(path.path) if protocol in _LOCAL else None
