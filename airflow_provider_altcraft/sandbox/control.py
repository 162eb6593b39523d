"""The sandbox's own pages: what arrived, and ways to move it from another process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from airflow_provider_altcraft.sandbox.faults import Fault
from airflow_provider_altcraft.sandbox.page import PAGE

if TYPE_CHECKING:
    from airflow_provider_altcraft.sandbox.sandbox import Sandbox


class Control:
    """Looks at one sandbox, and moves it.

    :param sandbox: which.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.underway = 0

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put its pages beside the API."""
        router.add_get("/", self.page)
        router.add_get("/_sandbox/{what}", self.control)
        router.add_post("/_sandbox/{what}", self.control)
        router.add_delete("/_sandbox/{what}", self.control)

    async def page(self, request: web.Request) -> web.Response:
        """What arrived, for people."""
        return web.Response(text=PAGE, content_type="text/html")

    async def control(self, request: web.Request) -> web.Response:
        """Look at the sandbox, or move it, from another process."""
        what = request.match_info["what"]
        controls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Any]]] = {
            ("GET", "state"): self._state,
            ("GET", "journal"): self._journal,
            ("GET", "deliveries"): self._deliveries,
            ("POST", "reset"): self._reset,
            ("POST", "advance"): self._advance,
            ("POST", "mailings"): self._add_mailing,
            ("POST", "segments"): self._add_segment,
            ("POST", "scenarios"): self._add_scenario,
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
        return {**self.sandbox.state(), "underway": self.underway}

    async def _journal(self, request: web.Request) -> Any:
        return [asdict(call) for call in self.sandbox.journal.calls(request.query.get("endpoint"))]

    async def _deliveries(self, request: web.Request) -> Any:
        return self.sandbox.deliveries.report()

    async def _reset(self, request: web.Request) -> Any:
        self.sandbox.reset()
        return {}

    async def _advance(self, request: web.Request) -> Any:
        self.sandbox.clock.advance(float((await request.json())["seconds"]))
        return {"now": self.sandbox.clock.now()}

    async def _add_mailing(self, request: web.Request) -> Any:
        return asdict(self.sandbox.add_mailing(**await request.json()))

    async def _add_segment(self, request: web.Request) -> Any:
        self.sandbox.add_segment(**await request.json())
        return {}

    async def _add_scenario(self, request: web.Request) -> Any:
        self.sandbox.add_scenario(**await request.json())
        return {}

    async def _set_speed(self, request: web.Request) -> Any:
        self.sandbox.clock.speed = float((await request.json())["speed"])
        return {}

    async def _add_fault(self, request: web.Request) -> Any:
        self.sandbox.faults.add(Fault(**await request.json()))
        return {}

    async def _clear_faults(self, request: web.Request) -> Any:
        self.sandbox.faults.clear()
        return {}

    async def _set_behaviour(self, request: web.Request) -> Any:
        for name, value in (await request.json()).items():
            setattr(self.sandbox.behaviour, name, value)
        return {}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
