"""Files attached to messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

Attach = Sequence[Any]
"""Files as ``{"name", "data" | "file_key", "mimetype"}`` (CONTRACT 12.6), or the output of a task that uploads one."""


def attachments(operator: BaseOperator, attach: Any, context: Any) -> list[dict[str, Any]] | None:
    """Files in Altcraft's format. Those written in the DAG file are rendered here, except their content.

    ``attach`` is not a template field: the content of files would end up in Airflow's rendered templates.

    :raises AltcraftConfigurationError: for anything that is not a file object.
    """
    if attach is None:
        return None
    if isinstance(attach, list | tuple):
        return [_file(operator, file, context) for file in attach]
    files = operator.render_template(attach, context)
    if isinstance(files, str | bytes) or not isinstance(files, Sequence):
        raise AltcraftConfigurationError(f"attach must be a list of files, not {type(files).__name__}.")
    return [_as_it_is(file) for file in files]


def _file(operator: BaseOperator, file: Any, context: Any) -> dict[str, Any]:
    if not isinstance(file, Mapping):
        return _as_it_is(operator.render_template(file, context))
    return {name: value if name == "data" else operator.render_template(value, context) for name, value in file.items()}


def _as_it_is(file: Any) -> dict[str, Any]:
    """A file returned by another task. It is not rendered: its name may come from anywhere."""
    if not isinstance(file, Mapping):
        raise AltcraftConfigurationError(
            "A file in attach must be {'name', 'data' or 'file_key', 'mimetype'} or the output of an upload task, not"
            f" {type(file).__name__}."
        )
    return dict(file)
