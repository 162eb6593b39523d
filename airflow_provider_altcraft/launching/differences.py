"""What differs between a launch as it was begun and as its arguments say it now, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_altcraft.launching.identity import Launch
from airflow_provider_altcraft.launching.record import LaunchRecord, hidden_print

LONGEST_VALUE = 80
MOST_SHOWN = 5
_ABSENT = object()


def difference(record: LaunchRecord, launch: Launch) -> str:
    """A sentence that names both, shortened. Whom a launch is for and what is in its files is never shown.

    Of a launch for somebody, what it says may be about him, too: then the names alone are shown.
    """
    shown = launch.shown if record.is_whole else record.params
    found = list(_differences(record.params, shown, "", values=launch.shows_values))
    if record.hidden != hidden_print(launch):
        found.append("whom it is for, or what is attached, which is not shown")
    if not record.is_whole:
        found.append("its parameters were too large to keep")
    more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return f"Different: {'; '.join(found[:MOST_SHOWN])}{more}."


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], above: str, *, values: bool) -> Iterator[str]:
    for name in sorted({*then, *now}):
        first, second = then.get(name, _ABSENT), now.get(name, _ABSENT)
        if first == second:
            continue
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            yield from _differences(first, second, f"{above}{name}.", values=values)
        else:
            yield f"{above}{name} was {_short(first)} and is {_short(second)}" if values else f"{above}{name}"


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "not given"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
