"""A DAG run whose worker dies around a call or around storing, under one clock for Airflow and Altcraft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.launching import deliveries, earliest, plan
from airflow_provider_altcraft.runtime import base
from tests.chaos.airflow_in_small import End
from tests.dag_run import DagRun, Instance

RETRIES = 3


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Moment:
    """When a process dies.

    :param what: ``call`` or ``store``.
    :param nth: of these in its try, from 1.
    :param after: whether it was done by then.
    """

    what: str
    nth: int = 1
    after: bool = False


class CrashingDagRun(DagRun):
    """A task in a DAG run of one Airflow.

    :param endpoints: whose calls are counted, and told of.
    :param on_call: told of such a call: a function that makes it, its parameters or body, and its Request-ID.
    """

    def __init__(
        self,
        sandbox: Any,
        monkeypatch: Any,
        *,
        endpoints: tuple[str, ...],
        on_call: Callable[[Callable[[], Any], Any, str | None], Any],
        **settings: Any,
    ) -> None:
        super().__init__(sandbox, monkeypatch, retries=RETRIES, **settings)
        self._endpoints, self._on_call = endpoints, on_call
        self._died_at: Moment | None = None
        self._counts: Counter[str] = Counter()
        self.due = self.began = sandbox.clock.now()

    def instance(self, map_index: int = -1) -> Instance:
        """A task instance."""
        return self._instances[map_index]

    def try_it(self, operator: Any, map_index: int = -1, *, dies_at: Moment | None = None) -> End | None:
        """The next try of a task instance; ``None`` if its process died."""
        self._died_at = dies_at
        self._counts.clear()
        try:
            return self.attempt(operator, map_index)
        except Crash:
            return None
        finally:
            operator.hook.client.close()

    def clear(self, *map_indexes: int, discarded: bool = False) -> None:
        """What a user does; Airflow 3.4 discards the store by that, 3.3 keeps it."""
        for map_index in map_indexes:
            instance = self._instances[map_index]
            instance.max_tries = instance.try_number + RETRIES
            if discarded:
                instance.store.clear()
        self.began = self._sandbox.clock.now()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Something around which the process may die."""
        self._counts[what] += 1
        died_at, nth = self._died_at, self._counts[what]
        if died_at == Moment(what, nth):
            raise Crash
        yield
        if died_at == Moment(what, nth, after=True):
            raise Crash

    def _context(self, instance: Instance, map_index: int) -> dict[str, Any]:
        ctx = super()._context(instance, map_index)
        return {**ctx, "dag_run": SimpleNamespace(run_after=self.due, start_date=self.began)}

    def _on_a_worker(self, operator: Any) -> Any:
        operator = super()._on_a_worker(operator)
        operator.hook.client.close()
        operator.hook.client = _Client(self, operator.hook)
        operator.sleep = lambda seconds: self._sandbox.clock.advance(max(seconds, 1))
        store_of = operator.store

        def store(context: Any, *, folder: Any = None) -> Any:
            found = store_of(context, folder=folder)
            return None if found is None else _Store(self, found)

        operator.store = store
        return operator


class _Client(AltcraftClient):
    """A client whose process may die around a call."""

    def __init__(self, dag_run: CrashingDagRun, hook: AltcraftHook) -> None:
        super().__init__(hook.settings, sleep=dag_run._sandbox.clock.advance)
        self._dag_run = dag_run

    def call(self, name: str, params: Any = None, **how: Any) -> Any:
        if name not in self._dag_run._endpoints:
            return super().call(name, params, **how)
        with self._dag_run.step("call"):
            return self._dag_run._on_call(
                lambda: AltcraftClient.call(self, name, params, **how), params, how.get("request_id")
            )

    def call_batch(self, name: str, body: bytes, *, request_id: str) -> Any:
        with self._dag_run.step("call"):
            return self._dag_run._on_call(
                lambda: AltcraftClient.call_batch(self, name, body, request_id=request_id), body, request_id
            )


class _Store:
    """A store whose process may die as it keeps something."""

    def __init__(self, dag_run: CrashingDagRun, kept: Any) -> None:
        self._dag_run, self._kept = dag_run, kept

    def get(self, key: str) -> Any:
        return self._kept.get(key)

    def set(self, key: str, value: Any) -> None:
        with self._dag_run.step("store"):
            self._kept.set(key, value)


class _Meta(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, datetime)


def one_clock(monkeypatch: Any, now: Callable[[], datetime]) -> None:
    """Give workers the clock of the sandbox, which days pass on."""

    class Clocked(datetime, metaclass=_Meta):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now()

    for module in (base, deliveries, earliest, plan):
        monkeypatch.setattr(module, "datetime", Clocked)


HOURS = [0.01, 1, 12, 23.9, 25, 24 * 40]
"""How long nothing may happen."""
STILL_UNDERWAY = timedelta(minutes=30)
