"""Where rejected rows are kept, with the reason: one file of JSON lines per batch, in a folder of the user's.

While a task of Altcraft's still has a batch, its rows wait in ``pending/`` of the same folder, so that a wait
which is resumed on another worker can still say which rows were refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any

import msgspec

from airflow_provider_altcraft.delivery.answers import Refusal
from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.earlier_rejects import EarlierRejects, Same
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.private_files import listed, make_folder, write
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

PENDING = "pending"
"""The folder of rows that a task still works on."""


class _Held(msgspec.Struct):
    row: int
    record: msgspec.Raw


class Rejects:
    """Keeps rejected rows, for their owner's eyes only where that is on a disk.

    :param folder: of the task instance; ``None`` keeps nothing, for a delivery in which any reject fails the task.
    :param key_fields: the fields of a profile that identify it, repeated beside each rejected row.
    :param holds: whether rows are put aside until their task has answered; pointless if nobody will ask it.
    :param same: what makes a row the same that an earlier try kept, beside its content: its ``key``, as in a database,
        where the later of two has the last word; or ``key and row``, its number in the source.
    """

    def __init__(
        self, folder: Any | None, key_fields: Sequence[str] = (), *, holds: bool = True, same: Same = "key and row"
    ) -> None:
        self._folder = folder
        self._key_fields = key_fields
        self._holds = holds
        self._same = same
        self._lock = Lock()
        self._earlier: EarlierRejects | None = None
        self._current: set[str] = set()

    @property
    def location(self) -> str | None:
        """Where the rows are, for people."""
        return None if self._folder is None else str(self._folder)

    def keep(self, batch: str, rows: Rows, refusals: Iterable[Refusal], *, answered: bool = True) -> None:
        """Write the refused rows of a batch. Writing a batch again replaces what was written.

        :param batch: its name, which becomes the file's.
        :param rows: its rows. Where they cannot be reached any more, the place in the batch and the reason are kept.
        :param answered: whether it is known of each row what became of it.
        """
        if self._folder is None:
            return
        refused, name = list(refusals), f"{batch}.jsonl"
        with self._lock:
            earlier = self._read_earlier()
            if refused:
                self._current.add(name)
        if refused and (rows.records or name not in earlier):
            make_folder(self._folder)
            write(self._folder / name, (_line(batch, rows, refusal, self._key_fields) for refusal in refused))
        if answered:
            # Last: a process may end before, and a row that is offered twice is better than one that is lost.
            with self._lock:
                earlier.remove(name, rows, spare=self._current)

    def confirm(self, batch: str, rows: Rows, *, were_refused: bool) -> None:
        """Note that what an earlier try made of a batch holds.

        :param were_refused: whether some of its rows were; what was written of them stays.
        """
        if self._folder is None:
            return
        name = f"{batch}.jsonl"
        with self._lock:
            earlier = self._read_earlier()
            if were_refused:
                self._current.add(name)
            else:
                earlier.remove(name, rows, spare=self._current)

    def has(self, batch: str) -> bool:
        """Whether the rejects of a batch were written, or need not be."""
        return self._folder is None or bool((self._folder / f"{batch}.jsonl").exists())

    def keep_held(self, batch: str, refusals: Iterable[Refusal], *, answered: bool = True) -> bool:
        """Write the refused rows of a batch that was put aside.

        :param answered: whether it is known of each row what became of it.
        :returns: whether they can be found and sent again; without a folder, nobody was told so.
        """
        if self._folder is None:
            return True
        if self.were_kept(batch):
            self.confirm(batch, Rows(), were_refused=True)
            return True
        held = self.held(batch)
        self.keep(batch, held, refusals, answered=answered)
        return bool(held.records)

    def were_kept(self, batch: str) -> bool:
        """Whether the refused rows of a batch were written, and are put aside no more: a try that ended has done it."""
        if self._folder is None or _pending(self._folder, batch).exists():
            return False
        try:
            first = next(iter(_read(self._folder / f"{batch}.jsonl").splitlines()), b"{}")
            return msgspec.json.decode(first).get("record") is not None
        except (msgspec.DecodeError, AttributeError):
            return False

    def reaches(self, batch: str) -> bool:
        """Whether the refused rows of a batch can be kept, or were; without a folder, they need not be."""
        return self._folder is None or bool(_pending(self._folder, batch).exists()) or self.were_kept(batch)

    def hold(self, batch: str, rows: Rows) -> None:
        """Put the rows of a batch aside until its task has answered."""
        if self._folder is None or not self._holds:
            return
        make_folder(self._folder)
        make_folder(self._folder / PENDING)
        lines = map(b'{"row":%d,"record":%s}\n'.__mod__, zip(rows.numbers, rows.records, strict=True))
        write(_pending(self._folder, batch), [b"".join(lines)])

    def held(self, batch: str) -> Rows:
        """The rows put aside; none if they were never, or cannot be reached from this worker."""
        if self._folder is None:
            return Rows()
        try:
            with _pending(self._folder, batch).open("rb") as file:
                # Read whole: the files of Airflow 2.11's ObjectStoragePath cannot be iterated.
                lines = [_HELD.decode(line) for line in file.read().splitlines()]
        except FileNotFoundError:
            return Rows()
        return Rows([line.row for line in lines], JsonLines.of([bytes(line.record) for line in lines]))

    def release(self, batch: str) -> None:
        """Forget the rows put aside."""
        if self._folder is not None:
            _pending(self._folder, batch).unlink(missing_ok=True)

    def release_all(self) -> None:
        """Forget all rows put aside, those of earlier tries too: nobody will ask what became of them any more."""
        for path in listed(self._folder / PENDING) if self._folder is not None else ():
            path.unlink(missing_ok=True)

    def _read_earlier(self) -> EarlierRejects:
        """What was there before this try wrote anything."""
        if self._earlier is None:
            self._earlier = EarlierRejects(self._folder, self._key_fields, same=self._same)
        return self._earlier


def records(location: Any) -> Iterator[dict[str, Any] | None]:
    """The records of rejected rows, as they are now: to be sent again after they were repaired.

    Tries of one task that cut their batches in another way each keep the same row, in files of their own. It is sent
    once: in the place of one that another file had before, there is ``None``.

    :param location: a file of JSON lines, or a folder of them.
    :raises AltcraftConfigurationError: for a place where there is nothing, or a line that has no record.
    """
    files = sorted(_files_below(location), key=str) if location.is_dir() else [location]
    if not files or not location.exists():
        raise AltcraftConfigurationError(f"There are no rejected rows at {location}.")
    known: dict[bytes, int] = {}
    for place, path in enumerate(files):
        for number, line in enumerate(_read(path).removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
            if not line.strip():
                continue
            record = _record(line, f"{path}, line {number}")
            content = blake2b(msgspec.json.encode(record, order="sorted"), digest_size=16).digest()
            yield record if known.setdefault(content, place) == place else None


def _pending(folder: Any, batch: str) -> Any:
    """The file of the rows of a batch that are put aside."""
    return folder / PENDING / f"{batch}.jsonl"


def _files_below(folder: Any) -> Iterator[Any]:
    for path in folder.iterdir():
        if path.is_dir():
            # What is pending was not rejected.
            yield from _files_below(path) if path.name != PENDING else ()
        elif path.name.endswith(".jsonl"):
            yield path


def _read(path: Any) -> bytes:
    try:
        with path.open("rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        # It held no more than rows that were read from another file, and answered for meanwhile.
        return b""


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = msgspec.json.decode(line).get("record")
    except (msgspec.DecodeError, AttributeError):
        record = None
    if not isinstance(record, dict):
        # The line is not quoted: it holds personal data.
        raise AltcraftConfigurationError(f"{place} is not a rejected row: it needs a 'record' with the profile.")
    return record


_HELD = msgspec.json.Decoder(_Held)


def _line(batch: str, rows: Rows, refusal: Refusal, key_fields: Sequence[str]) -> bytes:
    line: dict[str, Any] = {"code": refusal.code, "text": refusal.text}
    if not rows.records:
        line |= {"row": None, "batch": batch, "position": refusal.position}
    else:
        record = msgspec.json.decode(rows.records[refusal.position])
        line |= {
            "row": rows.numbers[refusal.position],
            "key": {name: record.get(name) for name in key_fields},
            "record": record,
        }
    return msgspec.json.encode(line) + b"\n"
