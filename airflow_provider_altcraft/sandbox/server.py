"""The HTTP side: what happens to a request, in order: fault, size, token, memory, parameters, work, answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aiohttp import web

from airflow_provider_altcraft.sandbox.contract import METHODS as CONTRACT
from airflow_provider_altcraft.sandbox.contract import Refused, checked
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.faults import Fault
from airflow_provider_altcraft.sandbox.journal import Call, redacted
from airflow_provider_altcraft.sandbox.methods import METHODS, Act
from airflow_provider_altcraft.sandbox.page import PAGE
from airflow_provider_altcraft.sandbox.world import World

if TYPE_CHECKING:
    from airflow_provider_altcraft.sandbox.sandbox import Sandbox

PREFIX = "/api/v1.1/"
Answer = tuple[int, bytes]


class Server:
    """Answers for one sandbox.

    :param sandbox: whose world it is.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._underway = 0

    def application(self) -> web.Application:
        """The routes."""
        # The limit is the sandbox's own to enforce, in Altcraft's words.
        application = web.Application(client_max_size=1 << 30)
        application.router.add_get("/", self._page)
        application.router.add_post(PREFIX + "{name:.*}", self._api)
        application.router.add_get("/_sandbox/{what}", self._control)
        application.router.add_post("/_sandbox/{what}", self._control)
        application.router.add_delete("/_sandbox/{what}", self._control)
        return application

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"].strip("/")
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
        self._underway += 1
        try:
            (status, answer), replayed = await self._answer(request, headers, body, call, fault)
        finally:
            self._underway -= 1
        if fault is not None and fault.kind == "delay_after":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "drop_after":
            return _dropped(request)
        call.http_status, call.replayed = status, replayed
        call.error = json.loads(answer).get("error")
        marks = {sandbox.behaviour.duplicate_header: "true", "Duplicate-Key": call.request_id or ""} if replayed else {}
        response = web.Response(
            status=status, body=answer, content_type="application/json", headers={**marks, **self._date()}
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
        self, request: web.Request, headers: Mapping[str, str], body: bytes, call: Call, fault: Fault | None
    ) -> tuple[Answer, bool]:
        """The answer, and whether it came from memory."""
        sandbox, name = self._sandbox, call.endpoint
        # What is still worked on when the sandbox is reset happens where it began.
        scene = sandbox.world, sandbox.deliveries
        delay = fault.seconds if fault is not None and fault.kind == "delay" else 0.0
        try:
            given = self._parse(body)
            call.request = redacted(given)
            token = self._token(headers, request.query, given)
        except Refused as refused:
            return self._refusal(refused), False
        if name not in CONTRACT or not CONTRACT[name].changes:
            await asyncio.sleep(delay)
            return self._work(name, given, call, scene), False
        memory = sandbox.deduplication
        key = memory.key(name, headers, token, body)
        if key is None:
            await asyncio.sleep(delay)
            return self._work(name, given, call, scene), False
        earlier = memory.recall(key, sandbox.clock.now())
        if earlier is not None:
            running = sandbox.behaviour.duplicate_while_running
            if not earlier.done.is_set() and running != "wait":
                conflict = Refused(409, "the request is being processed", "Conflict")
                return self._refusal(conflict), running == "marked"
            await earlier.done.wait()
            if earlier.answer is not None:
                return earlier.answer, True
        begun = memory.begin(key, sandbox.clock.now())
        answer: Answer | None = None
        try:
            await asyncio.sleep(delay)
            answer = self._work(name, given, call, scene)
            if fault is not None and fault.kind == "error_after":
                answer = self._refusal(Refused(fault.code, fault.text, "Internal error"))
        finally:
            kept = answer is not None and (sandbox.behaviour.replay_errors or not json.loads(answer[1])["error"])
            memory.end(key, begun, answer if kept else None)
        return answer, False

    def _parse(self, body: bytes) -> dict[str, Any]:
        if len(body) > self._sandbox.behaviour.max_body_bytes:
            raise Refused(400, "http: request body too large")
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            raise Refused(400, "the body is not JSON") from None
        if not isinstance(given, dict):
            raise Refused(400, "the body must be an object")
        return given

    def _token(self, headers: Mapping[str, str], query: Mapping[str, str], given: Mapping[str, Any]) -> str:
        """The token, wherever it is (CONTRACT 1.2)."""
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        token = str(given.get("token") or bearer or query.get("token") or "")
        if not token:
            raise Refused(401, "api token required", "API token required")
        if token != self._sandbox.token:
            raise Refused(self._sandbox.behaviour.wrong_token_code, "no such token", "No access")
        return token

    def _work(self, name: str, given: dict[str, Any], call: Call, scene: tuple[World, Deliveries]) -> Answer:
        sandbox = self._sandbox
        try:
            body = checked(name, given)
            world, deliveries = scene
            now = sandbox.clock.now()
            world.settle(now, deliveries)
            act = Act(name, world, deliveries, sandbox.behaviour, now, call.request_id, body)
            answer = METHODS[name](act)
        except Refused as refused:
            return self._refusal(refused)
        text = "" if sandbox.behaviour.empty_error_text else "Successful operation"
        return 200, json.dumps({**answer, "error": 0, "error_text": text}).encode()

    def _refusal(self, refused: Refused) -> Answer:
        own = self._sandbox.behaviour.error_http_status == "own" and 400 <= refused.code <= 599
        answer = {"error": refused.code, "error_debug": refused.debug, "error_text": refused.text}
        return (refused.code if own else 200), json.dumps(answer).encode()

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self._sandbox.clock.now(), usegmt=True)}

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _control(self, request: web.Request) -> web.Response:
        """Look at the sandbox, or move it, from another process."""
        what = request.match_info["what"]
        controls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Any]]] = {
            ("GET", "state"): self._state,
            ("GET", "journal"): self._journal,
            ("GET", "deliveries"): self._deliveries,
            ("POST", "reset"): self._reset,
            ("POST", "advance"): self._advance,
            ("POST", "mailings"): self._add_mailing,
            ("POST", "speed"): self._set_speed,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "behaviour"): self._set_behaviour,
        }
        control = controls.get((request.method, what))
        if control is None:
            raise web.HTTPNotFound
        return web.json_response(await control(request), dumps=lambda value: json.dumps(value, default=_plain))

    async def _state(self, request: web.Request) -> Any:
        return {**self._sandbox.state(), "underway": self._underway}

    async def _journal(self, request: web.Request) -> Any:
        return [asdict(call) for call in self._sandbox.journal.calls(request.query.get("endpoint"))]

    async def _deliveries(self, request: web.Request) -> Any:
        return self._sandbox.deliveries.report()

    async def _reset(self, request: web.Request) -> Any:
        self._sandbox.reset()
        return {}

    async def _advance(self, request: web.Request) -> Any:
        self._sandbox.clock.advance(float((await request.json())["seconds"]))
        return {"now": self._sandbox.clock.now()}

    async def _add_mailing(self, request: web.Request) -> Any:
        return asdict(self._sandbox.add_mailing(**await request.json()))

    async def _set_speed(self, request: web.Request) -> Any:
        self._sandbox.clock.speed = float((await request.json())["speed"])
        return {}

    async def _add_fault(self, request: web.Request) -> Any:
        self._sandbox.faults.add(Fault(**await request.json()))
        return {}

    async def _clear_faults(self, request: web.Request) -> Any:
        self._sandbox.faults.clear()
        return {}

    async def _set_behaviour(self, request: web.Request) -> Any:
        for name, value in (await request.json()).items():
            setattr(self._sandbox.behaviour, name, value)
        return {}


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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
