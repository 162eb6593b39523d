"""Any interleaving of crash, retry, clear, forgetting and answer: at most one launch, and none green without it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.sandbox import Fault, Sandbox
from tests.contexts import Store, context

START = "campaigns/broadcasts/start"
RETRIES = 3
HOUR = 3_600

KINDS = ("drop_before", "drop_after", "rate_limited", "html", "cut_body", "api_error", "error_after")
CRASHES = (None, "before the request", "after the answer", "before the intent is kept", "before the answer is kept")


class Crash(BaseException):
    """The process is gone."""


class CrashingClient(AltcraftClient):
    """A client whose process dies around the launch."""

    crash: str | None = None

    def call(self, name, params=None, **how):
        if name == START and self.crash == "before the request":
            raise Crash
        reply = super().call(name, params, **how)
        if name == START and self.crash == "after the answer":
            raise Crash
        return reply


class CrashingStore:
    """A store whose process dies as it keeps something."""

    def __init__(self, kept, crash):
        self._kept, self._crash = kept, crash

    def get(self, key):
        return self._kept.get(key)

    def set(self, key, value):
        if self._crash == f"before the {'answer' if 'answer' in value else 'intent'} is kept":
            raise Crash
        self._kept.set(key, value)


class LaunchMachine(RuleBasedStateMachine):
    """One task instance and one Altcraft."""

    sandbox: Sandbox

    @initialize(
        remembers=st.booleans(),
        relaunch=st.booleans(),
        replay_errors=st.booleans(),
        stays_active=st.booleans(),
        deduplication=st.sampled_from(["request-id", "request-id", "checksum", "off"]),
    )
    def begin(self, remembers, relaunch, replay_errors, stays_active, deduplication):
        behaviour = self.sandbox.behaviour
        behaviour.replay_errors, behaviour.deduplication = replay_errors, deduplication
        behaviour.broadcast_stays_active = stays_active
        self.sandbox.reset()
        self.kept = Store() if remembers else None
        self.replay_errors = replay_errors
        self.relaunch = relaunch
        self.window = 0 if deduplication == "off" else 86_400
        self.due = self.began = self.sandbox.clock.now()
        self.try_number, self.max_tries, self.state = 1, RETRIES, "due"
        self.launched_before = 0

    def _context(self, crash):
        run = SimpleNamespace(run_after=self.due, start_date=self.began)
        given = context(try_number=self.try_number, max_tries=self.max_tries)
        store = {} if self.kept is None else {"task_state_store": CrashingStore(self.kept, crash)}
        return {**given, "dag_run": run, **store}

    def _operator(self, crash):
        operator = AltcraftLaunchMailingOperator(
            task_id="launch",
            mailing_id=7,
            wait_for_completion=False,
            relaunch_on_clear=self.relaunch,
            retries=RETRIES,
        )
        operator.hook = AltcraftHook()
        connection = {**self.sandbox.connection, "extra": {"deduplication_window": self.window, "max_attempts": 3}}
        operator.hook.get_connection = lambda conn_id: SimpleNamespace(
            **{name: connection[name] for name in ("host", "schema", "port", "password")},
            extra_dejson=connection["extra"],
        )
        operator.hook.client = CrashingClient(operator.hook.settings, sleep=self.sandbox.clock.advance)
        operator.hook.client.crash = crash
        return operator

    @precondition(lambda self: self.state == "due")
    @rule(crash=st.sampled_from(CRASHES), kinds=st.lists(st.sampled_from(KINDS), max_size=4))
    def try_it(self, crash, kinds):
        self.sandbox.clock.advance(1)
        if not (self.replay_errors or self.kept is not None):
            # An error after the work that neither side keeps is the one thing that nobody can know (README).
            kinds = [kind for kind in kinds if kind != "error_after"]
        self.sandbox.faults.clear()
        for nth, kind in enumerate(kinds, start=1):
            code = 500 if "error" in kind else 502
            self.sandbox.faults.add(Fault(kind, START, nth=nth, times=1, code=code, seconds=1))
        operator = self._operator(crash)
        try:
            operator.execute(self._context(crash))
        except AirflowFailException:
            self.state = "red"
        except (Exception, Crash):
            self.try_number += 1
            self.state = "due" if self.try_number <= self.max_tries + 1 else "red"
        else:
            self.state = "green"
        finally:
            operator.hook.client.close()

    @precondition(lambda self: self.state in ("green", "red"))
    @rule(discarded=st.booleans())
    def clear(self, discarded):
        """A user clears the task; Airflow 3.4 discards its store by that, 3.3 keeps it."""
        if discarded and self.kept is not None and self.replay_errors:
            self.kept.clear()
        tried = min(self.try_number, self.max_tries + 1)
        self.max_tries = tried + RETRIES
        self.try_number = tried + 1
        self.began = self.sandbox.clock.now()
        self.state = "due"
        if self.relaunch:
            self.launched_before = self.sandbox.deliveries.total_launches

    @rule(hours=st.sampled_from([0.01, 1, 12, 23.9, 25, 24 * 40]))
    def time_passes(self, hours):
        self.sandbox.clock.advance(hours * HOUR)

    @rule(active=st.booleans())
    def somebody_switches_it(self, active):
        self.sandbox.mailing(7).is_active = active

    @invariant()
    def it_is_launched_at_most_once_for_each_time_it_was_meant_to(self):
        assert self.sandbox.deliveries.total_launches - getattr(self, "launched_before", 0) <= 1

    @invariant()
    def it_is_never_green_without_a_launch(self):
        if getattr(self, "state", "") == "green":
            assert self.sandbox.deliveries.total_launches - self.launched_before == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_any_interleaving_keeps_the_promise():
    with Sandbox(speed=0) as sandbox:
        machine = type("Machine", (LaunchMachine,), {"sandbox": sandbox})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=150,
                stateful_step_count=20,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
