"""Files of the user's, local or in an object store, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.templates import rendered


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
