"""How the state machines are played."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from airflow_provider_altcraft.sandbox import Sandbox


def play(machine: type[RuleBasedStateMachine], max_examples: int, *, derandomize: bool = True) -> None:
    """Play a machine against one Altcraft.

    :param machine: takes the Altcraft as its class attribute ``sandbox``.
    :param max_examples: runs of 20 steps at most.
    :param derandomize: whether it is the same play each time.
    """
    with Sandbox(speed=0) as sandbox:
        run_state_machine_as_test(
            type("Machine", (machine,), {"sandbox": sandbox}),
            settings=settings(
                max_examples=max_examples,
                stateful_step_count=20,
                deadline=None,
                derandomize=derandomize,
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
