"""Files for Altcraft, to go with messages."""

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
    """Upload a file (CONTRACT 11), to be attached to messages. One per task and DAG run, whatever is retried.

    A file that is too large for a request is not read. Nothing of its content is logged or stored by Airflow.

    :param path: the file, a local path or the URL of an object store (``s3://conn@bucket/price.pdf``). Templated.
    :param name: what recipients see; the name in ``path`` if it is not given. Templated.
    :param mimetype: its type; told by the name if it is not given.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task uploads it anew: the file may be another by then.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the file as ``attach`` takes it: ``name``, ``file_key`` and ``mimetype``. So the output of this task is an
        attachment of another's: ``attach=[upload.output]``.
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
            "uploaded at an earlier try" if uploaded.replayed else "uploaded",
            key,
            uploaded.request_id,
        )
        return {"name": name, "file_key": key, "mimetype": mimetype}

    def _content(self, file: Any) -> bytes:
        """What is in it.

        :raises AltcraftConfigurationError: if that is nothing, or more than a request can hold.
        """
        limit = self.hook.settings.max_body_bytes_with_files
        # Not every store tells. Three bytes are four signs of base64.
        size = int(file.stat().st_size or 0)
        if size * 4 // 3 > limit:
            raise AltcraftConfigurationError(
                f"{file} has {size:,} bytes, and so about {size * 4 // 3:,} as base64; a request with files holds"
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
    """The id of the file, which ``attach`` knows as its key."""
    key = uploaded.data.get("file") if isinstance(uploaded.data, dict) else None
    if not key:
        raise AltcraftJobFailed("file_upload: the answer holds no id of a file, so it cannot be attached.")
    return str(key)
