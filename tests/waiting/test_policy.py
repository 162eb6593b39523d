"""One policy: what was observed and two deadlines in, one decision out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.states import State
from airflow_provider_altcraft.exceptions import AltcraftTransportError
from airflow_provider_altcraft.waiting.policy import ERROR_BUDGET, Deadlines, Decision, Verdict, decide


@given(
    state=st.sampled_from(State),
    errors=st.integers(0, 20),
    now=st.floats(0, 100),
    timeout=st.none() | st.floats(0, 100),
    execution=st.none() | st.floats(0, 100),
)
def test_the_policy_decides_by_state_first_then_errors_then_deadlines(state, errors, now, timeout, execution):
    decision = decide(state, errors=errors, now=now, deadlines=Deadlines(timeout, execution))
    late = any(moment is not None and now >= moment for moment in (timeout, execution))
    if state is State.SUCCEEDED:
        assert decision is Decision.DONE
    elif state is State.FAILED or errors >= ERROR_BUDGET:
        assert decision is Decision.FAILED
    else:
        assert decision is (Decision.TIMED_OUT if late else Decision.WAIT)


@pytest.mark.parametrize("event", [None, "done", {}, {"decision": "splendid", "cause": "", "reason": "", "result": {}}])
def test_an_event_that_cannot_be_read_is_never_a_success(event):
    with pytest.raises(AltcraftTransportError):
        Verdict.from_event(event).raise_for_failure()


def test_the_event_of_an_earlier_release_is_understood():
    event = {"version": 1, "decision": "done", "cause": "", "reason": "", "result": {"tasks": 1}}
    assert Verdict.from_event(event) == Verdict(Decision.DONE, result={"tasks": 1})
