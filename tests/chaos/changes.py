"""What changes under a DAG run, case by case: one DAG for each."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow import __version__

START = "CHAOS_START"
"""The variable with the moment at which each DAG has its one run."""
IS_AIRFLOW_3 = int(__version__.split(".")[0]) >= 3
HAS_STORE = tuple(int(part) for part in __version__.split(".")[:2]) >= (3, 3)
SEGMENTS = (1, 2, 3)
LONG = 10_000.0
"""Seconds, by Altcraft's clock, of a mailing that goes out until it is stopped."""


@dataclass(frozen=True)
class Case:
    """One DAG.

    :param name: what changes.
    :param number: of its mailing.
    :param deferred: whether it waits in the triggerer.
    :param keeps: whether a try leaves records to the next: in Airflow's store, or before that in a folder.
    """

    name: str
    number: int
    deferred: bool = False
    keeps: bool = True

    @property
    def dag_id(self) -> str:
        """The DAG."""
        return f"{self.name}_{'deferred' if self.deferred else 'worker'}{'' if self.keeps else '_nothing_kept'}"

    @property
    def mailings(self) -> tuple[int, int, int]:
        """Mailings of its own, so that the cases cannot take each other's launches for theirs."""
        first = 1_000 + 10 * self.number
        return first, first + 1, first + 2

    @property
    def people(self) -> list[dict[str, str]]:
        """Profiles of its own."""
        return [{"email": f"{self.dag_id}-{number}@example.com"} for number in range(6)]


BOTH = (
    "mapped",
    "content_changed",
    "content_rendered_anew",
    "relaunched",
    "source_grown",
    "answer_lost",
    "cleared_running",
    "relaunched_running",
)
ON_THE_WORKER = (
    "other_deployment",
    "deployment_named",
    "last_try_cleared_running",
    "last_try_relaunched_running",
    "retries_raised",
    "retries_lowered",
    "renamed",
    "renamed_and_cleared",
)
DEFERRED = ("segments", "try_lost")
WITHOUT_RECORDS = ("mapped", "content_changed", "content_rendered_anew", "retries_raised", "try_lost")


def cases() -> list[Case]:
    """All of them; where Airflow has a store, there is no DAG that keeps nothing."""
    kinds = [(name, deferred, True) for name in BOTH for deferred in (False, True)]
    kinds += [(name, False, True) for name in ON_THE_WORKER]
    kinds += [(name, True, True) for name in DEFERRED]
    if not HAS_STORE:
        kinds += [(name, False, False) for name in WITHOUT_RECORDS]
    return [Case(name, number, *how) for number, (name, *how) in enumerate(kinds)]


def run_id() -> str:
    """The one run of each DAG."""
    return f"scheduled__{os.environ[START]}"


def named(*names: str) -> list[Case]:
    """The cases of these names."""
    return [case for case in cases() if case.name in names]


def say(name: str, value: Any) -> None:
    """Change what a DAG is told."""
    (Path(os.environ["CHAOS_HOME"]) / f"{name}.said").write_text(json.dumps(value))


def said(name: str, otherwise: Any) -> Any:
    """What a DAG is told now."""
    path = Path(os.environ["CHAOS_HOME"]) / f"{name}.said"
    return json.loads(path.read_text()) if path.exists() else otherwise
