"""How a list is walked, page by page. Pure: it says what to ask for and is handed the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.api.endpoints import Effect, Endpoint
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError

USUAL_LIMIT = 1000
"""Items of a page, where the request does not say (CONTRACT 1.6)."""


class Paginator:
    """A walk over the pages of a list: ``pointer`` leads to the page to ask for next, until it is ``over``.

    ``next_from_id`` leads to the next page; answers without it are followed from the last id seen, but for lists whose
    pointer is opaque (CONTRACT 1.6, 8.8). An empty page, a pointer that does not move, or a page that is the one
    before again is the end. What has no pages is one page.

    :param endpoint: the list.
    :param params: of the first page.
    :raises AltcraftConfigurationError: for an endpoint that is not a read.
    """

    def __init__(self, endpoint: Endpoint, params: Mapping[str, Any]) -> None:
        if endpoint.effect is not Effect.READ:
            raise AltcraftConfigurationError(f"{endpoint.name} is not a list: walking it would repeat what it does.")
        self.pointer: int | str | None = None
        self.over = False
        self._endpoint = endpoint
        self._limit = _limit(params)
        self._been_at = {str(params.get("from_id"))}
        self._page: list[Any] = []
        self._taken = 0

    def take(self, reply: Reply) -> list[Any]:
        """The items of the page that was asked for. Moves on to the next.

        :raises AltcraftError: if there are more items, and the answer does not lead to them.
        """
        items = items_of(reply)
        if not items or items == self._page:
            # The same page again comes from a method that does not page.
            self.over = True
            return []
        self._page = items
        self._taken += len(items)
        found = self._next(reply, items)
        # All pointers so far, not only the last: one from some pages ago would lead round in a circle.
        self.over = found is None or str(found) in self._been_at
        self._been_at.add(str(found))
        self.pointer = found
        return items

    def _next(self, reply: Reply, items: list[Any]) -> int | str | None:
        paging, pointer = self._endpoint.paging, reply.next_from_id
        if paging is None:
            return None
        if pointer and isinstance(pointer, int | str) and not isinstance(pointer, bool):
            return pointer
        if paging == "id":
            return _after(items)
        if self._is_cut(reply, len(items)):
            raise AltcraftError(
                f"{self._endpoint.name}: a full page came without next_from_id, so there may be more items that cannot"
                " be asked for. Ask for fewer at a time, by a query or a larger limit."
            )
        return None

    def _is_cut(self, reply: Reply, count: int) -> bool:
        """Whether the list goes on after a page that names no next one."""
        if self.pointer is not None:
            # Earlier pages named theirs, so this is the last.
            return False
        if reply.total_count is not None:
            return self._taken < reply.total_count
        return count >= self._limit


def _limit(params: Mapping[str, Any]) -> int:
    try:
        return int(params.get("limit") or USUAL_LIMIT)
    except (TypeError, ValueError, OverflowError):
        # Not every list documents it, so it may have been sent unchecked.
        return USUAL_LIMIT


def items_of(reply: Reply) -> list[Any]:
    """The items of one page; a single object counts as a page of one (CONTRACT 4.4)."""
    if isinstance(reply.data, list):
        return reply.data
    return [reply.data] if reply.data else []


def _after(items: list[Any]) -> int | None:
    last = items[-1]
    identifier = last.get("id") if isinstance(last, dict) else None
    if isinstance(identifier, bool) or not isinstance(identifier, int | str):
        return None
    try:
        return int(identifier) + 1
    except ValueError:
        return None
