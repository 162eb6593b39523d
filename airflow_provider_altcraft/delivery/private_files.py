"""Files with personal data: whole or not at all, and on a disk for their owner's eyes only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

_LOCAL = ("", "file", "local")


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

    :param path: in a folder that is there.
    :param parts: its content.
    """
    local = _local(path)
    if local is None:
        with path.open("wb") as file:
            for part in parts:
                file.write(part)
        return
    unfinished = local.with_name(f"{local.name}.part")
    # What a killed process left may have any mode, and a mode is given only to a file that is made.
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in parts:
            file.write(part)
    unfinished.replace(local)


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
