"""Files to attach to messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.base import AltcraftOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.launcher import Launched

ENDPOINT = "file_upload"


class AltcraftUploadFileOperator(AltcraftOperator):
    """Upload a file to attach to messages (CONTRACT 11), once per task and DAG run, however often it is retried.

    A file too large for a request is not read. Airflow logs and stores nothing of its content.

    :param path: the file: a local path or an object store URL (``s3://conn@bucket/price.pdf``). Templated.
    :param name: what recipients see; by default, the name in ``path``. Templated.
    :param mimetype: its type; by default, guessed from the name.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task uploads it again: the file may have changed.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the file as ``attach`` takes it: ``name``, ``file_key`` and ``mimetype``. Another task can attach it with
        ``attach=[upload.output]``.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "path", "name")

    def __init__(
        self,
        *,
        path: str | XComArg,
        name: str | XComArg | None = None,
        mimetype: str | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.name = name
        self.mimetype = mimetype
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> dict[str, Any]:
        """Read it and upload it."""
        from mimetypes import guess_type

        from airflow_provider_altcraft.api.arguments import rendered
        from airflow_provider_altcraft.runtime.storage import location

        file = location("path", self.path)
        name = file.name if self.name is None else rendered("name", self.name)
        mimetype = self.mimetype or guess_type(name)[0] or "application/octet-stream"
        content = self._content(file)
        params = {"header": name, "data": _data_uri(content, mimetype)}
        uploaded = self.launch_repeatable(context, ENDPOINT, params, private=("data",))
        key = _key(uploaded)
        self.log.info(
            "%s: %d bytes, %s as file %s (Request-ID %s).",
            file,
            len(content),
            "uploaded by an earlier try" if uploaded.replayed else "uploaded",
            key,
            uploaded.request_id,
        )
        return {"name": name, "file_key": key, "mimetype": mimetype}

    def _content(self, file: Any) -> bytes:
        """Read the file.

        :raises AltcraftConfigurationError: if it is empty, or larger than a request can hold.
        """
        limit = self.hook.settings.max_body_bytes_with_files
        # Not every store knows the size. Three bytes become four characters of base64.
        size = int(file.stat().st_size or 0)
        if size * 4 // 3 > limit:
            raise AltcraftConfigurationError(
                f"{file} is {size:,} bytes, about {size * 4 // 3:,} as base64; a request with files may hold"
                f" {limit:,} (max_body_bytes_with_files in the connection's extra). Nothing was sent."
            )
        content: bytes = file.read_bytes()
        if not content:
            raise AltcraftConfigurationError(f"{file} is empty.")
        return content


def _data_uri(content: bytes, mimetype: str) -> str:
    from base64 import b64encode

    return f"data:{mimetype};base64,{b64encode(content).decode('ascii')}"


def _key(uploaded: Launched) -> str:
    """The file id, which ``attach`` calls its key."""
    key = uploaded.data.get("file") if isinstance(uploaded.data, dict) else None
    if not key:
        raise AltcraftJobFailed("file_upload: the answer contains no file id, so the file cannot be attached.")
    return str(key)
