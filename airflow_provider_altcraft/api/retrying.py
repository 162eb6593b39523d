"""What may be sent again, and when. Pure settings over tenacity, the same for both transports.

A read is repeated freely. A write is repeated only if Altcraft certainly did not see it, or if it carries a
Request-ID that the installation remembers (CONTRACT 1.8, 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential

from airflow_provider_altcraft.api.endpoints import Effect
from airflow_provider_altcraft.api.protocol import Request
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftError,
    AltcraftRateLimited,
    AltcraftRejected,
    AltcraftTransportError,
)

LONGEST_WAIT = 300.0
"""Seconds. A server that asks for more is obeyed by giving up: Airflow's own retry comes later."""


def may_repeat(error: BaseException, request: Request, settings: Settings) -> bool:
    """Whether the same bytes may be sent again after this error."""
    if not isinstance(error, AltcraftError) or not error.is_transient or _asks_too_long(error):
        return False
    certainly_not_done = isinstance(error, AltcraftRateLimited) or (
        isinstance(error, AltcraftTransportError) and not error.sent
    )
    if request.endpoint.effect is Effect.READ or certainly_not_done:
        return True
    if isinstance(error, AltcraftRejected) and error.replayed:
        # Altcraft remembers its refusal: the same bytes would be refused for as long as it does.
        return False
    return request.request_id is not None and settings.deduplicates


def retrying(request: Request, settings: Settings, attempts: int | None = None) -> dict[str, Any]:
    """Arguments for ``tenacity.Retrying`` and ``tenacity.AsyncRetrying``.

    :param attempts: tries in all, if not the connection's ``max_attempts``.
    """
    return {
        "retry": retry_if_exception(lambda error: may_repeat(error, request, settings)),
        "stop": stop_after_attempt(attempts or settings.max_attempts),
        "wait": _Wait(
            backoff=wait_random_exponential(multiplier=0.5, max=30),
            jitter=wait_random_exponential(multiplier=0.1, max=1),
        ),
        "reraise": True,
    }


@dataclass(frozen=True, slots=True)
class _Wait(wait_base):
    """What the server asked for, plus jitter so that clients do not come back together; else backoff."""

    backoff: wait_base
    jitter: wait_base

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = _retry_after(error)
        if asked is None:
            return float(self.backoff(retry_state))
        return asked + float(self.jitter(retry_state))


def _retry_after(error: BaseException | None) -> float | None:
    if isinstance(error, AltcraftRejected | AltcraftTransportError):
        return error.retry_after
    return None


def _asks_too_long(error: BaseException) -> bool:
    return (_retry_after(error) or 0) > LONGEST_WAIT
