"""Resources, senders, scenarios, orders and bounces."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(slots=True)
class Resource:
    """What profiles subscribe to.

    :param token: the resource token of ``profiles/message_unsub`` (CONTRACT 8.7).
    """

    resource_id: int
    name: str
    token: str


@dataclass(slots=True)
class Sender:
    """What mailings are sent by (CONTRACT 12.5)."""

    sender_id: int
    name: str
    channel: str
    kind: str
    is_virtual: bool = False


@dataclass(slots=True)
class Scenario:
    """A scenario.

    :param inside: the profiles in it; they never leave, since its nodes do nothing here.
    """

    workflow_id: int
    name: str
    db_id: int
    is_active: bool
    inside: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Order:
    """An order of the market."""

    order_id: int
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Bounce:
    """A soft bounce."""

    mailing_id: int
    on: date
    text: str
    to_domain: str
    from_domain: str
    ip: str
