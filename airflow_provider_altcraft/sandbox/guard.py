"""Whom the sandbox answers: those who call it by its own names, and no page of another site.

It listens on loopback alone, but a browser on the same machine reaches it for any page that it shows: by a form, or by
a name of the page's own that suddenly means 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

NAMES = ("127.0.0.1", "localhost", "[::1]")
CONTROL = "/_sandbox/"


def guard(port: Callable[[], int]) -> Middleware:
    """The middleware that looks at each request first.

    :param port: gives the port that the sandbox listens on.
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = {f"{name}:{port()}" for name in NAMES} | ({*NAMES} if port() == 80 else set())
        if request.headers.get("Host", "").lower() not in hosts:
            raise web.HTTPMisdirectedRequest(
                text=f"The sandbox is at http://{NAMES[0]}:{port()}, under no other name.\n"
            )
        if request.path.startswith(CONTROL) and request.method not in ("GET", "HEAD"):
            _refuse_other_sites(request, hosts)
        return await handler(request)

    return guarded


def _refuse_other_sites(request: web.Request, hosts: set[str]) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower().removeprefix("http://") not in hosts:
        raise web.HTTPForbidden(text="The sandbox is moved by no page of another site.\n")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="The sandbox is moved by no page of another site.\n")
    # What a form can send without asking first is anything but JSON.
    if request.body_exists and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="The sandbox takes JSON here: Content-Type: application/json.\n")
