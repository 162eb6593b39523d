"""What goes back over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.contract import METHODS, UNKNOWN, Refused
from airflow_provider_altcraft.sandbox.paths import DOWNLOAD


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, as it is sent and remembered.

    :param status: its HTTP status.
    :param error: its ``error``; ``None`` for a file.
    """

    status: int
    body: bytes
    error: int | None = None
    content_type: str = "application/json"


def refusal(name: str, refused: Refused, behaviour: Behaviour) -> Answer:
    """The answer of a method that refuses a call, under the HTTP status that it has then (CONTRACT 1.4)."""
    own = behaviour.error_http_status == "own" or METHODS.get(name, UNKNOWN).http_status
    if name == DOWNLOAD:
        own = behaviour.download_errors == "status"
    body = {"error": refused.code, "error_debug": refused.debug, "error_text": refused.text}
    status = refused.code if own and 400 <= refused.code <= 599 else 200
    return Answer(status, json.dumps(body).encode(), refused.code)
