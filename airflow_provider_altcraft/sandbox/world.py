"""What there is at this Altcraft: databases, mailings, campaigns, orders and so on. Ages by a moment it is given."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from airflow_provider_altcraft.sandbox.contract import Refused

Thing = TypeVar("Thing")

MATCHING = {
    "email", "email_profile", "email_sub", "phone", "phone_sub", "profile_id", "push_sub", "custom", "custom_sub",
    "email_phone", "email_phone_sub",
}  # fmt: skip
"""Ways to find a profile (CONTRACT 1.9)."""

SYSTEM_FIELDS = {
    "_fname": "string", "_lname": "string", "_bdate": "date", "_sex": "int", "_status": "int", "_tz": "string",
    "_country": "string", "_region": "string", "_city": "string", "_postal_code": "string", "_ip": "string",
    "_browser": "string", "_vendor": "string", "_regdate": "datetime", "_regip": "string", "_regurl": "string",
    "_regcountry": "string", "_regcity": "string", "email": "string", "phones": "array", "subscriptions": "array",
}  # fmt: skip
"""Fields that every database has (CONTRACT 12.3). The names are documented, most of the types are not."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d\s()-]+")


@dataclass(slots=True)
class Database:
    """Profiles, found by what identifies them.

    :param db_id: its id.
    :param name: its name.
    :param fields: type by custom field. They are shown, not enforced: a profile may carry any field.
    """

    db_id: int
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    _index: dict[tuple[str, str], str] = field(default_factory=dict)

    def save(self, data: dict[str, Any], matching: str, field_name: str | None, *, known: bool | None) -> str:
        """Add or update a profile; its id.

        :param known: ``True`` updates only, ``False`` adds only, ``None`` does either.
        :raises Refused: for a profile that cannot be taken.
        """
        if matching not in MATCHING:
            raise Refused(400, text=f"Unknown matching: {matching}")
        _check_contacts(data)
        if known is False:
            key = ("email", str(data.get("email") or ""))
            if key in self._index and key[1]:
                raise Refused(400, text="Duplicate email")
            return self._store(None, data)
        name = _field(matching, field_name)
        value = _single(data.get(name) or (data.get("phone") if name == "phones" else None))
        if not value:
            raise Refused(400, text=f"No value to match by: {name}")
        found = self.find(matching, field_name, value)
        if found is None and (known or name == "profile_id"):
            raise Refused(404, text="Profile not found")
        return self._store(found, data)

    def find(self, matching: str, field_name: str | None, value: Any) -> str | None:
        """The id of the profile with this value, if there is one."""
        name = _field(matching, field_name)
        return str(value) if name == "profile_id" and value in self.profiles else self._index.get((name, str(value)))

    def _store(self, profile_id: str | None, data: dict[str, Any]) -> str:
        if profile_id is None:
            seed = f"{self.db_id}/{len(self.profiles)}"
            profile_id = hashlib.sha256(seed.encode()).hexdigest()[:24]
            self.profiles[profile_id] = {}
        profile = self.profiles[profile_id]
        for name in data:
            # What a profile was found by before does not find it any more.
            self._index.pop((name, _single(profile.get(name))), None)
        profile.update(data)
        for name, value in data.items():
            if isinstance(value, str | int):
                self._index[name, str(value)] = profile_id
        phone = _single(data.get("phones"))
        if phone:
            self._index["phones", phone] = profile_id
        return profile_id


def _field(matching: str, field_name: str | None) -> str:
    """The field of a profile that a matching looks in."""
    names = {"phone": "phones", "phone_sub": "phones", "profile_id": "profile_id"}
    return field_name or names.get(matching, "email")


def is_email(value: Any) -> bool:
    """Whether it can be an e-mail address."""
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def _check_contacts(data: dict[str, Any]) -> None:
    email = data.get("email")
    if email is not None and not is_email(email):
        raise Refused(400, text="Invalid email")
    phones = data.get("phones", data.get("phone"))
    for phone in phones if isinstance(phones, list) else [phones] if phones is not None else []:
        if not _PHONE.fullmatch(str(phone)) or sum(letter.isdigit() for letter in str(phone)) < 7:
            raise Refused(400, text="Invalid phone")


def _single(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return "" if first in (None, []) else str(first)


@dataclass(slots=True)
class Run:
    """One time a mailing goes out."""

    start: datetime
    end: datetime


@dataclass(slots=True)
class Mailing:
    """A broadcast, a regular or a trigger mailing.

    :param duration: seconds a run takes.
    """

    mailing_id: int
    kind: str
    name: str
    is_active: bool
    data_type: str
    data_id: int
    duration: float
    stored: dict[str, Any] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def running(self, now: datetime) -> bool:
        """Whether a run is going on."""
        return any(run.start <= now < run.end for run in self.runs)

    def stop(self, now: datetime) -> None:
        """End what is going on."""
        for run in self.runs:
            run.end = min(run.end, max(now, run.start))

    def log(self, now: datetime) -> list[dict[str, Any]]:
        """The log of the mailing up to now (CONTRACT 5.2)."""
        entries: list[tuple[datetime, str, str]] = []
        for run in self.runs:
            entries += [(run.start, "start", "Sending started"), (run.start, "", "Audience selected")]
            if run.end <= now:
                entries.append((run.end, "end", "Sending finished"))
        return [
            {"level": "INFO", "message": message, "state": state, "time": moment.isoformat(), "value": ""}
            for moment, state, message in sorted(entries, key=lambda entry: entry[0])
        ]


@dataclass(slots=True)
class Campaign:
    """A campaign, and the moves it has made or will make (CONTRACT 4.1)."""

    campaign_id: int
    name: str
    initial: str = "inactive"
    moves: list[tuple[datetime, str]] = field(default_factory=list)
    mailings: list[int] = field(default_factory=list)

    def state(self, now: datetime) -> str:
        """The state it is in."""
        state = self.initial
        for moment, to in self.moves:
            if moment <= now and state not in {"completed", "deleted"}:
                state = to
        awaited = any(moment > now and to == "active" for moment, to in self.moves)
        return "waiting" if state == "inactive" and awaited else state

    def move(self, moment: datetime, to: str) -> None:
        """Be in another state from a moment on."""
        self.moves.append((moment, to))
        self.moves.sort(key=lambda move: move[0])


@dataclass(slots=True)
class Scenario:
    """A scenario."""

    workflow_id: int
    name: str
    db_id: int
    is_active: bool


@dataclass(slots=True)
class Task:
    """Work in the background (CONTRACT 2.1)."""

    task_id: str
    made: datetime
    seconds: float
    result: Any
    fails: bool = False

    def progress(self, now: datetime) -> int:
        """Per cent."""
        passed = (now - self.made) / timedelta(seconds=1)
        return 100 if passed >= self.seconds else int(100 * passed / self.seconds)


@dataclass(slots=True)
class SuppressionList:
    """E-mail addresses that get no mail."""

    list_id: int
    name: str
    emails: set[str] = field(default_factory=set)

    def add(self, email: str) -> bool:
        """Put an address on the list; whether it is new there.

        :raises Refused: for what is no address.
        """
        if not is_email(email):
            raise Refused(400, text="Invalid email")
        new = email not in self.emails
        self.emails.add(email)
        return new


@dataclass(slots=True)
class Programme:
    """A loyalty programme and its promo codes.

    :param limit: how many codes it holds at most.
    """

    loyalty_id: int
    name: str
    limit: int | None = None
    codes: set[str] = field(default_factory=set)

    def add(self, code: str) -> Literal["inserted", "duplicated", "discarded_by_limit"]:
        """Put a code into the programme; what became of it.

        :raises Refused: for an empty code.
        """
        if not code:
            raise Refused(400, text="Empty code")
        if code in self.codes:
            return "duplicated"
        if self.limit is not None and len(self.codes) >= self.limit:
            return "discarded_by_limit"
        self.codes.add(code)
        return "inserted"


@dataclass(slots=True)
class Order:
    """An order of the market."""

    order_id: int
    data: dict[str, Any] = field(default_factory=dict)


class World:
    """All of it."""

    def __init__(self) -> None:
        self.databases: dict[int, Database] = {}
        self.segments: dict[int, dict[str, Any]] = {}
        self.mailings: dict[int, Mailing] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.scenarios: dict[int, Scenario] = {}
        self.tasks: dict[str, Task] = {}
        self.suppression_lists: dict[int, SuppressionList] = {}
        self.programmes: dict[int, Programme] = {}
        self.orders: dict[str, Order] = {}

    def database(self, db_id: int) -> Database:
        """A database."""
        return _found(self.databases, db_id, "database")

    def mailing(self, mailing_id: int, *kinds: str) -> Mailing:
        """A mailing, of these kinds if any are named."""
        mailing = _found(self.mailings, mailing_id, "mailing")
        if kinds and mailing.kind not in kinds:
            raise Refused(404, f"mailing {mailing_id} is a {mailing.kind}", "Not found")
        return mailing

    def campaign(self, campaign_id: int) -> Campaign:
        """A campaign."""
        return _found(self.campaigns, campaign_id, "campaign")

    def scenario(self, workflow_id: int) -> Scenario:
        """A scenario."""
        return _found(self.scenarios, workflow_id, "scenario")

    def suppression_list(self, list_id: int) -> SuppressionList:
        """A suppression list."""
        return _found(self.suppression_lists, list_id, "suppression list")

    def programme(self, loyalty_id: int) -> Programme:
        """A loyalty programme."""
        return _found(self.programmes, loyalty_id, "loyalty programme")

    def save_order(self, external_id: str, data: dict[str, Any]) -> int:
        """Add or update an order; its id."""
        order = self.orders.setdefault(external_id, Order(len(self.orders) + 1))
        order.data.update(data)
        return order.order_id

    def audience(self, data_type: str, data_id: int) -> list[str]:
        """The profiles that a mailing goes to; a segment holds all of its database."""
        if data_type == "segment":
            segment = _found(self.segments, data_id, "segment")
            data_id = segment["list_id"]
        return list(self.database(data_id).profiles)


def _found(things: dict[Any, Thing], key: Any, what: str) -> Thing:
    if key not in things:
        raise Refused(404, f"{what} {key} not found", "Not found")
    return things[key]
