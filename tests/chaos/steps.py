"""The steps of a launch at which a process is killed, and what is run to be killed there."""

from __future__ import annotations

from dataclasses import dataclass

BEFORE_REQUEST = "before the request"
ON_THE_WIRE = "on the wire"
BEFORE_ANSWER = "after the work, before the answer"
BEFORE_STORING = "after the answer, before it is stored"
BEFORE_WAITING = "after storing, before waiting"
WAITING = "while waiting"
IN_THE_RESUME = "in the resume"
TRIGGERER = "the triggerer, while deferred"
SCHEDULER = "the scheduler with its workers, while waiting"

SIGTERM = "SIGTERM, while waiting"
ENDED_BY_A_USER = "ended by a user, while deferred"

OF_THE_TASK = (
    BEFORE_REQUEST,
    ON_THE_WIRE,
    BEFORE_ANSWER,
    BEFORE_STORING,
    BEFORE_WAITING,
    WAITING,
    IN_THE_RESUME,
)
LONG = 60.0
"""Seconds, by Altcraft's clock, of a mailing that is still going out when something else than its task is killed."""


ENDPOINTS = {
    "launch": "campaigns/broadcasts/start",
    "import": "campaigns/triggers/import_and_start_batch_task",
}
PROFILES = [{"email": f"customer-{number}@example.com"} for number in range(6)]


@dataclass(frozen=True)
class Case:
    """One DAG with one launch, and where its process dies.

    :param job: ``launch``, or ``import``: a batch of profiles into a trigger mailing.
    :param mailing_id: its own mailing, so that the cases cannot take each other's launches for theirs.
    :param deferred: whether it waits in the triggerer.
    :param cancel: its ``cancel_on_kill``.
    """

    job: str
    step: str
    deferred: bool
    mailing_id: int
    cancel: bool = False

    @property
    def mode(self) -> str:
        """How it waits."""
        return "deferred" if self.deferred else "on the worker"

    @property
    def dag_id(self) -> str:
        """The DAG."""
        return f"kill_{self.mailing_id}"

    @property
    def name(self) -> str:
        """What is killed, where and how."""
        return f"{self.job}, {self.step}, {self.mode}{', cancel_on_kill' if self.cancel else ''}"

    @property
    def endpoint(self) -> str:
        """The call that must happen once."""
        return ENDPOINTS[self.job]

    @property
    def kind(self) -> str:
        """The kind of the mailing."""
        return "trigger" if self.job == "import" else "broadcast"

    @property
    def where(self) -> dict[str, int]:
        """What its call is told by."""
        return {"trigger_id" if self.job == "import" else "id": self.mailing_id}

    @property
    def duration(self) -> float:
        """Seconds that the mailing takes, by Altcraft's clock."""
        return LONG if self.step in (TRIGGERER, SCHEDULER, ENDED_BY_A_USER) else 5.0


def cases() -> list[Case]:
    """All of them: each step in each mode where there is such a step."""
    pairs = [(step, deferred) for step in OF_THE_TASK for deferred in (False, True)]
    # A deferred task has no process while it waits, but the triggerer's.
    pairs.remove((WAITING, True))
    pairs += [(TRIGGERER, True), (SCHEDULER, False), (SCHEDULER, True)]
    launches = [("launch", *pair) for pair in pairs]
    imports = [("import", step, step != WAITING) for step in OF_THE_TASK]
    killed = [Case(*each, mailing_id=100 + number) for number, each in enumerate(launches + imports)]
    return [
        *killed,
        Case("launch", SIGTERM, deferred=False, mailing_id=201),
        Case("launch", SIGTERM, deferred=False, mailing_id=202, cancel=True),
        Case("launch", ENDED_BY_A_USER, deferred=True, mailing_id=203),
        Case("launch", ENDED_BY_A_USER, deferred=True, mailing_id=204, cancel=True),
    ]
