"""The sandbox's own page, and its control from another process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from airflow_provider_altcraft.sandbox.faults import Fault
from airflow_provider_altcraft.sandbox.page import PAGE
from airflow_provider_altcraft.sandbox.state import State
from airflow_provider_altcraft.sandbox.summary import summary


class Control:
    """Shows a state, and changes it.

    :param state: which.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._controls: dict[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
            ("GET", "state"): lambda _: summary(state),
            ("GET", "journal"): lambda given: [asdict(call) for call in state.journal.calls(given.get("endpoint"))],
            ("GET", "deliveries"): lambda _: state.deliveries.report(),
            ("POST", "reset"): lambda _: state.reset(),
            ("POST", "advance"): self._advance,
            ("POST", "mailings"): lambda given: asdict(state.add_mailing(**given)),
            ("POST", "segments"): lambda given: asdict(state.add_segment(**given)),
            ("POST", "scenarios"): lambda given: asdict(state.add_scenario(**given)),
            ("POST", "speed"): self._set_speed,
            ("POST", "faults"): lambda given: state.faults.add(Fault(**given)),
            ("DELETE", "faults"): lambda _: state.faults.clear(),
            ("POST", "behaviour"): self._set_behaviour,
        }

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put its pages beside the API."""
        router.add_get("/", self._page)
        for method in ("GET", "POST", "DELETE"):
            router.add_route(method, "/_sandbox/{what}", self._control)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _control(self, request: web.Request) -> web.Response:
        control = self._controls.get((request.method, request.match_info["what"]))
        if control is None:
            raise web.HTTPNotFound
        try:
            given = await request.json() if request.method == "POST" and request.body_exists else request.query
            done = control(given)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({} if done is None else done, dumps=partial(json.dumps, default=_plain))

    def _advance(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._state.clock.advance(float(given["seconds"]))
        return {"now": self._state.clock.now()}

    def _set_speed(self, given: Mapping[str, Any]) -> None:
        self._state.clock.speed = float(given["speed"])

    def _set_behaviour(self, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            setattr(self._state.behaviour, name, value)


def _plain(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
