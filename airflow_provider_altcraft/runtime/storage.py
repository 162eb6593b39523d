"""The user's files, local or in an object store, written atomically."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import IO, Any
from urllib.parse import quote

from airflow_provider_altcraft.api.arguments import rendered
from airflow_provider_altcraft.delivery.private_files import make_folder, write
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

LONGEST_FOLDER_NAME = 200
"""In bytes; file systems allow 255."""


def location(name: str, value: Any) -> Any:
    """A path or URL as Airflow's ``ObjectStoragePath``.

    :param name: of the argument, for error texts.
    :raises AltcraftConfigurationError: if it is empty after rendering, or no provider handles its scheme.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    text = rendered(name, value)
    try:
        path = ObjectStoragePath(text)
        # Fail on an unknown scheme now, not after Altcraft has done its work.
        _ = path.fs
    except ValueError as error:
        scheme = text.partition("://")[0]
        raise AltcraftConfigurationError(
            f"{name}: Airflow has no storage for {scheme!r}. Install the Airflow provider for it."
        ) from error
    return path


def instance_folder(folder: Any, context: Any) -> Any:
    """The folder of a task instance below a base folder.

    :param folder: an ``ObjectStoragePath``.
    """
    ti = context["ti"]
    index = getattr(ti, "map_index", -1)
    for name in (ti.dag_id, ti.run_id, ti.task_id):
        folder = folder / folder_name(name)
    # Named as in Airflow's logs, and not a valid task id.
    return folder if index < 0 else folder / f"map_index={index}"


def folder_name(name: str) -> str:
    """A folder name for an Airflow id: characters that are special in paths or URLs are escaped, letters are not.

    An id of dots alone, or one too long for a file system, is shortened and gets a digest.
    """
    safe = "".join(char if char.isalnum() or char in "-_.~" else quote(char, safe="") for char in name)
    if safe.strip(".") and len(safe.encode()) <= LONGEST_FOLDER_NAME:
        return safe
    digest = blake2b(name.encode(), digest_size=8).hexdigest()
    head = safe.encode()[: LONGEST_FOLDER_NAME - 20].decode(errors="ignore").strip(".")
    return f"{head}~{digest}"


@contextmanager
def replacing(path: Any, try_number: int) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces the existing one only if the block succeeds.

    :param path: an ``ObjectStoragePath``.
    :param try_number: of the task. Each try writes a partial file of its own, so one that Airflow gave up on but that
        still runs disturbs no other. What a killed try leaves behind is removed by the next.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [path.parent / f"{path.name}.try{number}.part" for number in range(1, try_number + 1)]
    try:
        with parts[-1].open("wb") as file:
            yield file
        path.fs.mv(parts[-1].path, path.path)
    except BaseException:
        with suppress(Exception):
            parts[-1].unlink(missing_ok=True)
        raise
    for part in parts[:-1]:
        part.unlink(missing_ok=True)


class FolderStore:
    """Records for later tries of a task, as files: for Airflow without a task state store.

    :param folder: of one task instance, an ``ObjectStoragePath``.
    """

    def __init__(self, folder: Any) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """The stored value, or ``None``.

        :raises AltcraftConfigurationError: if it is unreadable: half a record is not worth guessing from.
        """
        file = self._file(key)
        try:
            return json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise AltcraftConfigurationError(f"{file} is not a record of this provider. Was it edited?") from None

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value."""
        make_folder(self._folder)
        write(self._file(key), [json.dumps(value).encode()])

    def _file(self, key: str) -> Any:
        return self._folder / f"{quote(key, safe='')}.json"
