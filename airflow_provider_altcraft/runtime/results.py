"""Results of a task: an XCom or a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.storage import replacing

XCOM_BYTES = 48 * 1024
"""Limit for a result as JSON. MySQL's XCom column holds 64 KB."""


def for_xcom(data: Any, *, may_cut: bool, warn: Callable[..., None]) -> Any:
    """A result small enough for an XCom.

    :param data: the result, or an iterator of its items.
    :param may_cut: whether to truncate a result that is too large instead of raising an error.
    :param warn: called when it is truncated.
    :raises AltcraftConfigurationError: if it is too large.
    """
    if isinstance(data, Iterator):
        return _items(data)
    size = _size(data)
    if size <= XCOM_BYTES:
        return data
    if not may_cut:
        raise _too_large(f"{size:,}")
    warn("The result is %d bytes as JSON, so only its beginning is kept. Set result_path to keep all of it.", size)
    count = len(data) if isinstance(data, list | dict) else 1
    return {"truncated": True, "count": count, "bytes": size, "beginning": _beginning(data)}


def write_json(path: Any, try_number: int, data: Any, *, before_item: Callable[[], None]) -> dict[str, Any]:
    """Write a result to a file atomically.

    :param path: an ``ObjectStoragePath``.
    :param try_number: of the task.
    :param data: the result, or an iterator of its items.
    :param before_item: called before each item of a list.
    :returns: ``path``, ``count`` and ``bytes``.
    """
    with replacing(path, try_number) as file:
        count = 1
        if isinstance(data, Iterator | list):
            count = 0
            for count, item in enumerate(data, start=1):
                before_item()
                file.write(b",\n" if count > 1 else b"[\n")
                file.write(_json(item))
            file.write(b"\n]\n" if count else b"[]\n")
        else:
            file.write(_json(data) + b"\n")
        size = file.tell()
    return {"path": str(path), "count": count, "bytes": size}


def _items(data: Iterator[Any]) -> list[Any]:
    """The items of a list; it is not read beyond what fits into an XCom."""
    items: list[Any] = []
    size = 2
    for item in data:
        size += _size(item) + 2
        if size > XCOM_BYTES:
            raise _too_large(f"more than {XCOM_BYTES:,}")
        items.append(item)
    return items


def _too_large(size: str) -> AltcraftConfigurationError:
    return AltcraftConfigurationError(
        f"The result is {size} bytes as JSON; an XCom may hold {XCOM_BYTES:,}. Set result_path to write it to a file,"
        " or request less."
    )


def _size(data: Any) -> int:
    """Bytes in an XCom, which Airflow writes as ASCII."""
    return len(json.dumps(data))


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _beginning(data: Any) -> Any:
    """The first items or fields that fit."""
    if not isinstance(data, dict | list):
        return None
    pairs: Iterable[tuple[Any, Any]] = data.items() if isinstance(data, dict) else enumerate(data)
    left, kept = XCOM_BYTES - 200, []
    for name, value in pairs:
        left -= _size(value) + _size(name) + 4
        if left < 0:
            break
        kept.append((name, value))
    return dict(kept) if isinstance(data, dict) else [value for _, value in kept]
