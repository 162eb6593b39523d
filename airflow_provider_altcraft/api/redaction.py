"""Redact answers before quoting them in errors and logs: no token, address, phone number, or content of rows."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec

from airflow_provider_altcraft.api.request import Request
from airflow_provider_altcraft.api.settings import Settings

TOKEN_IN_URL = re.compile(r"(?<=[?&]token=)[^&\s\"'<>]+")
HIDDEN = "***"
LONGEST_QUOTED = 200
LONGEST_SEARCHED = 2_000
"""In characters. The searches for addresses and numbers take quadratic time."""

_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_LONG_NUMBER = re.compile(r"\+?\d[\d\s()-]{8,}\d")
_WORD = re.compile(r"\w{3,}")


def quotable(said: Any, settings: Settings, request: Request | None = None) -> str:
    """An answer's text fit for a log: one short line, without the token, addresses or phone numbers.

    :param request: the request that was answered; for a batch, words from its rows are masked too.
    """
    try:
        text = " ".join(str(said or "").split())
    except (RecursionError, ValueError):
        # Nested too deeply, or a number with more digits than Python converts.
        return f"({type(said).__name__})"
    text = TOKEN_IN_URL.sub(HIDDEN, _forms_of(settings.token).sub(HIDDEN, text))
    if len(text) > LONGEST_SEARCHED:
        # Drop a truncated last word: without its end, an address might not be recognised.
        text = text[:LONGEST_SEARCHED].rpartition(" ")[0] or text[:LONGEST_SEARCHED]
    text = _LONG_NUMBER.sub(HIDDEN, _EMAIL.sub(HIDDEN, text))
    if request is not None and request.endpoint.items:
        text = _without_rows(text, request.body, request.endpoint.items)
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"


@cache
def _forms_of(token: str) -> re.Pattern[str]:
    """Matches the token as it is and as encoded in a URL."""
    chars = (
        char
        if char.isascii() and char.isalnum()
        else f"(?:{re.escape(char)}|{'[+]|' if char == ' ' else ''}{quote(char, safe='', errors='replace')})"
        for char in token
    )
    return re.compile("".join(chars), re.IGNORECASE)


def _without_rows(text: str, body: bytes, items: str) -> str:
    """A text about a batch, with words from its rows masked, except names of fields.

    Words of one or two letters identify nobody and are left.

    :param items: the field of the body that holds the rows.
    """
    words = {word.casefold() for word in _WORD.findall(text)}
    in_values: set[str] = set()
    in_names: set[str] = set()
    try:
        _find(words, msgspec.json.decode(body, type=dict[str, Any]).get(items), in_values, in_names)
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError):
        # Nested too deeply. A body that cannot be searched may contain any word, so mask all.
        in_values = words
    return _WORD.sub(lambda word: HIDDEN if word[0].casefold() in in_values - in_names else word[0], text)


def _find(words: set[str], value: Any, in_values: set[str], in_names: set[str]) -> None:
    """Find words in a JSON value: in its field names, and in their values."""
    if isinstance(value, dict):
        for name, inner in value.items():
            in_names |= words.intersection(_WORD.findall(name.casefold()))
            _find(words, inner, in_values, in_names)
    elif isinstance(value, list):
        for inner in value:
            _find(words, inner, in_values, in_names)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        in_values |= words.intersection(_WORD.findall(str(value).casefold()))
