"""The pages, and what stands on them."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = "airflow_provider_altcraft"
PAGES = sorted(DOCS.rglob("*.md"))
REFERENCE = {path.name: path.read_text(encoding="utf-8") for path in sorted((DOCS / "reference").glob("*.md"))}

ENTRY = re.compile(r"^::: (\S+)$", re.MULTILINE)
INCLUDED = re.compile(r"^--8<--\n(\S+?)(?::(\w+))?\n--8<--$", re.MULTILINE)
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def entries():
    """What the reference shows, and the text up to the next entry."""
    for page in REFERENCE.values():
        found = [*ENTRY.finditer(page)]
        for entry, after in zip(found, [*found[1:], None], strict=True):
            yield entry[1], page[entry.end() : after.start() if after else None]


def section(path, name):
    """A part of a file, between its marks; the whole file if no part is named."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if name is None:
        return text
    _, mark, after = text.partition(f"--8<-- [start:{name}]\n")
    part, end, _ = after.partition(f"--8<-- [end:{name}]")
    assert mark, f"{path} has no part {name}"
    assert end, f"the part {name} of {path} has no end"
    return part


def code(path):
    """The Python on a page that is written there, and not included."""
    found = CODE.findall(path.read_text(encoding="utf-8"))
    return [block for block in found if not INCLUDED.search(block)]


def modules(*rooms):
    """The modules of these packages, or the modules themselves."""
    for room in rooms:
        module = importlib.import_module(f"{PACKAGE}.{room}")
        yield module
        for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
            yield importlib.import_module(f"{module.__name__}.{found.name}")


def classes(*rooms):
    """The classes that these packages define and mean for others, by where they are."""
    return {
        f"{module.__name__}.{name}": found
        for module in modules(*rooms)
        for name, found in vars(module).items()
        if inspect.isclass(found)
        and found.__module__ == module.__name__
        and not name.startswith("_")
        and not inspect.isabstract(found)
    }


@cache
def texts():
    """The texts of the package with ``…`` for what is filled in; docstrings are none of them."""
    files = [path for path in (ROOT / PACKAGE).rglob("*.py") if "sandbox" not in path.relative_to(ROOT).parts]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(filter(None, map(shown, nodes)))


def shown(node):
    """A text as the pages quote it, or ``None``."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[sd]", "…", node.value)
    return None
