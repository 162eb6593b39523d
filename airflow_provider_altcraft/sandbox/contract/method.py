"""A method as documented: what it takes, whether it changes anything, and how much of it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Documented = Literal["full", "partial", "path-only"]


class Refused(Exception):
    """A request that is answered with an error.

    :param code: its ``error``.
    :param debug: its ``error_debug``.
    :param text: its ``error_text``.
    """

    def __init__(self, code: int, debug: str = "", text: str = "Invalid request") -> None:
        super().__init__(debug or text)
        self.code = code
        self.debug = debug
        self.text = text


@dataclass(frozen=True, slots=True)
class Method:
    """What a method takes.

    :param takes: parameter -> type: ``int``, ``float``, ``str``, ``bool``, ``list``, ``strings``, ``ints`` and
        ``dicts`` (lists of them), ``dict`` or ``any``.
    :param needs: required parameters.
    :param changes: whether it changes data or launches something, and so is deduplicated (CONTRACT 1.8).
    :param checksum: whether a repeat without a Request-ID is recognised by its checksum. A task that only reads is
        started again (CONTRACT 1.8, 13).
    :param documented: ``full``: parameters and answer; ``partial``: one of them is cut; ``path-only``: its page was not
        seen, and the contract infers it.
    :param choices: the words that a parameter accepts.
    :param open: whether it takes other parameters, too, as fields of a profile.
    :param http_status: whether it answers with HTTP statuses of its own (CONTRACT 1.4).
    """

    takes: Mapping[str, str]
    needs: tuple[str, ...] = ()
    changes: bool = False
    checksum: bool = True
    documented: Documented = "full"
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open: bool = False
    http_status: bool = False


def takes(**kinds: str) -> dict[str, str]:
    """Parameters by type: ``int="id limit"``."""
    return {name: kind for kind, names in kinds.items() for name in names.split()}


ID = takes(int="id")
PAGE = takes(int="from_id limit")
LIST = {**PAGE, **takes(strings="ui_tags groups", ints="groups_id", dict="attributes")}
MATCH = takes(str="matching email phone profile_id field_name", any="field_value")
IMPORT = {**MATCH, **takes(int="resource_id", bool="skip_triggers skip_invalid_subscriptions detect_geo")}
MESSAGE = takes(dict="content custom_data", dicts="attach")

MATCHING = (
    "email", "email_profile", "email_sub", "phone", "phone_sub", "profile_id", "push_sub", "custom", "custom_sub",
    "email_phone", "email_phone_sub",
)  # fmt: skip
"""Ways to find a profile (CONTRACT 1.9)."""

MATCHING_FOUR = ("email", "phone", "profile_id", "custom")
MATCHING_FIVE = ("email", "email_profile", "phone", "profile_id", "custom")
CHANNELS = ("email", "sms", "push")
"""Channels of a mailing (CONTRACT 6.1)."""
