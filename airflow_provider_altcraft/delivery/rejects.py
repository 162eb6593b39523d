"""The store for rejected rows and their reasons: one JSON lines file per batch, in a folder of the user's.

While Altcraft processes a batch as a task, its rows wait in ``pending/`` in the same folder, so that a wait resumed on
another worker can still tell which rows were rejected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any

import msgspec

from airflow_provider_altcraft.delivery.answers import Reject
from airflow_provider_altcraft.delivery.batching import Rows
from airflow_provider_altcraft.delivery.earlier_rejects import EarlierRejects, RowIdentity
from airflow_provider_altcraft.delivery.json_lines import JsonLines
from airflow_provider_altcraft.delivery.private_files import listed, make_folder, write
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError

PENDING = "pending"
"""The folder of rows that a task still processes."""


class _PendingRow(msgspec.Struct):
    row: int
    record: msgspec.Raw


class Rejects:
    """Keeps rejected rows; on local disks, readable by their owner only.

    :param folder: of the task instance; ``None`` keeps nothing, for deliveries in which any reject fails the task.
    :param key_fields: the fields that identify a profile, repeated beside each rejected row.
    :param holds: whether rows are held as pending until their task has ended; pointless if nobody waits for it.
    :param same: what identifies a row kept by an earlier try, besides its content: its ``key``, as in a database, where
        the later of two rows wins; or ``key and row``, which includes its number in the source.
    """

    def __init__(
        self,
        folder: Any | None,
        key_fields: Sequence[str] = (),
        *,
        holds: bool = True,
        same: RowIdentity = "key and row",
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
        """Where the rows are, for logs and errors."""
        return None if self._folder is None else str(self._folder)

    def keep(self, batch: str, rows: Rows, rejects: Iterable[Reject], *, answered: bool = True) -> None:
        """Write the rejected rows of a batch, replacing what was written for it before.

        :param batch: its name, used for the file.
        :param rows: its rows. If they can no longer be reached, only their index in the batch and the reason are kept.
        :param answered: whether the outcome of every row is known.
        """
        if self._folder is None:
            return
        rejects, name = list(rejects), f"{batch}.jsonl"
        with self._lock:
            earlier = self._read_earlier()
            if rejects:
                self._current.add(name)
        if rejects and (rows.records or name not in earlier):
            make_folder(self._folder)
            write(self._folder / name, (_line(batch, rows, reject, self._key_fields) for reject in rejects))
        if answered:
            # Remove old lines last: if the process dies before, a row is kept twice rather than lost.
            with self._lock:
                earlier.remove(name, rows, spare=self._current)

    def confirm(self, batch: str, rows: Rows, *, were_rejected: bool) -> None:
        """Confirm the outcome that an earlier try recorded for a batch.

        :param were_rejected: whether some of its rows were rejected; what was written about them stays.
        """
        if self._folder is None:
            return
        name = f"{batch}.jsonl"
        with self._lock:
            earlier = self._read_earlier()
            if were_rejected:
                self._current.add(name)
            else:
                earlier.remove(name, rows, spare=self._current)

    def has(self, batch: str) -> bool:
        """Whether the rejects of a batch have been written, or need not be."""
        return self._folder is None or bool((self._folder / f"{batch}.jsonl").exists())

    def keep_held(self, batch: str, rejects: Iterable[Reject], *, answered: bool = True) -> bool:
        """Write the rejected rows of a pending batch.

        :param answered: whether the outcome of every row is known.
        :returns: whether they were kept, so that they can be sent again; also ``True`` without a folder.
        """
        if self._folder is None:
            return True
        if self.were_kept(batch):
            self.confirm(batch, Rows(), were_rejected=True)
            return True
        held = self.held(batch)
        self.keep(batch, held, rejects, answered=answered)
        return bool(held.records)

    def were_kept(self, batch: str) -> bool:
        """Whether an earlier try has written the rejected rows of a batch, so that they are no longer pending."""
        if self._folder is None or _pending(self._folder, batch).exists():
            return False
        try:
            first = next(iter(_read(self._folder / f"{batch}.jsonl").splitlines()), b"{}")
            return msgspec.json.decode(first).get("record") is not None
        except (msgspec.DecodeError, AttributeError):
            return False

    def reaches(self, batch: str) -> bool:
        """Whether the rejected rows of a batch can be kept, or have been; without a folder, they need not be."""
        return self._folder is None or bool(_pending(self._folder, batch).exists()) or self.were_kept(batch)

    def hold(self, batch: str, rows: Rows) -> None:
        """Keep the rows of a batch as pending until its task has ended."""
        if self._folder is None or not self._holds:
            return
        make_folder(self._folder)
        make_folder(self._folder / PENDING)
        lines = map(b'{"row":%d,"record":%s}\n'.__mod__, zip(rows.numbers, rows.records, strict=True))
        write(_pending(self._folder, batch), [b"".join(lines)])

    def held(self, batch: str) -> Rows:
        """The pending rows; none if there never were any, or this worker cannot reach them."""
        if self._folder is None:
            return Rows()
        try:
            with _pending(self._folder, batch).open("rb") as file:
                # Read as a whole: files of Airflow 2.11's ObjectStoragePath cannot be iterated.
                lines = [_PENDING_ROW.decode(line) for line in file.read().splitlines()]
        except FileNotFoundError:
            return Rows()
        return Rows([line.row for line in lines], JsonLines.of([bytes(line.record) for line in lines]))

    def release(self, batch: str) -> None:
        """Delete the pending rows of a batch."""
        if self._folder is not None:
            _pending(self._folder, batch).unlink(missing_ok=True)

    def release_all(self) -> None:
        """Delete all pending rows, including those of earlier tries: nobody will ask what became of them."""
        for path in listed(self._folder / PENDING) if self._folder is not None else ():
            path.unlink(missing_ok=True)

    def _read_earlier(self) -> EarlierRejects:
        """The rejects that were there before this try wrote any."""
        if self._earlier is None:
            self._earlier = EarlierRejects(self._folder, self._key_fields, same=self._same)
        return self._earlier


def records(location: Any) -> Iterator[dict[str, Any] | None]:
    """The records of rejected rows, to be sent again once repaired.

    Tries of a task that cut their batches differently each keep the same row, in files of their own. It is sent once:
    a record that an earlier file has is replaced by ``None``.

    :param location: a JSON lines file, or a folder of them.
    :raises AltcraftConfigurationError: if there is nothing there, or a line has no record.
    """
    files = sorted(_files_below(location), key=str) if location.is_dir() else [location]
    if not files or not location.exists():
        raise AltcraftConfigurationError(f"There are no rejected rows at {location}.")
    known: dict[bytes, int] = {}
    for file_number, path in enumerate(files):
        for number, line in enumerate(_read(path).removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
            if not line.strip():
                continue
            record = _record(line, f"{path}, line {number}")
            content = blake2b(msgspec.json.encode(record, order="sorted"), digest_size=16).digest()
            yield record if known.setdefault(content, file_number) == file_number else None


def _pending(folder: Any, batch: str) -> Any:
    """The file of the pending rows of a batch."""
    return folder / PENDING / f"{batch}.jsonl"


def _files_below(folder: Any) -> Iterator[Any]:
    for path in folder.iterdir():
        if path.is_dir():
            # Pending rows have not been rejected.
            yield from _files_below(path) if path.name != PENDING else ()
        elif path.name.endswith(".jsonl"):
            yield path


def _read(path: Any) -> bytes:
    try:
        with path.open("rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        # Deleted in the meantime: all its rows were also in another file, and have been answered since.
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


_PENDING_ROW = msgspec.json.Decoder(_PendingRow)


def _line(batch: str, rows: Rows, reject: Reject, key_fields: Sequence[str]) -> bytes:
    line: dict[str, Any] = {"code": reject.code, "text": reject.text}
    if not rows.records:
        line |= {"row": None, "batch": batch, "position": reject.position}
    else:
        record = msgspec.json.decode(rows.records[reject.position])
        line |= {
            "row": rows.numbers[reject.position],
            "key": {name: record.get(name) for name in key_fields},
            "record": record,
        }
    return msgspec.json.encode(line) + b"\n"
