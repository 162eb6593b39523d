"""Files with personal data: whole or not at all, and on a disk for their owner's eyes only."""

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
"""How old an unfinished file is before it is taken for one that a killed process left: no delivery writes so long."""

_LOCAL = ("", "file", "local")
_UNFINISHED = re.compile(r".+\.[0-9a-f]{16}\.part")
_swept: set[Path] = set()


def make_folder(folder: Any) -> None:
    """Make a folder, and those above it that are missing; on a disk, with mode 0700 whatever the umask is.

    The folder itself is restricted even if it is there already. Those above it that somebody made before are left as
    they are.

    :param folder: a ``pathlib.Path`` or ``ObjectStoragePath``.
    """
    local = _local(folder)
    if local is None:
        folder.mkdir(parents=True, exist_ok=True)
        return
    for missing in reversed([path for path in (local, *local.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    # Where it belongs to somebody else, or the disk knows no modes, it stays as it is.
    with suppress(OSError):
        local.chmod(0o700)


def write(path: Any, parts: Iterable[bytes]) -> None:
    """Write a file in the place of the one that was there; on a disk, with mode 0600 whatever the umask is.

    Several may write it at a time: each writes a file of its own, and the last to finish leaves it.

    :param path: in a folder that is there.
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
        # A mode is given only to a file that is made.
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
        unfinished.replace(local)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _remove_leftovers(local.parent)


def _remove_leftovers(folder: Path) -> None:
    """Remove unfinished files that killed processes left, once nobody can be writing them any more.

    A process looks once: a folder may hold the files of ten thousand batches.
    """
    if folder in _swept:
        return
    _swept.add(folder)
    old = time.time() - LEFTOVER_SECONDS
    # Somebody else may remove them at the same time, or they may be somebody else's.
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if _UNFINISHED.fullmatch(entry.name) and entry.stat().st_mtime < old:
                Path(entry.path).unlink(missing_ok=True)


def listed(folder: Any, suffix: str = "") -> list[Any]:
    """The files of a folder, by name; none if there is no folder."""
    if not folder.exists():
        return []
    return sorted((path for path in folder.iterdir() if path.name.endswith(suffix)), key=lambda path: str(path.name))


def _local(path: Any) -> Path | None:
    """The same place on this machine's disks; ``None`` if it is elsewhere."""
    protocol = getattr(path, "protocol", None)
    if protocol is None:
        return path if isinstance(path, Path) else None
    return Path(path.path) if protocol in _LOCAL else None
