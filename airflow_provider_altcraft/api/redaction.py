"""What may be quoted of an answer, in an error or a log: no token, no address, no phone number, nothing of the rows."""

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
"""Characters. The searches for addresses and numbers take the square of the length."""

_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_LONG_NUMBER = re.compile(r"\+?\d[\d\s()-]{8,}\d")
_WORD = re.compile(r"\w{3,}")


def quotable(said: Any, settings: Settings, request: Request | None = None) -> str:
    """What the other side said, fit for a log: one short line, without the token, addresses or phone numbers.

    :param request: what it was said of; of a batch, the words of its rows are left out, too.
    """
    try:
        text = " ".join(str(said or "").split())
    except (RecursionError, ValueError):
        # Nested as deep as it could just be read, or a number of more digits than Python writes.
        return f"({type(said).__name__})"
    text = TOKEN_IN_URL.sub(HIDDEN, _forms_of(settings.token).sub(HIDDEN, text))
    if len(text) > LONGEST_SEARCHED:
        # A word that is cut is not shown: what was cut off may be what told that it is an address.
        text = text[:LONGEST_SEARCHED].rpartition(" ")[0] or text[:LONGEST_SEARCHED]
    text = _LONG_NUMBER.sub(HIDDEN, _EMAIL.sub(HIDDEN, text))
    if request is not None and request.endpoint.items:
        text = _without_rows(text, request.body, request.endpoint.items)
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"


@cache
def _forms_of(token: str) -> re.Pattern[str]:
    """The token as it is, and as a URL writes it."""
    signs = (
        sign
        if sign.isascii() and sign.isalnum()
        else f"(?:{re.escape(sign)}|{'[+]|' if sign == ' ' else ''}{quote(sign, safe='', errors='replace')})"
        for sign in token
    )
    return re.compile("".join(signs), re.IGNORECASE)


def _without_rows(text: str, body: bytes, items: str) -> str:
    """A text about a batch, without the words that stand in its rows. Names of fields are no such words.

    Words of one or two letters tell nobody apart, and are left.

    :param items: the field of the body that holds the rows.
    """
    words = {word.casefold() for word in _WORD.findall(text)}
    in_values: set[str] = set()
    in_names: set[str] = set()
    try:
        _find(words, msgspec.json.decode(body, type=dict[str, Any]).get(items), in_values, in_names)
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError):
        # Nested as deep as it could just be written. What cannot be searched may hold any word.
        in_values = words
    return _WORD.sub(lambda word: HIDDEN if word[0].casefold() in in_values - in_names else word[0], text)


def _find(words: set[str], value: Any, in_values: set[str], in_names: set[str]) -> None:
    """Find words in a value from JSON: in the names in it, and in what stands under them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            in_names |= words.intersection(_WORD.findall(name.casefold()))
            _find(words, inner, in_values, in_names)
    elif isinstance(value, list):
        for inner in value:
            _find(words, inner, in_values, in_names)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        in_values |= words.intersection(_WORD.findall(str(value).casefold()))
