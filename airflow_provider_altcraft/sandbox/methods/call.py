"""A call of a method, and the registry of methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.deliveries import Deliveries
from airflow_provider_altcraft.sandbox.world import File, World

Body = dict[str, Any]

MAIN = {"id": 0, "name": "main"}
"""The only group."""


@dataclass(slots=True)
class ApiCall:
    """A call of a method."""

    name: str
    world: World
    deliveries: Deliveries
    behaviour: Behaviour
    now: datetime
    request_id: str | None
    body: Body

    def __getitem__(self, name: str) -> Any:
        return self.body.get(name)


Work = Callable[[ApiCall], Body | File]
METHODS: dict[str, Work] = {}


def method(*names: str) -> Callable[[Callable[[ApiCall], Body]], Callable[[ApiCall], Body]]:
    """Register a function as what these methods do."""

    def register(function: Callable[[ApiCall], Body]) -> Callable[[ApiCall], Body]:
        METHODS.update(dict.fromkeys(names, function))
        return function

    return register


def page(call: ApiCall, items: Iterable[Body]) -> Body:
    """One page of a list (CONTRACT 1.6)."""
    everything = sorted((item for item in items if _chosen(call, item)), key=lambda item: int(item["id"]))
    start, limit = call["from_id"] or 1, call["limit"] or 1000
    page = [item for item in everything if int(item["id"]) >= start][:limit]
    answer: Body = {"data": page, "total_count": len(everything)}
    if call.behaviour.next_from_id and page:
        answer["next_from_id"] = int(page[-1]["id"]) + 1
    return answer


def _chosen(call: ApiCall, item: Body) -> bool:
    """Whether an item has one of the tags, one of the groups and the attributes that are asked for."""
    # The names of groups differ from list to list (CONTRACT 1.7).
    groups = [{name.lower(): value for name, value in group.items()} for group in _either(item, "groups", "Groups")]
    has = {
        "ui_tags": set(_either(item, "ui_tags", "tags")),
        "groups": {str(group.get("name", group.get("title"))) for group in groups},
        "groups_id": {group["id"] for group in groups},
    }
    if any(call[name] and values.isdisjoint(call[name]) for name, values in has.items()):
        return False
    return _has_attributes(item.get("attributes", {}), call["attributes"] or {})


def _has_attributes(has: Body, asked: Body) -> bool:
    """Attributes are asked for as ``{"season": ["spring"]}``, or with ``{"options": [...]}`` (CONTRACT 4.3, 5.5)."""
    for name, wanted in asked.items():
        options = wanted.get("options", []) if isinstance(wanted, dict) else wanted
        values = has[name] if isinstance(has.get(name), list) else [has.get(name)]
        if options and not any(value in options for value in values):
            return False
    return True


def _either(item: Body, *names: str) -> list[Any]:
    return next((item[name] for name in names if name in item), [])


def attempt(work: Callable[..., Body], *arguments: Any) -> Body:
    """The answer for one item of a batch: success, or its own error (CONTRACT 1.3)."""
    try:
        done = work(*arguments)
    except Refused as refused:
        # Items have no error_debug.
        return {"error": refused.code, "error_text": refused.debug or refused.text}
    return {"error": 0, "error_text": "Successful operation", **done}


def moment(value: str) -> datetime:
    """A date and time in a request.

    :raises Refused: if it is not RFC 3339.
    """
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(400, "dates must be RFC 3339") from None
    if parsed.tzinfo is None:
        raise Refused(400, "dates must be RFC 3339, with an offset")
    return parsed
