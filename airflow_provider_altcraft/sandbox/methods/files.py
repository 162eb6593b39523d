"""Files: downloaded, uploaded and attached."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import METHODS, Act, Body, method
from airflow_provider_altcraft.sandbox.world import File

_DATA_URI = re.compile(r"data:[^;,]*(;[^;,]+)*;base64,(?P<content>.*)", re.DOTALL)


def download(act: Act) -> File:
    """CONTRACT 8.5: either form of the path; a file is there once its task has ended."""
    file = act.world.files.get(str(act["file"]).removeprefix("data/"))
    if file is None or file.task.progress(act.now) < 100:
        raise Refused(404, "file not found", "Not found")
    return file


METHODS["download"] = download


@method("file_upload")
def upload(act: Act) -> Body:
    """CONTRACT 11: the id that it answers with can be a ``file_key``."""
    content = _decoded(act["data"])
    uploads = act.world.uploads
    file_id = str(UUID(int=(len(uploads) + 1) * 0xBF58476D1CE4E5B994D049BB133111EB % 2**128))
    uploads[file_id] = (act["header"], content)
    return {"data": {"file": file_id}}


def check_attachments(act: Act) -> None:
    """Refuse files that are none (CONTRACT 12.6). One page spells ``file_key`` as ``flie_key`` (CONTRACT 14.7)."""
    for file in act["attach"] or []:
        key = file.get("file_key", file.get("flie_key"))
        if key is not None:
            if key not in act.world.uploads:
                raise Refused(400, f"attach: there is no file {key}")
        elif not file.get("name"):
            raise Refused(400, "attach: a file has a name, and data or a file_key")
        else:
            _decoded(file.get("data"))


def _decoded(data: Any) -> bytes:
    found = _DATA_URI.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise Refused(400, "data must be a data URI in base64")
    try:
        return base64.b64decode(found["content"], validate=True)
    except binascii.Error:
        raise Refused(400, "data must be a data URI in base64") from None
