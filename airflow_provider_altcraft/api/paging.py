"""How a list is walked, page by page. Pure: a generator that asks for pages and is handed them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from airflow_provider_altcraft.api.protocol import Reply


def pages(params: Mapping[str, Any]) -> Generator[dict[str, Any], Reply, None]:
    """Yield the parameters of each page; send the reply in; ends after the last page.

    ``next_from_id`` leads to the next page; answers without it are followed from the last id seen. An empty
    page, or a pointer that does not move, is the end (CONTRACT 1.6).
    """
    asked = dict(params)
    seen: set[Any] = {asked.get("from_id")}
    while True:
        reply = yield asked
        items = items_of(reply)
        pointer = reply.next_from_id or _after(items)
        if not items or not pointer or pointer in seen:
            return
        seen.add(pointer)
        asked = {**asked, "from_id": pointer}


def items_of(reply: Reply) -> list[Any]:
    """The items of one page; a single object counts as a page of one (CONTRACT 4.4)."""
    if isinstance(reply.data, list):
        return reply.data
    return [reply.data] if reply.data else []


def _after(items: list[Any]) -> int | None:
    last = items[-1] if items else None
    identifier = last.get("id") if isinstance(last, dict) else None
    try:
        return int(identifier) + 1 if identifier is not None else None
    except (TypeError, ValueError):
        return None
