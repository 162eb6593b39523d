"""The package's docstrings as the reference shows them: names of other entries become links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from griffe import Extension, Object

REFERENCE = Path(__file__).parents[1] / "reference"
# It says to those who read the code which section of ``docs/contract.md`` a fact is from.
CITATION = re.compile(r"\s*\(CONTRACT [\d.,\s-]+\)|, CONTRACT [\d.,\s-]+(?=\))")
NAME = re.compile(r"``(\w+)``")


class Docstrings(Extension):
    """Links each name that has an entry to it, and leaves out the citations."""

    def __init__(self) -> None:
        pages = (path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md"))
        paths = (path for page in pages for path in re.findall(r"^::: (\S+)", page, re.MULTILINE))
        self.paths = {path.rpartition(".")[2]: path for path in paths}

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite the docstring before it is parsed."""

        def linked(name: re.Match[str]) -> str:
            path = self.paths.get(name[1])
            return name[0] if path is None or name[1] == obj.name else f"[`{name[1]}`][{path}]"

        if obj.docstring is not None:
            obj.docstring.value = NAME.sub(linked, CITATION.sub("", obj.docstring.value))
