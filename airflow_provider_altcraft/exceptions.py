"""Everything that can go wrong between Airflow and Altcraft.

    AltcraftError
    ├── AltcraftConfigurationError       the connection or an argument is wrong
    ├── AltcraftTransportError           no usable answer came back
    │   ├── AltcraftTimeout              … because the time for it was over
    │   └── AltcraftAnswerTooLarge       … because it is larger than the connection allows
    ├── AltcraftRejected                 Altcraft answered, and the answer is no
    │   ├── AltcraftAuthenticationError  the token is missing, wrong or lacks a right
    │   ├── AltcraftRateLimited          too many requests, with the time to wait
    │   └── AltcraftRequestTooLarge      the body is over the limit of the installation
    ├── AltcraftOutcomeUnknown           a launch may have happened or not, and looking cannot tell
    ├── AltcraftLaunchConflict           what was launched is not what the arguments say
    ├── AltcraftKilled                   the task was told to stop
    ├── AltcraftJobFailed                a task, mailing or campaign ended badly
    ├── AltcraftWaitTimeout              … or did not end within the time given
    └── AltcraftRowsError                rows were rejected beyond the threshold, or do not add up

The tree is plain Python (``api/`` and ``delivery/`` know no Airflow). Operators tell Airflow which of these
must not be retried; ``is_transient`` says what a later try may cure.
"""

from __future__ import annotations


class AltcraftError(Exception):
    """The root of every error this package raises on purpose."""

    is_transient = False
    """Whether the same call may succeed later without anybody changing anything."""
    in_doubt = False
    """Whether what was asked for may have been done all the same, at this attempt or an earlier one of the call."""


class AltcraftConfigurationError(AltcraftError, ValueError):
    """The connection or an argument is wrong. Raised before the call it is about; others may have been made."""


class AltcraftTransportError(AltcraftError):
    """No usable answer: connection refused or broken, a gateway's page instead of JSON, a redirect.

    :param message: what happened, to what.
    :param sent: whether bytes of the request may have reached Altcraft. ``False`` means it certainly did
        not see the request.
    :param http_status: the HTTP status, when a reply of any kind arrived.
    :param retry_after: seconds the server asked to wait, if it did.
    """

    is_transient = True

    def __init__(
        self,
        message: str,
        *,
        sent: bool = True,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.sent = self.in_doubt = sent
        self.http_status = http_status
        self.retry_after = retry_after


class AltcraftTimeout(AltcraftTransportError):
    """The connection or the answer did not come within ``connect_timeout`` or ``read_timeout``."""


class AltcraftAnswerTooLarge(AltcraftTransportError):
    """The answer is larger than ``max_answer_bytes`` and was not read. Altcraft has done what it was asked for."""

    is_transient = False


class AltcraftRejected(AltcraftError):
    """Altcraft answered with an error of its own (CONTRACT 1.3, 1.4).

    :param endpoint: catalogue name of the endpoint.
    :param code: the ``error`` field of the answer, or the HTTP status where there is none.
    :param text: ``error_text``, made safe to log.
    :param debug: ``error_debug``, made safe to log.
    :param http_status: the HTTP status it came with; an API error may come under 200.
    :param replayed: the answer was a remembered one (``Duplicate-Request: true``, CONTRACT 1.8).
    :param retry_after: seconds the server asked to wait, if it did.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        code: int,
        text: str = "",
        debug: str = "",
        http_status: int = 200,
        replayed: bool = False,
        retry_after: float | None = None,
    ) -> None:
        said = " / ".join(part for part in (text, debug) if part) or "no reason given"
        super().__init__(f"{endpoint}: Altcraft refused the request with error {code}: {said}.{self.advice}")
        self.endpoint = endpoint
        self.code = code
        self.text = text
        self.debug = debug
        self.http_status = http_status
        self.replayed = replayed
        self.retry_after = retry_after
        self.in_doubt = self.is_fault

    advice = ""

    @property
    def is_fault(self) -> bool:
        """A fault on the server's side (5xx in the status or in the code), which may come after the work."""
        return self.http_status >= 500 or 500 <= self.code <= 599

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """A fault may pass; so may the refusal of a repeat whose first request is still worked on. Others do not."""
        return self.is_fault or self.in_doubt


class AltcraftAuthenticationError(AltcraftRejected):
    """The token is missing, wrong, or its role lacks a right or a group (CONTRACT 1.2). Never retried."""

    advice = (
        " Check the API token in the connection's password field, the rights of its role and the groups it"
        " sees (Altcraft: Settings, Tokens)."
    )

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """A wrong token does not get better by waiting."""
        return False


class AltcraftRateLimited(AltcraftRejected):
    """Too many requests. ``retry_after`` holds the seconds to wait, when the server said so."""

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """It passes by waiting."""
        return True

    @property
    def is_fault(self) -> bool:
        """Nothing was done."""
        return False


class AltcraftRequestTooLarge(AltcraftRejected):
    """The body is over the installation's limit, 10 MB unless it was changed (CONTRACT 1.5)."""

    advice = " Send fewer items per request, or lower max_body_bytes in the connection's extra to match."


class AltcraftOutcomeUnknown(AltcraftError):
    """A launch may or may not have happened, and nothing can tell. Airflow does not try it again by itself."""


class AltcraftLaunchConflict(AltcraftError):
    """What was launched, by this task or under its name, is not what its arguments say. Nothing more was sent."""


class AltcraftKilled(AltcraftError):
    """Airflow told the task to stop. What it began at Altcraft goes on, and a later try takes it up."""

    is_transient = True


class AltcraftJobFailed(AltcraftError):
    """A task, a mailing or a campaign ended in a state that is not the one waited for."""


class AltcraftWaitTimeout(AltcraftError):
    """The wait is over and what was waited for is not. Altcraft goes on with it, whatever Airflow does."""


class AltcraftRowsError(AltcraftError):
    """Rows were rejected beyond the threshold, or the counters do not add up."""
