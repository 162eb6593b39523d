"""The faults that happen before or after the work, as middlewares. Each passes on requests that do not meet it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from airflow_provider_altcraft.sandbox.exchange import EXCHANGE
from airflow_provider_altcraft.sandbox.faults import DROPS

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


@web.middleware
async def drop(request: web.Request, handler: Handler) -> web.StreamResponse:
    """End the connection, before or after the work."""
    kind = EXCHANGE.get().call.fault
    response = web.Response() if kind == "drop_before" else await handler(request)
    if kind in DROPS and request.transport is not None:
        request.transport.abort()
    return response


@web.middleware
async def cut_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send half of the answer, and end the connection."""
    whole = await handler(request)
    if EXCHANGE.get().call.fault != "cut_body":
        return whole
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


@web.middleware
async def delay_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep the answer back for a while."""
    response = await handler(request)
    fault = EXCHANGE.get().fault
    if fault is not None and fault.kind == "delay_after":
        await asyncio.sleep(fault.seconds)
    return response


@web.middleware
async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in place of the API: nothing is done."""
    fault = EXCHANGE.get().fault
    if fault is None:
        return await handler(request)
    match fault.kind:
        case "status":
            return web.Response(status=fault.code, text=fault.text or "Bad Gateway")
        case "html":
            title = fault.text or "Maintenance"
            page = f"<html><head><title>{title}</title></head>\n<body>Be right back.</body></html>"
            return web.Response(status=fault.code, text=page, content_type="text/html")
        case "rate_limited":
            return web.Response(status=429, text="Too many requests", headers={"Retry-After": f"{fault.seconds:g}"})
        case "api_error":
            EXCHANGE.get().error = fault.code
            return web.json_response({"error": fault.code, "error_text": fault.text or "Internal error"})
    return await handler(request)
