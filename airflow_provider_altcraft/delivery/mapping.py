"""Map the columns of a query to the fields of a profile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from airflow_provider_altcraft.delivery.encoding import is_null
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

Step = str | int
_STEP = re.compile(r"([^.\[\]]+)((?:\[\d+\])*)")


class FieldMapping:
    """Which column of a query becomes which field of a profile. Built once, before the first row.

    A nested target is written as a path: ``subscriptions[0].phone``. A nested object for which a row has no value in
    any column is left out, even if it has constants: a row without a phone gets no SMS subscription.

    :param columns: names of the query's columns, in order.
    :param field_mapping: column -> Altcraft field, or a list of them; ``None`` takes every column under its own name.
    :param constants: target -> value, the same in every profile.
    :raises AltcraftConfigurationError: for a duplicate or missing column, or a field that is filled twice.
    """

    def __init__(
        self,
        columns: Sequence[str],
        field_mapping: Mapping[str, str | Sequence[str]] | None = None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        pairs = _every_column(columns) if field_mapping is None else _mapped_columns(columns, field_mapping)
        fixed = [(path_of(target), value) for target, value in (constants or {}).items()]
        paths = [path for _, path in pairs] + [path for path, _ in fixed]
        _check_overlaps(paths)
        self._columns = [(columns.index(column), path) for column, path in pairs]
        self._constants = fixed
        self._enclosing = {path: self._innermost(path) for path, _ in fixed}
        self._is_flat = all(len(path) == 1 for path in paths)
        self.fields: tuple[str, ...] = tuple(dict.fromkeys(str(path[0]) for path in paths))

    @property
    def flat(self) -> tuple[list[int], list[Any]] | None:
        """The column indexes and the constants in the order of ``fields``; ``None`` if a target is nested."""
        if not self._is_flat:
            return None
        return [index for index, _ in self._columns], [value for _, value in self._constants]

    def profile(self, row: Sequence[Any]) -> dict[str, Any]:
        """The profile of a row, with its values unchanged."""
        profile: dict[str, Any] = {}
        filled: set[tuple[Step, ...]] = set()
        for index, path in self._columns:
            value = row[index]
            if len(path) == 1:
                profile[str(path[0])] = value
            elif not is_null(value):
                filled.update(path[:depth] for depth in range(1, len(path)))
                _put(profile, path, value)
        for path, value in self._constants:
            enclosing = self._enclosing[path]
            # An object made of constants alone goes into every profile.
            if enclosing is None or enclosing in filled:
                _put(profile, path, value)
        return profile if self._is_flat else {name: _without_gaps(value) for name, value in profile.items()}

    def _innermost(self, path: tuple[Step, ...]) -> tuple[Step, ...] | None:
        """The innermost object around a target that columns fill as well."""
        objects = (path[:depth] for depth in range(len(path) - 1, 0, -1))
        columns = [column for _, column in self._columns]
        return next((prefix for prefix in objects if any(column[: len(prefix)] == prefix for column in columns)), None)


def _every_column(columns: Sequence[str]) -> list[tuple[str, tuple[Step, ...]]]:
    """Each column, and the path of the field of its name."""
    _check_unique("The query returns the column", columns)
    return [(column, (column,)) for column in columns]


def _mapped_columns(
    columns: Sequence[str], field_mapping: Mapping[str, str | Sequence[str]]
) -> list[tuple[str, tuple[Step, ...]]]:
    """Each mapped column, once for each of its targets, and their paths.

    :raises AltcraftConfigurationError: if the query does not return one of them.
    """
    _check_unique("The query returns the column", (name for name in columns if name in field_mapping))
    missing = sorted(set(field_mapping) - set(columns))
    if missing:
        raise AltcraftConfigurationError(
            f"field_mapping names columns that the query does not return: {', '.join(missing)}."
            f" It returns {', '.join(columns)}."
        )
    return [(column, path_of(target)) for column, targets in field_mapping.items() for target in _all(targets)]


class _Gap:
    """An element of a list that nothing has filled."""


_GAP = _Gap()


def path_of(target: str) -> tuple[Step, ...]:
    """A target as the steps to it: ``subscriptions[0].phone`` is ``("subscriptions", 0, "phone")``.

    :raises AltcraftConfigurationError: for anything that is not a path.
    """
    steps: list[Step] = []
    for part in target.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise AltcraftConfigurationError(
                f"{target!r} is not a field: write a name, or a path such as 'subscriptions[0].phone'."
            )
        steps.append(match[1])
        steps += [int(index) for index in re.findall(r"\d+", match[2])]
    return tuple(steps)


def _all(targets: str | Sequence[str]) -> Sequence[str]:
    return [targets] if isinstance(targets, str) else targets


def _put(profile: dict[str, Any], path: tuple[Step, ...], value: Any) -> None:
    container: Any = profile
    for step, following in pairwise(path):
        inner = container[step] if isinstance(step, int) else container.get(step)
        if inner is None or inner is _GAP:
            inner = container[step] = [] if isinstance(following, int) else {}
        if isinstance(following, int):
            inner.extend([_GAP] * (following + 1 - len(inner)))
        container = inner
    container[path[-1]] = value


def _without_gaps(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_gaps(inner) for inner in value if inner is not _GAP]
    if isinstance(value, dict):
        return {name: _without_gaps(inner) for name, inner in value.items()}
    return value


def _check_unique(what: str, names: Iterable[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise AltcraftConfigurationError(f"{what} {', '.join(twice)} more than once.")


def _check_overlaps(paths: Sequence[tuple[Step, ...]]) -> None:
    """Check that no two targets are the same, and that none is inside another."""
    taken = Counter(paths)
    inside = [path for path in paths if any(path[:depth] in taken for depth in range(1, len(path)))]
    twice = [path for path, times in taken.items() if times > 1] + inside
    if twice:
        names = ", ".join(sorted({".".join(map(str, path)) for path in twice}))
        raise AltcraftConfigurationError(f"field_mapping and constants fill the field {names} more than once.")
    kinds: dict[tuple[Step, ...], type] = {}
    for path in paths:
        for depth in range(1, len(path)):
            if kinds.setdefault(path[:depth], type(path[depth])) is not type(path[depth]):
                name = ".".join(map(str, path[:depth]))
                raise AltcraftConfigurationError(f"field_mapping and constants make {name} both a list and an object.")
