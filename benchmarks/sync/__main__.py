"""Measure, print tables, write the results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.sync.contenders import CONTENDERS, LIMIT, OURS
from benchmarks.sync.environments import ROOT, CannotInstall, prepare, python_of
from benchmarks.sync.rounds import WARM_UP, Round, RoundFailed, measure
from benchmarks.sync.rows import server_version, warehouse
from benchmarks.sync.sink import sink

RESULTS = ROOT / "benchmarks" / "results" / "sync.json"
MODES = ("instant", "latency", "growth")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    :param rows: in the instant mode.
    :param latency_rows: what this provider sends in the latency mode; the others send ``peer_latency_rows``, once.
    """

    rows: int
    rounds: int
    batch_size: int
    in_flight: int
    latency: float
    latency_rows: int
    peer_latency_rows: int
    latency_rounds: int
    growth_rows: tuple[int, ...]
    growth_rounds: int
    modes: tuple[str, ...]
    contenders: tuple[str, ...]

    @property
    def counts(self) -> set[int]:
        """Sizes of the tables."""
        counts = {WARM_UP}
        if "instant" in self.modes:
            counts.add(self.rows)
        if "latency" in self.modes:
            counts |= {self.latency_rows, self.peer_latency_rows}
        if "growth" in self.modes:
            counts |= set(self.growth_rows)
        return counts


def main() -> int:
    """Run what the arguments ask for."""
    # Told to stop, drop the database all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments = _arguments()
    plan = _plan(arguments)
    left_out = _prepare(plan)
    names = tuple(name for name in plan.contenders if name not in left_out)
    try:
        with warehouse(arguments.postgres, plan.counts) as url:
            if arguments.profile:
                _profile(url, plan)
                return 0
            results = _measure(url, plan, names)
    except RoundFailed as error:
        print(f"The benchmark failed. {error}", file=sys.stderr)
        return 1
    versions = {"python": platform.python_version(), "postgresql": server_version(arguments.postgres)}
    for rounds in (rounds for mode in results.values() for rounds in mode.values()):
        versions |= rounds[0].versions
    summary = _summary(plan, results, versions, left_out)
    _print(summary)
    _keep(summary, arguments.results, arguments.plot)
    return 0


def _measure(url: str, plan: Plan, names: Sequence[str]) -> dict[str, dict[str, list[Round]]]:
    """The rounds of each mode, by contender; in the growth mode, by number of rows."""
    results = {}
    setting = {"warehouse": url, "batch_size": plan.batch_size, "in_flight": plan.in_flight}
    with sink(latency=0) as altcraft:
        if "instant" in plan.modes:
            turns = [(name, name, plan.rows) for name in names] * plan.rounds
            results["instant"] = _take_turns("instant", turns, sink=altcraft, **setting)
        if "growth" in plan.modes and OURS in names:
            turns = [(str(rows), OURS, rows) for rows in plan.growth_rows] * plan.growth_rounds
            results["growth"] = _take_turns("growth", turns, sink=altcraft, **setting)
    if "latency" in plan.modes:
        turns = [(OURS, OURS, plan.latency_rows)] * plan.latency_rounds if OURS in names else []
        peers = [name for name in names if CONTENDERS[name].sends and name != OURS]
        turns += [(name, name, plan.peer_latency_rows) for name in peers]
        with sink(latency=plan.latency) as altcraft:
            results["latency"] = _take_turns("latency", turns, sink=altcraft, **setting)
    return results


def _take_turns(mode: str, turns: Sequence[tuple[str, str, int]], **setting: Any) -> dict[str, list[Round]]:
    taken: dict[str, list[Round]] = {}
    for number, (key, name, rows) in enumerate(turns, start=1):
        outcome = measure(name, rows, **setting)
        taken.setdefault(key, []).append(outcome)
        line = f"{mode} {number}/{len(turns)}: {name}, {rows:,} rows, {outcome.seconds:.2f} s"
        print(f"{line}, +{outcome.peak_growth / MEGABYTE:.0f} MB", file=sys.stderr, flush=True)
    return taken


def _profile(url: str, plan: Plan) -> None:
    with sink(latency=0) as altcraft:
        print(f"{CONTENDERS[OURS].label}, {plan.rows:,} rows, by own time.")
        print("Only the main thread, which reads and writes rows, is profiled: requests are sent by threads of a pool,")
        print("and their time shows here as waiting for locks. The profiler itself makes calls dearer than they are.")
        setting = {"warehouse": url, "batch_size": plan.batch_size, "in_flight": plan.in_flight}
        measure(OURS, plan.rows, profile=True, sink=altcraft, **setting)


def _prepare(plan: Plan) -> dict[str, str]:
    """Make the environments; the contenders that have none, with the reason."""
    missing: dict[str, str] = {}
    for environment in dict.fromkeys(["airflow", *(CONTENDERS[name].environment for name in plan.contenders)]):
        try:
            prepare(environment)
        except CannotInstall as error:
            if environment == "airflow":
                raise
            for name in plan.contenders:
                if CONTENDERS[name].environment == environment:
                    missing[name] = str(error)
                    print(f"{CONTENDERS[name].label} is left out, it could not be installed: {error}")
    return missing


def _summary(
    plan: Plan,
    results: Mapping[str, Mapping[str, list[Round]]],
    versions: Mapping[str, str],
    left_out: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that was measured, as JSON."""
    modes = {mode: {key: _figures(rounds) for key, rounds in taken.items()} for mode, taken in results.items()}
    limit = modes.get("instant", {}).get(LIMIT)
    for figures in modes.get("instant", {}).values():
        figures["share_of_limit"] = figures["rows_per_second"] / limit["rows_per_second"] if limit else None
    ideal = plan.in_flight * plan.batch_size / plan.latency
    for figures in modes.get("latency", {}).values():
        figures["share_of_ideal"] = figures["rows_per_second"] / ideal
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "processor": _from_file("/proc/cpuinfo", r"model name\s*:\s*(.+)"),
            "cores": os.cpu_count(),
            "memory_kb": int(_from_file("/proc/meminfo", r"MemTotal:\s+(\d+)") or 0),
            "kernel": platform.release(),
        },
        "versions": dict(sorted(versions.items())),
        "plan": {**asdict(plan), "ideal_rows_per_second": ideal},
        "labels": {name: CONTENDERS[name].label for name in plan.contenders},
        "left_out": dict(left_out),
        "modes": modes,
    }


def _figures(rounds: Sequence[Round]) -> dict[str, Any]:
    """Medians, and what they were taken of."""
    seconds = [taken.seconds for taken in rounds]
    return {
        "rows": rounds[0].rows,
        "rows_per_second": rounds[0].rows / median(seconds),
        "seconds": {"median": median(seconds), "min": min(seconds), "max": max(seconds)},
        "processor_seconds": median(taken.processor_seconds for taken in rounds),
        "peak_growth": median(taken.peak_growth for taken in rounds),
        "baseline": median(taken.baseline for taken in rounds),
        "requests": rounds[0].requests,
        "other_requests": rounds[0].other_requests,
        "bytes_per_row": rounds[0].body_bytes / rounds[0].rows,
        "most_open_requests": max(taken.most_open_requests for taken in rounds),
        "rounds": [{name: value for name, value in asdict(taken).items() if name != "versions"} for taken in rounds],
    }


def _print(summary: Mapping[str, Any]) -> None:
    machine, plan, modes = summary["machine"], summary["plan"], summary["modes"]
    print(f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}")
    print(", ".join(f"{name} {number}" for name, number in summary["versions"].items()))
    for name, reason in summary["left_out"].items():
        print(f"{summary['labels'][name]} was left out, it could not be installed: {reason}")
    if "instant" in modes:
        print(f"\n{plan['rows']:,} rows, answers at once, medians of {plan['rounds']}\n")
        _print_table(modes["instant"], summary["labels"], "share_of_limit", "of limit")
    if "latency" in modes:
        ideal = f"{plan['in_flight']} x {plan['batch_size']:,} rows / {plan['latency']:g} s"
        print(f"\n{plan['latency']:g} s per batch; the ideal is {ideal} = {plan['ideal_rows_per_second']:,.0f} rows/s")
        seconds = plan["latency_rows"] / plan["ideal_rows_per_second"]
        print(f"{CONTENDERS[OURS].label}: {plan['latency_rows']:,} rows, ideally {seconds:g} s, medians of", end=" ")
        print(f"{plan['latency_rounds']}; the others: {plan['peer_latency_rows']:,} rows, once\n")
        _print_table(modes["latency"], summary["labels"], "share_of_ideal", "of ideal")
    if "growth" in modes:
        print(f"\n{CONTENDERS[OURS].label} by rows, answers at once, medians of {plan['growth_rounds']}\n")
        _print_table(modes["growth"], {rows: f"{int(rows):,} rows" for rows in modes["growth"]}, None, "")


def _print_table(mode: Mapping[str, Any], labels: Mapping[str, str], share: str | None, share_label: str) -> None:
    heads = ["", "rows/s", "s", "min", "max", "CPU s", "peak + MB", "requests", "most open", "bytes/row"]
    print("| " + " | ".join([*heads, *([share_label] if share else [])]) + " |")
    print("|---|" + "---:|" * (len(heads) - 1 + bool(share)))
    for key, figures in mode.items():
        seconds = figures["seconds"]
        cells = [
            labels[key],
            f"{figures['rows_per_second']:,.0f}",
            *(f"{seconds[which]:.2f}" for which in ("median", "min", "max")),
            f"{figures['processor_seconds']:.2f}",
            f"{figures['peak_growth'] / MEGABYTE:.1f}",
            f"{figures['requests']:,}",
            str(figures["most_open_requests"]),
            f"{figures['bytes_per_row']:.0f}",
        ]
        if share:
            cells.append("" if figures[share] is None else f"{figures[share]:.0%}")
        print("| " + " | ".join(cells) + " |")


def _keep(summary: Mapping[str, Any], results: Path | None, plot: Path | None) -> None:
    """Write the results, and draw them."""
    if results:
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(json.dumps(summary, indent=2) + "\n")
        print(f"\nResults: {results}")
    if plot:
        plot.parent.mkdir(parents=True, exist_ok=True)
        command = [python_of("airflow"), "-m", "benchmarks.sync.plot", str(plot)]
        subprocess.run(command, cwd=ROOT, input=json.dumps(summary), text=True, check=True)
        print(f"Plot: {plot}")


def _commit() -> str | None:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def _from_file(path: str, pattern: str) -> str | None:
    with closing(open(path)) as file:
        found = re.search(pattern, file.read())
    return found[1] if found else None


def _plan(arguments: argparse.Namespace) -> Plan:
    quick = arguments.quick
    contenders = tuple(dict.fromkeys(arguments.contenders))
    return Plan(
        rows=arguments.rows or (30_000 if quick else 300_000),
        rounds=arguments.rounds or (1 if quick else 5),
        batch_size=10_000,
        in_flight=4,
        latency=arguments.latency,
        latency_rows=80_000 if quick else 1_000_000,
        peer_latency_rows=40_000 if quick else 120_000,
        latency_rounds=1 if quick else 3,
        growth_rows=(1_000, 10_000, 100_000) if quick else (10_000, 100_000, 1_000_000),
        growth_rounds=1 if quick else 3,
        modes=("instant",) if arguments.profile else tuple(arguments.modes),
        contenders=(OURS,) if arguments.profile else contenders,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description="See benchmarks/sync/__init__.py.")
    parser.add_argument("--rows", type=int, help="rows of the instant mode (300,000)")
    parser.add_argument("--rounds", type=int, help="rounds of the instant mode (5)")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds per batch of the latency mode (1)")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--quick", action="store_true", help="small numbers, one round; keeps no results by itself")
    parser.add_argument("--profile", action="store_true", help="profile the operator instead, once")
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432/postgres", metavar="URL")
    parser.add_argument("--results", type=Path, metavar="PATH", help=f"where to write them ({RESULTS.name})")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="where to draw them, as PNG; not drawn otherwise")
    arguments = parser.parse_args()
    whole = not arguments.quick and set(arguments.modes) == set(MODES) and set(arguments.contenders) == set(CONTENDERS)
    if arguments.results is None and whole:
        arguments.results = RESULTS
    return arguments


if __name__ == "__main__":
    sys.exit(main())
