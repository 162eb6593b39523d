"""The catalogue as a page to read: ``python -m airflow_provider_altcraft.api.table docs/endpoints.md``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from airflow_provider_altcraft.api.endpoints import AREAS, ENDPOINTS, Endpoint, Parameter, ResponseKind

INTRODUCTION = """\
# Endpoints

All endpoints known to `AltcraftHook.call`. This page is generated from the catalogue by `make endpoints`.

```python
hook = AltcraftHook()
hook.call("scampaigns/completed", {"campaign_id": 18}, request_id="...")
for profile in hook.iterate("profiles/list", {"db_id": 1, "fields": ["email"]}):
    ...
```

**Effect** determines how carefully a call is repeated. A *read* is repeated freely. An *idempotent write* ends in the
same state when it is done twice. A *creation* creates another object, event or task each time, a *launch* sends
messages, and an *irreversible* call cannot be undone. For *unknown*, no source says what a repeat would do. Once its
bytes have been sent, only a read is repeated, unless a Request-ID protects the call.

**Known** says how well the endpoint is documented. *full*: unknown parameters are errors. *partial* (the documentation
is cut off) and *path only*: unknown parameters are sent as they are, with a warning.

**Parameters**: required ones are bold; the names in parentheses are accepted as aliases. Numbers and booleans may be
given as strings, as rendered by Airflow's templates. Never pass the token here: it belongs in the connection. `None` is
left out.
"""


def page() -> str:
    """The catalogue as Markdown."""
    lines = [INTRODUCTION, *_counts()]
    for area, rows in AREAS.items():
        lines += ["", f"## {area}", "", "| Endpoint | Effect | Known | Parameters | Notes |", "|---|---|---|---|---|"]
        lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _counts() -> Iterator[str]:
    known = Counter(row.documented.value for row in ENDPOINTS.values())
    effects = Counter(row.effect.value for row in ENDPOINTS.values())
    yield f"{len(ENDPOINTS)} endpoints: {_listed(known)}; {_listed(effects)}."


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())


def _line(row: Endpoint) -> str:
    cells = (
        f"`{row.name}`<br>{row.title}",
        row.effect.value,
        row.documented.value,
        "<br>".join(_parameter(parameter) for parameter in row.parameters),
        "<br>".join(_notes(row)),
    )
    return f"| {' | '.join(cells)} |"


def _parameter(parameter: Parameter) -> str:
    name = " and ".join(f"`{name}`" for name in parameter.wire) if parameter.name != "*" else "any other name"
    aliases = f" ({', '.join(f'`{alias}`' for alias in parameter.aliases)})" if parameter.aliases else ""
    others = ["another text" if kind == "str" and parameter.values else kind for kind in parameter.types]
    types = " or ".join([*filter(None, [", ".join(parameter.values)]), *others])
    default = f" = {parameter.default}" if parameter.default else ""
    condition = f", {parameter.condition}" if parameter.condition else ""
    return f"{f'**{name}**' if parameter.required else name}{aliases}: {types}{default}{condition}"


def _notes(row: Endpoint) -> Iterator[str]:
    if row.deprecated:
        yield "**Deprecated.**"
    if row.items:
        yield f"Batch in `{row.items}`" + (', each item as `{"data": {...}}`.' if row.wrapped else ".")
    if row.task:
        place = "the position of its id is unknown" if row.task == "not seen" else f"its id is in `{row.task}`"
        yield f"Creates a task; {place}."
    if row.paging:
        yield "Paginated." if row.paging == "id" else "Paginated by a pointer."
    yield from _answer(row)
    if row.note:
        yield row.note
    if row.page:
        yield f"`{row.page}`"


def _answer(row: Endpoint) -> Iterator[str]:
    if row.payload != "data":
        yield f"Result in `{row.payload}`."
    if row.answer is ResponseKind.STATUS:
        yield "Answers with HTTP statuses."
    if row.answer is ResponseKind.FILE:
        yield "GET; answers with the bytes of the file."
    if row.token_in_url:
        yield "Token in the URL."


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
