"""Who may use the sandbox: whoever calls it by its own names, but no page of another site.

It listens on loopback only, yet a page open in a browser on the same machine can reach it: with a form, or under a name
of its own that suddenly resolves to 127.0.0.1 (DNS rebinding).
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
    """The middleware that turns away requests under other names and from other sites.

    :param port: gives the port that the sandbox listens on.
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = {f"{name}:{port()}" for name in NAMES} | ({*NAMES} if port() == 80 else set())
        if request.headers.get("Host", "").lower() not in hosts:
            raise web.HTTPMisdirectedRequest(text=f"The sandbox is at http://{NAMES[0]}:{port()}.\n")
        if request.path.startswith(CONTROL) and request.method not in ("GET", "HEAD"):
            _refuse_other_sites(request, hosts)
        return await handler(request)

    return guarded


def _refuse_other_sites(request: web.Request, hosts: set[str]) -> None:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
    is_foreign = origin is not None and origin.lower().removeprefix("http://") not in hosts
    if is_foreign or site not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="Pages of other sites may not control the sandbox.\n")
    # A form can send anything but JSON without asking first (CORS preflight).
    if request.body_exists and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send JSON, as Content-Type: application/json.\n")
