"""The part of MongoDB's query language that is emulated: comparisons, ``$in``, ``$exists``, ``$and`` and ``$or``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_altcraft.sandbox.contract import Refused

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$in": lambda value, words: value in words,
    "$nin": lambda value, words: value not in words,
}

JOINED: dict[str, Callable[[list[bool]], bool]] = {"$and": all, "$or": any}


def matches(profile: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Whether a profile is found by a query.

    :raises Refused: for an operator that is not emulated, or an invalid query.
    """
    return all(_holds(profile, name, condition) for name, condition in query.items())


def _holds(profile: Mapping[str, Any], name: str, condition: Any) -> bool:
    if name in JOINED:
        return JOINED[name]([matches(profile, one) for one in _queries(name, condition)])
    if name.startswith("$"):
        raise Refused(400, f"{name} is not emulated")
    if isinstance(condition, dict) and any(word.startswith("$") for word in condition):
        return all(_compares(profile, name, word, value) for word, value in condition.items())
    return bool(profile.get(name) == condition)


def _queries(name: str, condition: Any) -> list[dict[str, Any]]:
    if not isinstance(condition, list) or not all(isinstance(one, dict) for one in condition):
        raise Refused(400, f"{name} takes an array of queries")
    return condition


def _compares(profile: Mapping[str, Any], name: str, word: str, value: Any) -> bool:
    if word == "$exists":
        return (name in profile) is bool(value)
    if word not in COMPARISONS:
        raise Refused(400, f"{word} is not emulated")
    try:
        return COMPARISONS[word](profile.get(name), value)
    except TypeError:
        return False
