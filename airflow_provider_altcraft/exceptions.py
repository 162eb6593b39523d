"""Everything that can go wrong between Airflow and Altcraft.

    AltcraftError
    ├── AltcraftConfigurationError       the connection or an argument is wrong
    ├── AltcraftTransportError           no usable answer came back
    │   ├── AltcraftTimeout              … in time
    │   └── AltcraftAnswerTooLarge       … because it is larger than the connection allows
    ├── AltcraftRejected                 Altcraft answered the request with an error
    │   ├── AltcraftAuthenticationError  the token is missing, wrong or lacks a permission
    │   ├── AltcraftRateLimited          too many requests; says how long to wait
    │   └── AltcraftRequestTooLarge      the body is over the installation's limit
    ├── AltcraftOutcomeUnknown           a launch may or may not have happened, and nothing can tell
    ├── AltcraftLaunchConflict           what was launched is not what the arguments say
    ├── AltcraftKilled                   Airflow stopped the task
    ├── AltcraftJobFailed                a task, mailing or campaign failed
    ├── AltcraftWaitTimeout              … or did not end in time
    └── AltcraftRowsError                too many rows were rejected, or the counts do not add up

The tree is plain Python (``api/`` and ``delivery/`` do not know Airflow). Operators tell Airflow which of these
must not be retried; ``is_transient`` says whether a later try may succeed.
"""

from __future__ import annotations


class AltcraftError(Exception):
    """The base class of every error this package raises on purpose."""

    is_transient = False
    """Whether the same call may succeed later if nothing is changed."""
    in_doubt = False
    """Whether Altcraft may have done the work all the same, in this attempt or an earlier one of the call."""


class AltcraftConfigurationError(AltcraftError, ValueError):
    """The connection or an argument is wrong. Raised before the call it concerns; others may have been made."""


class AltcraftTransportError(AltcraftError):
    """No usable answer: connection refused or broken, a gateway's page instead of JSON, a redirect.

    :param message: what happened, to what.
    :param sent: whether bytes of the request may have reached Altcraft; ``False`` means it certainly did not see it.
    :param http_status: the HTTP status, if any reply arrived.
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
    """No connection within ``connect_timeout``, or no answer within ``read_timeout``."""


class AltcraftAnswerTooLarge(AltcraftTransportError):
    """The answer is larger than ``max_answer_bytes`` and was not read. Altcraft has done the work."""

    is_transient = False


class AltcraftRejected(AltcraftError):
    """Altcraft answered the request with an error (CONTRACT 1.3, 1.4).

    :param endpoint: catalogue name of the endpoint.
    :param code: the ``error`` field of the answer, or the HTTP status if it has none.
    :param text: ``error_text``, made safe to log.
    :param debug: ``error_debug``, made safe to log.
    :param http_status: the HTTP status; API errors may come with 200.
    :param replayed: whether Altcraft repeated a remembered answer (``Duplicate-Request: true``, CONTRACT 1.8).
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
        reason = " / ".join(part for part in (text, debug) if part) or "no reason given"
        super().__init__(f"{endpoint}: Altcraft rejected the request with error {code}: {reason}.{self.advice}")
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
        """Whether the server failed (5xx as status or code), possibly after doing the work."""
        return self.http_status >= 500 or 500 <= self.code <= 599

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """A server fault may pass; so may the rejection of a repeat whose first request is still being processed."""
        return self.is_fault or self.in_doubt


class AltcraftAuthenticationError(AltcraftRejected):
    """The token is missing or wrong, or its role lacks a permission or a group (CONTRACT 1.2). Never retried."""

    advice = (
        " Check the API token in the connection's password field, its role's permissions and the groups it"
        " can see (Altcraft: Settings, Tokens)."
    )

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """Waiting does not fix a token."""
        return False


class AltcraftRateLimited(AltcraftRejected):
    """Too many requests. ``retry_after`` is how many seconds to wait, if the server said so."""

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """Waiting helps."""
        return True

    @property
    def is_fault(self) -> bool:
        """Nothing was done."""
        return False


class AltcraftRequestTooLarge(AltcraftRejected):
    """The body is over the installation's limit, 10 MB by default (CONTRACT 1.5)."""

    advice = " Send fewer items per request, or lower max_body_bytes in the connection's extra to match."


class AltcraftOutcomeUnknown(AltcraftError):
    """A launch may or may not have happened, and nothing can tell. Airflow does not retry it."""


class AltcraftLaunchConflict(AltcraftError):
    """What this task, or another under its name, launched is not what its arguments say. Nothing more was sent."""


class AltcraftKilled(AltcraftError):
    """Airflow stopped the task. What it started in Altcraft keeps running, and a later try picks it up."""

    is_transient = True


class AltcraftJobFailed(AltcraftError):
    """A task, mailing or campaign ended in another state than the expected one."""


class AltcraftWaitTimeout(AltcraftError):
    """The wait timed out. Altcraft keeps working, whatever Airflow does."""


class AltcraftRowsError(AltcraftError):
    """Too many rows were rejected, or the counts do not add up."""
