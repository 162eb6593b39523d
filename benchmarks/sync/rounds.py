"""One round of one contender, in the process that this module is run as."""

from __future__ import annotations

import cProfile
import json
import pstats
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.sync.contenders import CONTENDERS, Setting
from benchmarks.sync.environments import ROOT, python_of
from benchmarks.sync.rows import table_of
from benchmarks.sync.sink import take_tally

WARM_UP = 20
"""Rows that are sent before the measurement."""


class RoundFailed(Exception):
    """A contender broke, or rows were lost."""


@dataclass(frozen=True)
class Round:
    """What one round came to.

    :param peak_growth: bytes of resident memory at the peak, over those before.
    :param processor_seconds: of the task process alone.
    :param most_open_requests: at one time, as the sink saw them.
    """

    rows: int
    seconds: float
    peak_growth: int
    baseline: int
    processor_seconds: float
    requests: int
    other_requests: int
    body_bytes: int
    most_open_requests: int
    versions: dict[str, str]

    @property
    def rows_per_second(self) -> float:
        """Throughput."""
        return self.rows / self.seconds


def measure(name: str, rows: int, *, profile: bool = False, **setting: Any) -> Round:
    """Run a contender in a fresh process.

    :param profile: print where the main thread spends its time.
    :param setting: of the contender, apart from the folder.
    :raises RoundFailed: if it fails, or the sink has not seen every row.
    """
    with tempfile.TemporaryDirectory(prefix="altcraft-bench-") as folder:
        Path(folder, "home").mkdir()
        job = {"name": name, "rows": rows, "profile": profile, "setting": {**setting, "folder": f"{folder}/home"}}
        command = [python_of(CONTENDERS[name].environment), "-W", "ignore", "-m", __name__, json.dumps(job), folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RoundFailed(f"{name}, {rows:,} rows:\n{(done.stdout + done.stderr)[-3000:]}")
        if profile:
            print(Path(folder, "profile").read_text())
        return Round(**json.loads(Path(folder, "result").read_text()))


def run(name: str, rows: int, *, setting: Setting, report: Path | None) -> Round:
    """The round itself."""
    contender = CONTENDERS[name]
    sync = contender.prepare(setting)
    sync(table_of(WARM_UP))
    _check(take_tally(setting.sink).rows, WARM_UP if contender.sends else 0)
    profiler = cProfile.Profile() if report else None
    baseline = _restart_peak()
    processor, begun = time.process_time(), time.perf_counter()
    if profiler:
        profiler.runcall(sync, table_of(rows))
    else:
        sync(table_of(rows))
    seconds, processor_seconds = time.perf_counter() - begun, time.process_time() - processor
    peak = _memory("VmHWM")
    tally = take_tally(setting.sink)
    _check(tally.rows, rows if contender.sends else 0)
    if profiler and report:
        with report.open("w") as stream:
            pstats.Stats(profiler, stream=stream).sort_stats("tottime").print_stats(25)
    return Round(
        rows=rows,
        seconds=seconds,
        peak_growth=peak - baseline,
        baseline=baseline,
        processor_seconds=processor_seconds,
        requests=tally.requests,
        other_requests=tally.other_requests,
        body_bytes=tally.body_bytes,
        most_open_requests=tally.most_open_requests,
        versions={package: version(package) for package in contender.packages},
    )


def _check(arrived: int, expected: int) -> None:
    if arrived != expected:
        raise RoundFailed(f"{arrived:,} rows arrived of {expected:,}.")


def _restart_peak() -> int:
    """Let the kernel forget the peak of the resident set; its present size."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(what: str) -> int:
    """Bytes, from what the kernel says of this process."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    job, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
    outcome = run(
        job["name"],
        job["rows"],
        setting=Setting(**job["setting"]),
        report=folder / "profile" if job["profile"] else None,
    )
    (folder / "result").write_text(json.dumps(asdict(outcome)))
