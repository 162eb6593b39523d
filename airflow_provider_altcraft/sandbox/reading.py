"""What a request asks for, and its token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.contract import METHODS, UNKNOWN, Refused
from airflow_provider_altcraft.sandbox.paths import DOWNLOAD
from airflow_provider_altcraft.sandbox.state import State

if TYPE_CHECKING:
    from aiohttp import web

FORM = "application/x-www-form-urlencoded"


def read_parameters(request: web.Request, name: str, body: bytes, behaviour: Behaviour) -> dict[str, Any]:
    """The parameters of a request, wherever they are but in its path (CONTRACT 1.1).

    :raises Refused: for a body that is too large or cannot be read.
    """
    with_files = name == "file_upload" or b'"attach"' in body
    if len(body) > (behaviour.max_body_bytes_with_files if with_files else behaviour.max_body_bytes):
        raise Refused(400, "http: request body too large")
    is_form = request.content_type == FORM
    given = dict(parse_qsl(body.decode("utf-8", "replace"))) if is_form else json_object(body)
    is_open = METHODS.get(name, UNKNOWN).open
    return {**{key: value for key, value in request.query.items() if is_open or key == "format"}, **given}


def json_object(body: bytes) -> dict[str, Any]:
    """The object that a body is.

    :raises Refused: for any other body.
    """
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(given, dict):
        raise Refused(400, "the body must be an object")
    return given


def read_token(request: web.Request, name: str, given: Mapping[str, Any], state: State) -> str:
    """The token of a request, wherever it is (CONTRACT 1.2).

    :raises Refused: for a missing or a wrong one.
    """
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    in_url = request.query.get("token") if name != DOWNLOAD or state.behaviour.download_token_in_url else None
    token = str(given.get("token") or bearer or in_url or "")
    # Quick import knows no more than a bad key (CONTRACT 1.4).
    one_code = METHODS.get(name, UNKNOWN).http_status
    if not token:
        raise Refused(403 if one_code else 401, "api token required", "API token required")
    if token != state.token:
        raise Refused(403 if one_code else state.behaviour.wrong_token_code, "no such token", "No access")
    return token
