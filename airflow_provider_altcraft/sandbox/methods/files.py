"""Files: downloaded, uploaded and attached."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import METHODS, ApiCall, Body, method
from airflow_provider_altcraft.sandbox.world import File

_DATA_URI = re.compile(r"data:[^;,]*(;[^;,]+)*;base64,(?P<content>.*)", re.DOTALL)


def download(call: ApiCall) -> File:
    """CONTRACT 8.5: either form of the path; a file exists once its task has ended."""
    file = call.world.files.get(str(call["file"]).removeprefix("data/"))
    if file is None or file.task.progress(call.now) < 100:
        raise Refused(404, "file not found", "Not found")
    return file


METHODS["download"] = download


@method("file_upload")
def upload(call: ApiCall) -> Body:
    """CONTRACT 11: the id in the answer can be used as a ``file_key``."""
    content = _decoded(call["data"])
    uploads = call.world.uploads
    file_id = str(UUID(int=(len(uploads) + 1) * 0xBF58476D1CE4E5B994D049BB133111EB % 2**128))
    uploads[file_id] = (call["header"], content)
    return {"data": {"file": file_id}}


def check_attachments(call: ApiCall) -> None:
    """Refuse invalid attachments (CONTRACT 12.6). One page spells ``file_key`` as ``flie_key`` (CONTRACT 14.7)."""
    for file in call["attach"] or []:
        key = file.get("file_key", file.get("flie_key"))
        if key is not None:
            if key not in call.world.uploads:
                raise Refused(400, f"attach: file {key} not found")
        elif not file.get("name"):
            raise Refused(400, "attach: a file must have a file_key, or a name and data")
        else:
            _decoded(file.get("data"))


def _decoded(data: Any) -> bytes:
    found = _DATA_URI.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise Refused(400, "data must be a base64 data URI")
    try:
        return base64.b64decode(found["content"], validate=True)
    except binascii.Error:
        raise Refused(400, "data must be a base64 data URI") from None
