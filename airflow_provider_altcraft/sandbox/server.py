"""The HTTP side: what happens to a request, in order: fault, size, token, memory, parameters, work, answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from airflow_provider_altcraft.sandbox.answers import Answer
from airflow_provider_altcraft.sandbox.contract import METHODS as CONTRACT
from airflow_provider_altcraft.sandbox.contract import Refused, checked
from airflow_provider_altcraft.sandbox.control import Control
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.faults import Fault
from airflow_provider_altcraft.sandbox.guard import guard
from airflow_provider_altcraft.sandbox.journal import Call, redacted
from airflow_provider_altcraft.sandbox.methods import METHODS, ApiCall
from airflow_provider_altcraft.sandbox.paths import DOWNLOAD, named
from airflow_provider_altcraft.sandbox.world import File, World

if TYPE_CHECKING:
    from airflow_provider_altcraft.sandbox.sandbox import Sandbox

FORM = "application/x-www-form-urlencoded"


class Server:
    """Answers for one sandbox.

    :param sandbox: whose world it is.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._control = Control(sandbox)

    def application(self) -> web.Application:
        """The routes."""
        # The limit is the sandbox's own to enforce, in Altcraft's words.
        application = web.Application(client_max_size=1 << 30, middlewares=[guard(self._sandbox)])
        self._control.add_routes(application.router)
        application.router.add_get("/api/download/{file:.*}", self._api)
        application.router.add_post("/api/{path:.*}", self._api)
        return application

    async def _api(self, request: web.Request) -> web.StreamResponse:
        found = named(request.path)
        # Everything is POST but a download (CONTRACT 1.1).
        if found is None or (found[0] == DOWNLOAD) == (request.method == "POST"):
            raise web.HTTPNotFound
        name, in_path = found
        sandbox = self._sandbox
        body = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        call = Call(
            name,
            sandbox.clock.now(),
            headers={key: "***" if key == "authorization" else value for key, value in headers.items()},
            body_size=len(body),
            body_digest=sha256(body).hexdigest(),
            request_id=headers.get(sandbox.behaviour.request_id_header.lower()),
        )
        sandbox.journal.add(call)
        fault = sandbox.faults.meet(name, lambda: _parameters(body))
        if fault is not None:
            call.fault = fault.kind
            early = await self._early(fault, request, call)
            if early is not None:
                return early
        self._control.underway += 1
        try:
            answer, replayed = await self._answer(request, headers, body, in_path, call, fault)
        finally:
            self._control.underway -= 1
        if fault is not None and fault.kind == "delay_after":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "drop_after":
            return _dropped(request)
        call.http_status, call.error, call.replayed = answer.status, answer.error, replayed
        marks = {sandbox.behaviour.duplicate_header: "true", "Duplicate-Key": call.request_id or ""} if replayed else {}
        response = web.Response(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers={**marks, **self._date()},
        )
        if fault is not None and fault.kind == "cut_body":
            return await _cut(request, response)
        return response

    async def _early(self, fault: Fault, request: web.Request, call: Call) -> web.StreamResponse | None:
        """The faults under which nothing is done."""
        if fault.kind == "drop_before":
            return _dropped(request)
        if fault.kind == "status":
            call.http_status = fault.code
            return web.Response(status=fault.code, text=fault.text or "Bad Gateway", headers=self._date())
        if fault.kind == "html":
            call.http_status = fault.code
            page = (
                f"<html><head><title>{fault.text or 'Maintenance'}</title></head>\n<body>Be right back.</body></html>"
            )
            return web.Response(status=fault.code, text=page, content_type="text/html", headers=self._date())
        if fault.kind == "rate_limited":
            call.http_status = 429
            headers = {"Retry-After": f"{fault.seconds:g}", **self._date()}
            return web.Response(status=429, text="Too many requests", headers=headers)
        if fault.kind == "api_error":
            call.http_status, call.error = 200, fault.code
            error = {"error": fault.code, "error_text": fault.text or "Internal error"}
            return web.json_response(error, headers=self._date())
        return None

    async def _answer(
        self,
        request: web.Request,
        headers: Mapping[str, str],
        body: bytes,
        in_path: Mapping[str, str],
        call: Call,
        fault: Fault | None,
    ) -> tuple[Answer, bool]:
        """The answer, and whether it came from memory."""
        sandbox, name = self._sandbox, call.endpoint
        # What is still worked on when the sandbox is reset happens where it began.
        scene = sandbox.world, sandbox.deliveries
        delay = fault.seconds if fault is not None and fault.kind == "delay" else 0.0
        try:
            given = self._read(name, request, body, in_path)
            call.request = redacted(given)
            token = self._token(name, headers, request.query, given)
        except Refused as refused:
            return self._refusal(name, refused), False
        method = CONTRACT.get(name)
        if method is None or not method.changes:
            await asyncio.sleep(delay)
            return self._work(name, given, call, scene), False
        memory = sandbox.deduplication
        path = "/".join([name, *in_path.values()])
        key = memory.key(path, request.query_string, headers, token, body, checksum=method.checksum)
        if key is None:
            await asyncio.sleep(delay)
            return self._work(name, given, call, scene), False
        earlier = memory.recall(key, sandbox.clock.now())
        if earlier is not None:
            running = sandbox.behaviour.duplicate_while_running
            if not earlier.done.is_set() and running != "wait":
                conflict = Refused(409, "the request is being processed", "Conflict")
                return self._refusal(name, conflict), running == "marked"
            await earlier.done.wait()
            if earlier.answer is not None:
                return earlier.answer, True
        begun = memory.begin(key, sandbox.clock.now())
        answer: Answer | None = None
        try:
            await asyncio.sleep(delay)
            answer = self._work(name, given, call, scene)
            if fault is not None and fault.kind == "error_after":
                answer = self._refusal(name, Refused(fault.code, fault.text, "Internal error"))
        finally:
            kept = answer is not None and (sandbox.behaviour.replay_errors or not answer.error)
            memory.end(key, begun, answer if kept else None)
        return answer, False

    def _read(self, name: str, request: web.Request, body: bytes, in_path: Mapping[str, str]) -> dict[str, Any]:
        """The parameters of a request, wherever they are (CONTRACT 1.1)."""
        behaviour = self._sandbox.behaviour
        with_files = name == "file_upload" or b'"attach"' in body
        if len(body) > (behaviour.max_body_bytes_with_files if with_files else behaviour.max_body_bytes):
            raise Refused(400, "http: request body too large")
        given = _form(body) if request.content_type == FORM else _json(body)
        open_to_query = name in CONTRACT and CONTRACT[name].open
        in_query = {key: value for key, value in request.query.items() if open_to_query or key == "format"}
        return {**in_query, **given, **in_path}

    def _token(self, name: str, headers: Mapping[str, str], query: Mapping[str, str], given: Mapping[str, Any]) -> str:
        """The token, wherever it is (CONTRACT 1.2)."""
        behaviour = self._sandbox.behaviour
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        in_url = "" if name == DOWNLOAD and not behaviour.download_token_in_url else query.get("token")
        token = str(given.get("token") or bearer or in_url or "")
        # Quick import knows no more than a bad key (CONTRACT 1.4).
        one_code = name in CONTRACT and CONTRACT[name].http_status
        if not token:
            raise Refused(403 if one_code else 401, "api token required", "API token required")
        if token != self._sandbox.token:
            raise Refused(403 if one_code else behaviour.wrong_token_code, "no such token", "No access")
        return token

    def _work(self, name: str, given: dict[str, Any], call: Call, scene: tuple[World, Deliveries]) -> Answer:
        sandbox = self._sandbox
        world, deliveries = scene
        now = sandbox.clock.now()
        world.settle(now, deliveries)
        try:
            body = checked(name, given)
            done = METHODS[name](ApiCall(name, world, deliveries, sandbox.behaviour, now, call.request_id, body))
        except Refused as refused:
            return self._refusal(name, refused)
        if isinstance(done, File):
            return Answer(200, done.content, content_type=done.content_type)
        text = "" if sandbox.behaviour.empty_error_text else "Successful operation"
        return Answer(200, json.dumps({**done, "error": 0, "error_text": text}).encode(), error=0)

    def _refusal(self, name: str, refused: Refused) -> Answer:
        behaviour = self._sandbox.behaviour
        own = behaviour.error_http_status == "own" or (name in CONTRACT and CONTRACT[name].http_status)
        if name == DOWNLOAD:
            own = behaviour.download_errors == "status"
        answer = {"error": refused.code, "error_debug": refused.debug, "error_text": refused.text}
        status = refused.code if own and 400 <= refused.code <= 599 else 200
        return Answer(status, json.dumps(answer).encode(), refused.code)

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self._sandbox.clock.now(), usegmt=True)}


def _json(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(given, dict):
        raise Refused(400, "the body must be an object")
    return given


def _form(body: bytes) -> dict[str, Any]:
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _parameters(body: bytes) -> dict[str, Any]:
    """What a request asks for, as far as it can be read."""
    try:
        given = json.loads(body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut(request: web.Request, whole: web.Response) -> web.StreamResponse:
    body = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
