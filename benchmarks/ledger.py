"""What ``changes_only`` costs: lookups and memory of a file ledger, by the number of rows in it.

``python -m benchmarks.ledger --rows 1000000 10000000`` for each size fills a ledger as a first night does, closes it,
opens it again as the next night does, and looks up a source in which one row of a hundred has changed. Each size runs
in a process of its own; memory is the peak of the resident set over that after imports. The time of making the
fingerprints is shown apart: it is part of the delivery, not of the ledger.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from airflow_provider_altcraft.delivery.encoding import ProfileEncoder
from airflow_provider_altcraft.delivery.ledger.files import FileLedger
from airflow_provider_altcraft.delivery.ledger.fingerprints import Fingerprint
from airflow_provider_altcraft.delivery.ledger.ledger import Ledger
from airflow_provider_altcraft.delivery.source import from_profiles

BATCH = 10_000


def main() -> int:
    """Run each size in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one)))
        return 0
    print("| rows | first night, s | next night, s | rows/s | fingerprints, s | file, MB | peak growth, MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for rows in arguments.rows:
        command = [sys.executable, "-m", "benchmarks.ledger", "--one", str(rows)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(
            f"| {rows:,} | {found['first']:.1f} | {found['next']:.1f} | {rows / found['next']:,.0f} |"
            f" {found['fingerprints']:.1f} | {found['file'] / 1e6:,.0f} | {found['growth'] / 1e6:,.0f} |"
        )
    return 0


def measured(rows: int) -> dict[str, Any]:
    """One size."""
    baseline = peak()
    with tempfile.TemporaryDirectory() as folder:
        first, fingerprints = night(Path(folder), rows, changed=rows)
        following, _ = night(Path(folder), rows, changed=rows // 100)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {"first": first, "next": following, "fingerprints": fingerprints, "file": size, "growth": peak() - baseline}


def night(folder: Path, rows: int, *, changed: int) -> tuple[float, float]:
    """Seconds of a night's ledger work, and of its fingerprints."""
    spent = 0.0
    began = time.perf_counter()
    encoder = ProfileEncoder(timezone=UTC)
    with Ledger(FileLedger(folder), scope=b"", key=["email"], encoder=encoder) as ledger:
        fingerprint_of = ledger.fingerprinter(from_profiles((), encoder))
        sent = 0
        for batch in sources(rows, changed):
            begun = time.perf_counter()
            fingerprints = fingerprint_of([{"email": email} for email, _ in batch], [record for _, record in batch])
            spent += time.perf_counter() - begun
            sent += take(ledger, fingerprints)
    if sent != changed:
        raise SystemExit(f"{sent:,} rows were sent, not {changed:,}.")
    return time.perf_counter() - began - spent, spent


def take(ledger: Ledger, fingerprints: list[Fingerprint]) -> int:
    """What a delivery does with a batch that is accepted."""
    moved = [fingerprints[place] for place in ledger.changed(fingerprints)]
    if moved:
        ledger.sending(moved)
        ledger.accepted(moved)
    return len(moved)


def sources(rows: int, changed: int) -> Iterator[list[tuple[str, bytes]]]:
    """Rows of which the last so many say something else than the night before."""
    for start in range(0, rows, BATCH):
        yield [
            (f"u{row}@example.com", b'{"n":%d,"night":%d}' % (row, changed if row >= rows - changed else rows))
            for row in range(start, min(start + BATCH, rows))
        ]


def peak() -> int:
    """Bytes of the largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
