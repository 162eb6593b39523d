"""The pytest fixture, as those who use it would."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from airflow_provider_altcraft.hooks.altcraft import AltcraftHook
from airflow_provider_altcraft.sandbox import Fault


# --8<-- [start:fixture]
def test_a_mailing_takes_its_time(altcraft_sandbox):
    altcraft_sandbox.add_mailing(70, duration=600)
    hook = AltcraftHook()
    hook.call("campaigns/broadcasts/start", {"id": 70}, request_id="tonight")
    assert not hook.mailing_status(70)["is_completed"]
    altcraft_sandbox.clock.advance(600)
    assert hook.mailing_status(70)["is_completed"]
    assert len(altcraft_sandbox.deliveries.launches(70)) == 1


# --8<-- [end:fixture]


# --8<-- [start:fault]
def test_a_lost_answer_sends_nothing_twice(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("drop_after", endpoint="campaigns/broadcasts/start", nth=1))
    AltcraftHook().call("campaigns/broadcasts/start", {"id": 7}, request_id="tonight")
    assert len(altcraft_sandbox.journal.calls("campaigns/broadcasts/start")) == 2
    assert len(altcraft_sandbox.deliveries.launches(7)) == 1


# --8<-- [end:fault]


@pytest.mark.slow
def test_a_subprocess_inherits_the_connection(altcraft_sandbox):
    code = (
        "from airflow_provider_altcraft.hooks.altcraft import AltcraftHook\n"
        "print(AltcraftHook().test_connection()[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"
    assert len(altcraft_sandbox.journal) == 1
