"""What Airflow does with a task, without its processes: tries, retries, deferrals, a store that outlives tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from tests.conftest import event_of
from tests.contexts import Store, context


@dataclass(frozen=True)
class End:
    """How a task ended: green with a result, or red with the error of its last try."""

    result: Any = None
    error: Exception | None = None
    tries: int = 1

    @property
    def green(self) -> bool:
        """Whether it succeeded."""
        return self.error is None

    @property
    def word(self) -> str:
        """``green``, or the name of the error."""
        if self.green:
            return "green"
        cause = self.error.__cause__ if isinstance(self.error, AirflowFailException) else self.error
        return type(cause).__name__


def play(
    make: Callable[[], Any],
    *,
    store: Store | None,
    sleep: Callable[[float], None],
    between_tries: Callable[[], None] = lambda: None,
    retries: int = 3,
    first_try: int = 1,
    max_tries: int | None = None,
    **identity: Any,
) -> End:
    """Run a task to its end, try after try.

    :param make: the operator; a new one for each try and each resume, as on other workers.
    :param sleep: how seconds pass between the attempts of one call.
    :param between_tries: what ``retry_delay`` leaves time for.
    """
    for number in range(first_try, first_try + retries + 1):
        between_tries()
        ti = {"try_number": number, "max_tries": retries if max_tries is None else max_tries, **identity}
        try:
            return End(_try(make, context(store=store, **ti), sleep), tries=number)
        except AirflowFailException as final:
            return End(error=final, tries=number)
        except Exception as error:
            last = End(error=error, tries=number)
    return last


def _try(make: Callable[[], Any], ctx: dict[str, Any], sleep: Callable[[float], None]) -> Any:
    try:
        return _on_a_worker(make(), sleep).execute(ctx)
    except TaskDeferred as deferred:
        event = asyncio.run(event_of(deferred.trigger))
        return getattr(_on_a_worker(make(), sleep), deferred.method_name)(ctx, event=event)


def _on_a_worker(operator: Any, sleep: Callable[[float], None]) -> Any:
    hook = AltcraftHook(operator.altcraft_conn_id)
    hook.client = AltcraftClient(hook.settings, sleep=sleep)
    operator.hook = hook
    return operator
