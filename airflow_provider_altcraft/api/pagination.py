"""Read a list page by page. Pure: it says what to request and is handed the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_altcraft.api.endpoints import Effect, Endpoint
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError

USUAL_LIMIT = 1000
"""Items per page by default (CONTRACT 1.6)."""


class Paginator:
    """Iterates over the pages of a list: ``pointer`` is that of the next page to request, until it is ``over``.

    ``next_from_id`` points to the next page; without it, the next page starts after the last id, except for lists with
    opaque pointers (CONTRACT 1.6, 8.8). The list ends with an empty page, a pointer seen before, or a repeated page. An
    endpoint without pages counts as one page.

    :param endpoint: the list.
    :param params: of the first page.
    :raises AltcraftConfigurationError: for an endpoint that is not a read.
    """

    def __init__(self, endpoint: Endpoint, params: Mapping[str, Any]) -> None:
        if endpoint.effect is not Effect.READ:
            raise AltcraftConfigurationError(f"{endpoint.name} is not a list: paging would repeat the call.")
        self.pointer: int | str | None = None
        self.over = False
        self._endpoint = endpoint
        self._limit = _limit(params)
        self._seen_pointers = {str(params.get("from_id"))}
        self._page: list[Any] = []
        self._taken = 0

    def take(self, reply: Reply) -> list[Any]:
        """Take an answer and move on to the next page. Returns its items.

        :raises AltcraftError: if there are more items but the answer does not lead to them.
        """
        items = items_of(reply)
        if not items or items == self._page:
            # A repeated page means that the method ignores paging.
            self.over = True
            return []
        self._page = items
        self._taken += len(items)
        found = self._next(reply, items)
        # Compared with all pointers so far, not only the last: one from an earlier page would lead in a circle.
        self.over = found is None or str(found) in self._seen_pointers
        self._seen_pointers.add(str(found))
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
                " be requested. Narrow the query, or use a larger limit."
            )
        return None

    def _is_cut(self, reply: Reply, count: int) -> bool:
        """Whether the list is cut off after a page without a pointer to the next."""
        if self.pointer is not None:
            # Earlier pages had one, so this is the last.
            return False
        if reply.total_count is not None:
            return self._taken < reply.total_count
        return count >= self._limit


def _limit(params: Mapping[str, Any]) -> int:
    try:
        return int(params.get("limit") or USUAL_LIMIT)
    except (TypeError, ValueError, OverflowError):
        # Not every list documents the parameter, so it may have been sent unchecked.
        return USUAL_LIMIT


def items_of(reply: Reply) -> list[Any]:
    """The items of a page; a single object counts as a page of one (CONTRACT 4.4)."""
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
