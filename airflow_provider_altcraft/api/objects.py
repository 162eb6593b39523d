"""Objects of the API as arguments: matching, content, start schedule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any, ClassVar

import pendulum

from airflow_provider_altcraft.api.arguments import rendered
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

MATCHING_FIELDS: dict[str, tuple[str, ...]] = {
    "email": ("email",),
    "email_profile": ("email",),
    "email_sub": ("email",),
    "phone": ("phone",),
    "phone_sub": ("phone",),
    "profile_id": ("profile_id",),
    "push_sub": ("provider", "subscription_id"),
    "custom": (),
    "custom_sub": (),
    "email_phone": ("email", "phone"),
    "email_phone_sub": ("email", "phone"),
}
"""Matching mode -> the search values it needs (CONTRACT 1.9); custom modes name theirs in ``field_name``."""


@dataclass(frozen=True, slots=True)
class Matching:
    """How Altcraft finds the profile for a row (CONTRACT 1.9).

    :param mode: one of the eleven modes; ``email`` by default.
    :param field_name: the profile field to look in, for ``custom`` and ``custom_sub``.
    :raises AltcraftConfigurationError: for an unknown mode, or a missing or superfluous field name.
    """

    mode: str = "email"
    field_name: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in MATCHING_FIELDS:
            raise AltcraftConfigurationError(
                f"matching must be one of {', '.join(MATCHING_FIELDS)}, not {self.mode!r}."
            )
        if self.mode.startswith("custom") != bool(self.field_name):
            raise AltcraftConfigurationError(
                "matching 'custom' and 'custom_sub' need field_name, the profile field to look in;"
                " other modes do not take it."
            )

    @property
    def params(self) -> dict[str, Any]:
        """The request parameters."""
        named = {"field_name": self.field_name} if self.field_name else {}
        return {"matching": self.mode, **named}

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields of a profile that hold the search value."""
        return (self.field_name,) if self.field_name else MATCHING_FIELDS[self.mode]


@dataclass(slots=True)
class Content:
    """The message of a mailing (CONTRACT 12.1): a template and overrides of its fields. Templated.

    :param message_id: id of the template.
    :param subject: empty or ``None`` keeps the template's.
    """

    template_fields: ClassVar[Sequence[str]] = (
        "message_id", "subject", "from_email", "from_name", "replyto_email", "replyto_name",
    )  # fmt: skip

    message_id: int | str
    subject: str | None = None
    from_email: str | None = None
    from_name: str | None = None
    replyto_email: str | None = None
    replyto_name: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The object in the API's format."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {**given, "message_id": int(self.message_id)}


@dataclass(frozen=True, slots=True)
class StartSchedule:
    """When a regular mailing starts (CONTRACT 12.2): lists of numbers, where an empty list means any.

    It has no time zone: Altcraft reads it in the mailing's. Build it from a cron expression with ``from_cron``, or from
    a single time with ``at``.

    :param start_mins: 0-59.
    :param start_hours: 0-23.
    :param start_mdays: 1-31.
    :param start_wdays: Sunday to Saturday, as numbered by your installation.
    :param start_months: 1-12.
    :param start_years: full years.
    :raises AltcraftConfigurationError: for a number out of its range.
    """

    start_mins: Sequence[int] = ()
    start_hours: Sequence[int] = ()
    start_mdays: Sequence[int] = ()
    start_wdays: Sequence[int] = ()
    start_months: Sequence[int] = ()
    start_years: Sequence[int] = ()

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _RANGES.items():
            for number in getattr(self, name):
                if isinstance(number, bool) or not isinstance(number, int) or not lowest <= number <= highest:
                    raise AltcraftConfigurationError(
                        f"{name} of a start schedule takes whole numbers from {lowest} to {highest}, not {number!r}."
                    )

    @property
    def params(self) -> dict[str, list[int]]:
        """The object in the API's format."""
        return {name: list(getattr(self, name)) for name in _RANGES}

    @classmethod
    def from_cron(cls, expression: str, *, sunday: int | None = None) -> StartSchedule:
        """Translate a cron expression of five fields, or a preset such as ``@daily``.

        :param expression: minute, hour, day of month, month, day of week.
        :param sunday: the number of Sunday in your installation, 0 or 1. It is not documented, so expressions with
            days of the week require it.
        :raises AltcraftConfigurationError: for what the object cannot express: seconds, the n-th or last (week)day of
            a month, days of the month *or* of the week, weekdays without ``sunday``.
        """
        minutes, hours, mdays, months, wdays = _cron_fields(expression)
        if mdays and wdays:
            # Cron means "or" here, which the object cannot express; "and" would send on other days.
            raise AltcraftConfigurationError(
                f"{expression!r}: a start schedule cannot combine days of the month and days of the week."
            )
        if wdays and sunday not in (0, 1):
            raise AltcraftConfigurationError(
                f"{expression!r} contains days of the week, and how Altcraft numbers them is not documented: pass"
                " sunday=0 or sunday=1, as in your installation."
            )
        return cls(
            start_mins=minutes,
            start_hours=hours,
            start_mdays=mdays,
            start_wdays=sorted(number % 7 + (sunday or 0) for number in wdays),
            start_months=months,
        )

    @classmethod
    def at(cls, moment: datetime, *, timezone: str | tzinfo) -> StartSchedule:
        """A single start, at this time.

        :param moment: a datetime with a time zone, to the minute.
        :param timezone: the mailing's time zone, in which Altcraft reads the numbers.
        :raises AltcraftConfigurationError: for a naive datetime, or one with seconds.
        """
        if moment.tzinfo is None:
            raise AltcraftConfigurationError(f"{moment.isoformat()} has no time zone: a start needs one.")
        local = moment.astimezone(pendulum.timezone(timezone) if isinstance(timezone, str) else timezone)
        if local.second or local.microsecond:
            raise AltcraftConfigurationError(f"{moment.isoformat()}: a start schedule has no seconds.")
        return cls(
            start_mins=[local.minute],
            start_hours=[local.hour],
            start_mdays=[local.day],
            start_months=[local.month],
            start_years=[local.year],
        )


_RANGES = {
    "start_mins": (0, 59),
    "start_hours": (0, 23),
    "start_mdays": (1, 31),
    # Sunday is 0 or 1, Saturday 6 or 7.
    "start_wdays": (0, 7),
    "start_months": (1, 12),
    "start_years": (1970, 9999),
}


def _check_cron(expression: str) -> None:
    """Check for what croniter accepts but the object cannot express."""
    if not expression.strip().startswith("@") and len(expression.split()) != 5:
        raise AltcraftConfigurationError(f"{expression!r}: a start schedule takes a cron expression of five fields.")
    if re.search(r"(?<![a-z])[hr](?![a-z])", expression, re.IGNORECASE):
        raise AltcraftConfigurationError(f"{expression!r}: a start schedule cannot be random.")


def _cron_fields(expression: str) -> list[list[int]]:
    """The five fields as numbers; an unrestricted field is empty."""
    # Imported here: a DAG without a schedule should not pay for it.
    from croniter import CroniterError, croniter

    _check_cron(expression)
    try:
        fields, nth_weekday = croniter.expand(expression)
    except CroniterError as error:
        raise AltcraftConfigurationError(
            f"{expression!r} is not a cron expression: {str(error).rstrip('.')}."
        ) from None
    numbers = [[value for value in values if isinstance(value, int)] for values in fields[:5]]
    words = [value for values in fields[:5] for value in values if not isinstance(value, int) and value != "*"]
    if nth_weekday or words:
        raise AltcraftConfigurationError(
            f"{expression!r}: a start schedule cannot express the last or n-th day of a month."
        )
    return numbers


def identifier(name: str, value: Any) -> int:
    """An Altcraft id, from an argument that may have been rendered from a template.

    :param name: of the argument, for the error text.
    :raises AltcraftConfigurationError: if it is empty or not a positive whole number.
    """
    text = rendered(name, value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) == 0:
        raise AltcraftConfigurationError(f"{name} must be a positive whole number, not {text!r}.")
    return int(text)
