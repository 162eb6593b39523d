"""Files of the user's, local or in an object store, written whole or not at all."""

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
"""Bytes; disks take 255."""


def location(name: str, value: Any) -> Any:
    """A path or URL as Airflow's ``ObjectStoragePath``.

    :param name: of the argument, for the error.
    :raises AltcraftConfigurationError: if it is empty after rendering, or no provider knows its scheme.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    text = rendered(name, value)
    try:
        path = ObjectStoragePath(text)
        # Now, and not after Altcraft has done its part.
        _ = path.fs
    except ValueError as error:
        scheme = text.partition("://")[0]
        raise AltcraftConfigurationError(
            f"{name}: Airflow knows no storage for {scheme!r}; is the provider of that store installed?"
        ) from error
    return path


def instance_folder(folder: Any, context: Any) -> Any:
    """The folder of a task instance below another.

    :param folder: an ``ObjectStoragePath``.
    """
    ti = context["ti"]
    index = getattr(ti, "map_index", -1)
    for name in (ti.dag_id, ti.run_id, ti.task_id):
        folder = folder / folder_name(name)
    # As in Airflow's logs. No task can be called so, since no task has a folder below another's.
    return folder if index < 0 else folder / f"map_index={index}"


def folder_name(name: str) -> str:
    """A name of Airflow's as that of a folder: what paths and URLs read otherwise is escaped, letters are not.

    One of dots alone, or one that no disk takes, gets a digest instead of the rest.
    """
    safe = "".join(sign if sign.isalnum() or sign in "-_.~" else quote(sign, safe="") for sign in name)
    if safe.strip(".") and len(safe.encode()) <= LONGEST_FOLDER_NAME:
        return safe
    digest = blake2b(name.encode(), digest_size=8).hexdigest()
    head = safe.encode()[: LONGEST_FOLDER_NAME - 20].decode(errors="ignore").strip(".")
    return f"{head}~{digest}"


@contextmanager
def replacing(path: Any, try_number: int) -> Iterator[IO[bytes]]:
    """A file to be written, which takes the place of what was there once the block has ended well, and only then.

    :param path: an ``ObjectStoragePath``.
    :param try_number: of the task. A try that was killed leaves its part of the file behind, and the next removes it;
        one that was given up and still runs writes into no other's.
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
    """What the tries of a task leave for the next one, as files: for Airflow without a task state store.

    :param folder: of one task instance, an ``ObjectStoragePath``.
    """

    def __init__(self, folder: Any) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """What was kept, or ``None``.

        :raises AltcraftConfigurationError: if it cannot be read any more: nothing is guessed from half a record.
        """
        file = self._file(key)
        try:
            return json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise AltcraftConfigurationError(f"{file} is no record of this package: was it changed by hand?") from None

    def set(self, key: str, value: Any) -> None:
        """Keep a JSON value."""
        make_folder(self._folder)
        write(self._file(key), [json.dumps(value).encode()])

    def _file(self, key: str) -> Any:
        return self._folder / f"{quote(key, safe='')}.json"
