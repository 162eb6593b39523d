"""The HTTP side: the routes, and what a request passes on its way to its method."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aiohttp import web

from airflow_provider_altcraft.sandbox.answers import Answer, refusal
from airflow_provider_altcraft.sandbox.contract import Refused, checked
from airflow_provider_altcraft.sandbox.control import Control
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.exchange import EXCHANGE, Exchange
from airflow_provider_altcraft.sandbox.fault_middlewares import cut_body, delay_after, drop, refuse
from airflow_provider_altcraft.sandbox.faults import DROPS
from airflow_provider_altcraft.sandbox.guard import guard
from airflow_provider_altcraft.sandbox.journal import Call, redacted
from airflow_provider_altcraft.sandbox.methods import METHODS, ApiCall
from airflow_provider_altcraft.sandbox.paths import DOWNLOAD, named
from airflow_provider_altcraft.sandbox.reading import json_object, read_parameters, read_token
from airflow_provider_altcraft.sandbox.state import State
from airflow_provider_altcraft.sandbox.world import File, World

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


class Server:
    """Serves a state over HTTP.

    :param state: what it answers from.
    :param port: gives the port that it listens on.
    """

    def __init__(self, state: State, port: Callable[[], int]) -> None:
        self._state = state
        self._port = port

    def application(self) -> web.Application:
        """The routes, with the middlewares before them, outermost first."""
        api = web.Application(middlewares=[self._record, drop, cut_body, delay_after, refuse])
        api.on_response_prepare.append(self._date)
        api.router.add_get("/download/{file:.*}", self._respond)
        api.router.add_post("/{path:.*}", self._respond)
        # aiohttp must not refuse large bodies: the sandbox does, in Altcraft's words.
        application = web.Application(client_max_size=1 << 30, middlewares=[guard(self._port)])
        Control(self._state).add_routes(application.router)
        application.add_subapp("/api/", api)
        return application

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(self._state.clock.now(), usegmt=True)

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Write a call and its answer into the journal, and find the fault that it meets."""
        if request.match_info.http_exception is not None:
            raise request.match_info.http_exception
        found = named(request.path)
        # Everything is POST but a download (CONTRACT 1.1).
        if found is None or (found[0] == DOWNLOAD) == (request.method == "POST"):
            raise web.HTTPNotFound
        state, body = self._state, await request.read()
        call = Call(
            found[0],
            state.clock.now(),
            headers={
                key.lower(): "***" if key.lower() == "authorization" else value
                for key, value in request.headers.items()
            },
            body_size=len(body),
            body_digest=sha256(body).hexdigest(),
            request_id=request.headers.get(state.behaviour.request_id_header),
        )
        state.journal.add(call)
        fault = state.faults.meet(call.endpoint, lambda: _parameters(body))
        call.fault = None if fault is None else fault.kind
        exchange = Exchange(call, found[1], fault)
        EXCHANGE.set(exchange)
        response = await handler(request)
        if call.fault not in DROPS:
            call.http_status, call.error, call.replayed = response.status, exchange.error, exchange.replayed
        return response

    async def _respond(self, request: web.Request) -> web.Response:
        state, exchange = self._state, EXCHANGE.get()
        state.underway += 1
        try:
            answer, exchange.replayed = await self._answer(request, exchange)
        finally:
            state.underway -= 1
        exchange.error = answer.error
        response = web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)
        if exchange.replayed:
            response.headers[state.behaviour.duplicate_header] = "true"
            response.headers["Duplicate-Key"] = exchange.call.request_id or ""
        return response

    async def _answer(self, request: web.Request, exchange: Exchange) -> tuple[Answer, bool]:
        """The answer, and whether it came from memory."""
        state, call, fault, body = self._state, exchange.call, exchange.fault, await request.read()
        # A request that is in progress when the sandbox is reset must not change what comes after.
        memory, world, deliveries = state.deduplication, state.world, state.deliveries
        try:
            given = {**read_parameters(request, call.endpoint, body, state.behaviour), **exchange.in_path}
            call.request = redacted(given)
            token = read_token(request, call.endpoint, given, state)
        except Refused as refused:
            return refusal(call.endpoint, refused, state.behaviour), False

        path = "/".join([call.endpoint, *exchange.in_path.values()])
        key = memory.key(call.endpoint, path, request.query_string, request.headers, token, body)

        # `delay` and `error_after` cannot be middlewares: a repeat that comes during the delay has to find the request
        # in progress, and the error has to be what is remembered.
        async def work() -> Answer:
            if fault is not None and fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            answer = self._work(call, given, world, deliveries)
            if fault is None or fault.kind != "error_after":
                return answer
            return refusal(call.endpoint, Refused(fault.code, fault.text, "Internal error"), state.behaviour)

        if key is None:
            return await work(), False
        busy = refusal(call.endpoint, Refused(409, "the request is being processed", "Conflict"), state.behaviour)
        return await memory.once(key, work, busy)

    def _work(self, call: Call, given: dict[str, Any], world: World, deliveries: Deliveries) -> Answer:
        now, behaviour = self._state.clock.now(), self._state.behaviour
        world.settle(now, deliveries)
        try:
            body = checked(call.endpoint, given)
            api_call = ApiCall(call.endpoint, world, deliveries, behaviour, now, call.request_id, body)
            done = METHODS[call.endpoint](api_call)
        except Refused as refused:
            return refusal(call.endpoint, refused, behaviour)
        if isinstance(done, File):
            return Answer(200, done.content, content_type=done.content_type)
        text = "" if behaviour.empty_error_text else "Successful operation"
        return Answer(200, json.dumps({**done, "error": 0, "error_text": text}).encode(), error=0)


def _parameters(body: bytes) -> dict[str, Any]:
    """What a request asks for, as far as it can be read."""
    try:
        return json_object(body)
    except Refused:
        return {}
