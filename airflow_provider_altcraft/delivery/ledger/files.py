"""A ledger in a folder of the user's, on a disk or in an object store.

``base/<number>.db`` is the ledger after its last complete delivery: a SQLite file that also lists the steps it
contains. It is valid once ``base/<number>-<bytes>.done`` exists. ``steps/<run>/<step>.forget`` and ``.learn`` are what
deliveries have done since, one file per step, as object stores cannot append. A delivery that completes writes the next
base and removes the steps it contains. A process may die at any point: half a base is not valid; half a ``forget``
means that nothing was sent yet; after half a ``learn``, the other rows are sent once more.

Only one delivery at a time may use a ledger: the order of two cannot be told.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from airflow_provider_altcraft.delivery.ledger.fingerprints import SIZE, Fingerprint
from airflow_provider_altcraft.delivery.ledger.working_copy import WorkingCopy
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

CACHE_KIB = 16_384
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS ledger (key BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class _Base(NamedTuple):
    """A version of the ledger."""

    number: int
    size: int

    @property
    def db(self) -> str:
        return f"{self.number:012d}.db"

    @property
    def done(self) -> str:
        return f"{self.number:012d}-{self.size}.done"


class FileLedger:
    """Keeps a ledger in a folder. The working copy is a file on the worker, so memory does not grow with it.

    :param folder: the folder, a ``pathlib.Path`` or ``ObjectStoragePath``.
    """

    def __init__(self, folder: Any) -> None:
        self._folder = folder
        self._working_copy = WorkingCopy()
        self._copy = self._working_copy.path
        try:
            self._base = self._fetch_base()
            self._db = sqlite3.connect(self._copy / "ledger.db", check_same_thread=False, isolation_level=None)
            self._db.executescript(f"PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF; PRAGMA cache_size=-{CACHE_KIB};")
            self._db.executescript(_SCHEMA)
            self.salt: bytes = self._fact("salt", os.urandom(SIZE))
            contained = frozenset(json.loads(self._fact("contains", b"[]")))
            if not self._base.number:
                # Store the salt before any step: steps hashed with it may outlive this process.
                self._write_base([])
            runs = sorted(path.name for path in _files(self._folder / "steps"))
            steps = [step for run in runs for step in self._steps(run)]
            # A process may die after writing a base and before removing its steps. Replaying those on top of the base
            # could bring back rows that a later step of the same base forgot.
            self._left_over = [step for step in steps if step in contained]
            self._replayed = [step for step in steps if step not in contained]
            for step in self._replayed:
                self._replay(step)
        except BaseException:
            self._working_copy.remove()
            raise
        order = 1 + max((int(run.split("-")[0]) for run in runs), default=0)
        self._run = f"{order:08d}-{uuid4().hex[:8]}"
        self._step = 0

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The stored content hashes of these keys."""
        marks = ", ".join("?" * len(keys))
        return dict(self._db.execute(f"SELECT key, content FROM ledger WHERE key IN ({marks})", keys).fetchall())

    def forget(self, keys: Sequence[bytes]) -> None:
        """Remove these keys."""
        self._write_step("forget", b"".join(keys))
        self._forget(keys)

    def learn(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Store these fingerprints."""
        self._write_step("learn", b"".join([found.key + found.content for found in fingerprints]))
        self._learn(fingerprints)

    def close(self, *, complete: bool) -> None:
        """Write the next base if there is anything new, and remove the working copy."""
        try:
            # If another process has written a base in the meantime, leave it: the next delivery replays the steps.
            if complete and (self._step or self._replayed) and self._latest() == self._base:
                # Left-over steps of the last base are in this one too, and are removed with the others.
                old, contained = self._base, [*self._left_over, *self._replayed, *self._steps(self._run)]
                self._write_base(contained)
                for step in contained:
                    (self._folder / "steps" / step).unlink(missing_ok=True)
                self._place(old.done).unlink(missing_ok=True)
                self._place(old.db).unlink(missing_ok=True)
        finally:
            self._db.close()
            self._working_copy.remove()

    def _latest(self) -> _Base:
        names = (path.name.removesuffix(".done").split("-") for path in _files(self._folder / "base", ".done"))
        return max((_Base(int(number), int(size)) for number, size in names), default=_Base(0, 0))

    def _fetch_base(self) -> _Base:
        """Download the newest base into the working copy."""
        base = self._latest()
        if base.number:
            with self._place(base.db).open("rb") as kept, (self._copy / "ledger.db").open("wb") as copy:
                shutil.copyfileobj(kept, copy, 1 << 20)
                if copy.tell() != base.size:
                    raise AltcraftConfigurationError(
                        f"The ledger in {self._folder} is damaged: {base.db} is not as long as when it was written."
                        " Remove the folder: every row is then sent once more."
                    )
        return base

    def _write_base(self, contains: Sequence[str]) -> None:
        self._db.execute("UPDATE facts SET value = ? WHERE name = 'contains'", (json.dumps(contains).encode(),))
        (self._folder / "base").mkdir(parents=True, exist_ok=True)
        next_base = _Base(self._base.number + 1, (self._copy / "ledger.db").stat().st_size)
        with (self._copy / "ledger.db").open("rb") as copy, self._place(next_base.db).open("wb") as kept:
            shutil.copyfileobj(copy, kept, 1 << 20)
        with self._place(next_base.done).open("wb") as file:
            file.write(b"")
        self._base = next_base

    def _place(self, name: str) -> Any:
        return self._folder / "base" / name

    def _steps(self, run: str) -> list[str]:
        """The steps of a run, in order."""
        return [f"{run}/{name}" for name in sorted(path.name for path in _files(self._folder / "steps" / run))]

    def _replay(self, step: str) -> None:
        with (self._folder / "steps" / step).open("rb") as file:
            content = file.read()
        if step.endswith(".forget"):
            self._forget([content[start : start + SIZE] for start in range(0, len(content), SIZE)])
        else:
            pairs = (content[start : start + 2 * SIZE] for start in range(0, len(content), 2 * SIZE))
            self._learn([Fingerprint(pair[:SIZE], pair[SIZE:]) for pair in pairs if len(pair) == 2 * SIZE])

    def _write_step(self, kind: str, content: bytes) -> None:
        self._step += 1
        folder = self._folder / "steps" / self._run
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{self._step:08d}.{kind}").open("wb") as file:
            file.write(content)

    def _forget(self, keys: Sequence[bytes]) -> None:
        self._many("DELETE FROM ledger WHERE key = ?", [(key,) for key in keys])

    def _learn(self, fingerprints: Sequence[Fingerprint]) -> None:
        self._many("INSERT OR REPLACE INTO ledger VALUES (?, ?)", fingerprints)

    def _many(self, statement: str, values: Sequence[tuple[bytes, ...]]) -> None:
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(statement, values)

    def _fact(self, name: str, value: bytes) -> bytes:
        self._db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
        (found,) = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return bytes(found)


def _files(folder: Any, suffix: str = "") -> list[Any]:
    """The files in a folder; none if it does not exist."""
    return [path for path in folder.iterdir() if path.name.endswith(suffix)] if folder.exists() else []
