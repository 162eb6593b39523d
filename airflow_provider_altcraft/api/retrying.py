"""What may be sent again, and when. Settings for tenacity, the same for both clients.

A read is repeated freely. A write is repeated only if Altcraft certainly did not see it, or if it has a Request-ID that
the installation still remembers (CONTRACT 1.8, 13).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential

from airflow_provider_altcraft.api.endpoints import Effect, Endpoint
from airflow_provider_altcraft.api.request import Request
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import (
    AltcraftError,
    AltcraftKilled,
    AltcraftRejected,
    AltcraftTransportError,
)

LONGEST_WAIT = 300.0
"""Maximum seconds to wait. If the server asks for more, the call fails: Airflow's own retry comes later."""


@dataclass(slots=True)
class Repeats:
    """Decides after which errors the same bytes may be sent again.

    It does not keep the request itself: tenacity's objects form a reference cycle, so a body of megabytes would stay
    in memory until it is garbage-collected.

    :param endpoint: of the request.
    :param request_id: its Request-ID.
    :param settings: of the connection.
    """

    endpoint: Endpoint
    request_id: str | None
    settings: Settings
    in_doubt: bool = field(init=False, default=False)
    """Whether an attempt may have done the work although none was answered."""

    def allows(self, error: BaseException) -> bool:
        """Whether to send again after this error. Sets ``in_doubt`` on it if any attempt may have done the work."""
        if not isinstance(error, AltcraftError) or isinstance(error, AltcraftKilled):
            return False
        # Never reset: a later attempt that certainly failed says nothing about an earlier one.
        self.in_doubt = error.in_doubt = self.in_doubt or error.in_doubt
        if not error.is_transient or (_retry_after(error) or 0) > LONGEST_WAIT:
            return False
        return self.endpoint.effect is Effect.READ or not self.in_doubt or self._is_protected(error)

    def _is_protected(self, error: AltcraftError) -> bool:
        """Whether Altcraft, if it did the work, would answer the next attempt from memory, with more than a fault."""
        if isinstance(error, AltcraftRejected) and error.is_fault:
            # A remembered fault stays the same. And a launch may have happened before the fault: look it up first.
            is_one_launch = self.endpoint.effect is Effect.LAUNCH and self.endpoint.items is None
            if error.replayed or is_one_launch:
                return False
        return self.request_id is not None and self._window > 0

    def expire(self, state: RetryCallState) -> bool:
        """Whether Altcraft would have forgotten the first attempt by the time of the next one."""
        if not self.in_doubt or self.endpoint.converges:
            return False
        # Counted from the first attempt, the only one certain to be remembered, and including the coming pause.
        passed = max(state.seconds_since_start or 0.0, state.idle_for) + state.upcoming_sleep
        return passed >= self._window

    @property
    def _window(self) -> float:
        return self.settings.window_of(self.endpoint.name)


def retrying(
    request: Request,
    settings: Settings,
    attempts: int | None = None,
    sleep: Callable[[float], Any] | None = None,
    *,
    repeats: Repeats | None = None,
) -> dict[str, Any]:
    """Arguments for ``tenacity.Retrying`` and ``tenacity.AsyncRetrying``.

    :param attempts: maximum attempts, if not the connection's ``max_attempts``.
    :param sleep: called with seconds to wait, instead of tenacity's default.
    :param repeats: makes the decisions; passed by callers that read its ``in_doubt`` afterwards.
    """
    repeats = repeats or Repeats(request.endpoint, request.request_id, settings)
    return {
        "retry": retry_if_exception(repeats.allows),
        "stop": lambda state: stop_after_attempt(attempts or settings.max_attempts)(state) or repeats.expire(state),
        "wait": _Wait(
            backoff=wait_random_exponential(multiplier=0.5, max=30),
            jitter=wait_random_exponential(multiplier=0.1, max=1),
        ),
        "reraise": True,
        **({"sleep": sleep} if sleep else {}),
    }


@dataclass(frozen=True, slots=True)
class _Wait(wait_base):
    """``Retry-After`` plus jitter, so that clients do not come back together; without it, backoff."""

    backoff: wait_base
    jitter: wait_base

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        retry_after = _retry_after(error)
        if retry_after is None:
            return float(self.backoff(retry_state))
        return retry_after + float(self.jitter(retry_state))


def _retry_after(error: BaseException | None) -> float | None:
    if isinstance(error, AltcraftRejected | AltcraftTransportError):
        return error.retry_after
    return None
