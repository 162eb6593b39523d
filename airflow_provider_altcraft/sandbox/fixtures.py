"""The pytest fixture, for this project's tests and for those of its users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_altcraft.sandbox import Sandbox


@pytest.fixture
def altcraft_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A loopback Altcraft whose clock stands still until ``clock.advance``; ``altcraft_default`` connects to it."""
    from airflow_provider_altcraft.sandbox import Sandbox

    with Sandbox(speed=0) as sandbox:
        monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", sandbox.connection_json)
        yield sandbox
