"""The page on what is emulated, made from the sandbox's own tables."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from airflow_provider_altcraft.sandbox.behaviour import Behaviour
from airflow_provider_altcraft.sandbox.contract import METHODS, NOT_EMULATED, Documented
from airflow_provider_altcraft.sandbox.contract.not_emulated import CUT
from airflow_provider_altcraft.sandbox.methods import METHODS as WORK

COMMAND = "python -m airflow_provider_altcraft.sandbox --coverage"

HEAD = f"""# What the sandbox emulates

Made by `{COMMAND} > docs/sandbox.md` from the sandbox's own tables.

The sandbox is a loopback Altcraft. It emulates a method if the documents say enough about it: parameters are checked
as documented, and what is written can be read back. Where the documents are cut or leave something open, it does the
least that they promise, or a setting of `Behaviour` decides. Of the methods that are known by their paths alone, it
emulates those that can be inferred. All others answer with the error 404 and say that they are not emulated; none
pretends to succeed. `CONTRACT` and a number refer to the section of [what is known of the API](contract.md) that a
method was written from.
"""

NUMBER = re.compile(r"\d+(?:\.\d+)?")
CITATION = re.compile(rf"(?<=CONTRACT ){NUMBER.pattern}(?:(?:, and |, | and | to |-){NUMBER.pattern})*")
"""How docstrings cite sections of the page on the API: ``CONTRACT 8.2 to 8.4``."""


def page() -> str:
    """The page, in Markdown."""
    return "\n".join([HEAD, *_numbers(), *_emulated(), *_not_emulated(), *_settings()]) + "\n"


def _numbers() -> Iterator[str]:
    emulated = Counter(method.documented for method in METHODS.values())
    others: Counter[Documented] = Counter("partial" if name in CUT else "path-only" for name in NOT_EMULATED)
    yield "| documented | emulated | not emulated |"
    yield "| --- | ---: | ---: |"
    levels: dict[Documented, str] = {
        "full": "in full: parameters and answer",
        "partial": "in part: one of them is cut",
        "path-only": "by the path alone",
    }
    for level, words in levels.items():
        yield f"| {words} | {emulated[level]} | {others[level]} |"
    yield f"| all | {len(METHODS)} | {len(NOT_EMULATED)} |"


def _emulated() -> Iterator[str]:
    yield "\n## Emulated\n"
    yield "Paths are below `/api/v1.1/`; `integrations`, `v1.0` and `download` are below `/api/`.\n"
    yield "| method | documented | notes |"
    yield "| --- | --- | --- |"
    for name, method in METHODS.items():
        yield f"| `{name}` | {method.documented} | {_markdown(inspect.getdoc(WORK[name]) or '')} |"


def _not_emulated() -> Iterator[str]:
    yield "\n## Not emulated\n"
    yield "| method | why |"
    yield "| --- | --- |"
    for name in sorted(NOT_EMULATED):
        yield f"| `{name}` | {NOT_EMULATED[name]} |"


def _settings() -> Iterator[str]:
    yield "\n## Settings\n"
    yield "Fields of `Behaviour`, for what the documents leave open.\n"
    yield "| setting | default | meaning |"
    yield "| --- | --- | --- |"
    described = dict(re.findall(r":param (\w+): (.*?)(?=\n:param|\Z)", inspect.getdoc(Behaviour) or "", re.DOTALL))
    for field in dataclasses.fields(Behaviour):
        yield f"| `{field.name}` | {_default(getattr(Behaviour(), field.name))} | {_markdown(described[field.name])} |"


def _default(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return ", ".join(f"`{getattr(value, field.name)}`" for field in dataclasses.fields(value))
    return f"`{value!r}`" if not isinstance(value, str) else f"`{value}`" if value else ""


def _markdown(text: str) -> str:
    """A docstring as one cell of a table."""
    cell = " ".join(text.replace("``", "`").replace("|", "\\|").split())
    return CITATION.sub(lambda cited: NUMBER.sub(r"[\g<0>](contract.md#\g<0>)", cited[0]), cell)
