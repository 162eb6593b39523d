"""The package's docstrings as the reference shows them: arguments as a table, names as links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from griffe import (
    Attribute,
    Class,
    Docstring,
    DocstringParameter,
    DocstringRaise,
    DocstringReturn,
    DocstringSection,
    DocstringSectionParameters,
    DocstringSectionRaises,
    DocstringSectionReturns,
    DocstringSectionText,
    Extension,
    Function,
    Module,
    Object,
    Parameter,
)

REFERENCE = Path(__file__).parents[1] / "reference"
FIELD = re.compile(r":(param|returns?|raises) ?(\w*): ?")
SECTION_OF_THE_CONTRACT = re.compile(r"\s*\(CONTRACT [\d.,\s-]+\)|, CONTRACT [\d.,\s-]+(?=\))")
NAME = re.compile(r"``(\w+)``")


class Docstrings(Extension):
    """Reads what griffe's own parser does not: prose after the fields, and arguments that a base class takes.

    ``(CONTRACT 6.5)`` says to those who read the code which section of ``docs/contract.md`` a fact is from. It is left
    out.
    """

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """Read all docstrings of the package anew."""
        shown = {path.rpartition(".")[2]: path for path in shown_paths()}
        objects = list(walk(pkg))
        classes = {one.name: one for one in objects if isinstance(one, Class)}
        for one in objects:
            if one.docstring is not None:
                one.docstring.parsed = [*sections(one, one.docstring, classes, shown)]


def shown_paths() -> list[str]:
    """What the pages of the reference show."""
    pages = (path.read_text(encoding="utf-8") for path in sorted(REFERENCE.glob("*.md")))
    return [path for page in pages for path in re.findall(r"^::: (\S+)", page, re.MULTILINE)]


def walk(parent: Object) -> Iterator[Object]:
    """An object and all in it."""
    yield parent
    for member in parent.members.values():
        if isinstance(member, Object):
            yield from walk(member)


def sections(
    one: Object, docstring: Docstring, classes: dict[str, Class], shown: dict[str, str]
) -> Iterator[DocstringSection]:
    """A docstring's parts, in the order of the reader's questions: what, with which arguments, and what then."""

    def linked(text: str) -> str:
        def link(name: re.Match[str]) -> str:
            known = name[1] in shown and name[1] != one.name
            return f"[`{name[1]}`][{shown[name[1]]}]" if known else f"`{name[1]}`"

        return NAME.sub(link, SECTION_OF_THE_CONTRACT.sub("", text))

    before, fields, after = split(docstring.value)
    if isinstance(one, Class):
        for base in lineage(one, classes)[1:]:
            # What a private base says of its arguments is said nowhere else.
            if base.name.startswith("_") and base.docstring is not None:
                known = {(kind, name) for kind, name, _ in fields}
                fields += [field for field in split(base.docstring.value)[1] if field[:2] not in known]
    parameters = accepted(one, classes)
    yield DocstringSectionText(linked(before))
    described = [
        DocstringParameter(
            name,
            description=linked(text),
            annotation=getattr(parameters.get(name), "annotation", None),
            value=default(parameters.get(name), one.package),
        )
        for kind, name, text in fields
        if kind == "param"
    ]
    if described:
        yield DocstringSectionParameters(described)
    returned = [DocstringReturn("", description=linked(text)) for kind, _, text in fields if kind.startswith("return")]
    if returned:
        yield DocstringSectionReturns(returned)
    if after:
        yield DocstringSectionText(linked(after))
    raised = [
        DocstringRaise(annotation=name, description=linked(text)) for kind, name, text in fields if kind == "raises"
    ]
    if raised:
        yield DocstringSectionRaises(raised)


def split(text: str) -> tuple[str, list[tuple[str, str, str]], str]:
    """The prose before the fields, the fields as kind, name and text, and the prose after them."""
    before, after, fields = [], [], []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if not FIELD.match(paragraph):
            (after if fields else before).append(paragraph)
            continue
        parts = FIELD.split(paragraph)[1:]
        fields += [
            (kind, name, " ".join(said.split()))
            for kind, name, said in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        ]
    return "\n\n".join(before), fields, "\n\n".join(after)


def lineage(one: Class, classes: dict[str, Class]) -> list[Class]:
    """A class and those of the package that it is made of, nearest first."""
    bases = (classes[str(base)] for base in one.bases if str(base) in classes)
    return [one, *(each for base in bases for each in lineage(base, classes))]


def default(parameter: Parameter | None, package: Module) -> Any:
    """The default of a parameter; the value itself, where the code has a name for it."""
    value = getattr(parameter, "default", None)
    for each in walk(package):
        if isinstance(each, Attribute) and str(value) in (each.name, f"{each.parent.name}.{each.name}") and each.value:
            return each.value
    return value


def accepted(one: Object, classes: dict[str, Class]) -> dict[str, Parameter]:
    """The parameters that an object takes, its own before those of its bases."""
    if isinstance(one, Function):
        return {parameter.name: parameter for parameter in one.parameters}
    if not isinstance(one, Class):
        return {}
    every = [parameter for each in reversed(lineage(one, classes)) for parameter in each.parameters]
    return {parameter.name: parameter for parameter in every}
