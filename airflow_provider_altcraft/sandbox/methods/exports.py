"""Exports: tasks whose result names files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, method, moment
from airflow_provider_altcraft.sandbox.methods.tasks import make_task, task_answer
from airflow_provider_altcraft.sandbox.world import File, Task
from airflow_provider_altcraft.sandbox.world.queries import matches

TYPES = {"csv": "text/csv", "json": "application/json", "zip": "application/zip"}


@method("profiles/get_all")
def export_profiles(act: Act) -> Body:
    """CONTRACT 8.5."""
    source, source_id = act["source_type"], act["source_id"]
    if source == "database":
        profiles = act.world.database(source_id).profiles
    else:
        profiles = act.world.of_segment(act.world.segment(source_id))
    rows = [{**data, "id": profile_id} for profile_id, data in profiles.items()]
    rows = [row for row in rows if matches(row, act["custom_request"] or {})]
    task = _export(act, rows, source, act["file_format"] or "csv")
    task.result["source_id"] = source_id
    return task_answer(act, task, "data")


@method("loyalty/transactions_export")
def export_transactions(act: Act) -> Body:
    """CONTRACT 11. What its task results in is that of ``profiles/get_all``, as far as that fits; it is not shown."""
    programme = act.world.programme(act["loyalty_program_id"])
    names = [name for name in ("points_currency_eid", "points_currency_iid") if act[name] is not None]
    if len(names) != 1:
        raise Refused(400, "one of points_currency_eid and points_currency_iid is needed")
    since, until = moment(act["date_from"]), moment(act["date_to"])
    rows = [
        one.row()
        for one in sorted(programme.transactions, key=lambda one: (one.at, one.transaction_id))
        if since <= one.at <= until and one.row()[names[0]] == act[names[0]]
    ]
    if act["from_id"]:
        ids = [row["id"] for row in rows]
        if act["from_id"] not in ids:
            raise Refused(404, text="Transaction not found")
        rows = rows[ids.index(act["from_id"]) :]
    return task_answer(act, _export(act, rows, "transactions", "csv"), "data")


@method("suppresses/export")
def export_suppressed(act: Act) -> Body:
    """CONTRACT 10: a zip of MD5 values, one in a line. What ``regular_file`` names is not said; it names none."""
    listed = act.world.suppression_list(act["id"])
    kind = act["type"] or "all"
    values = listed.values(kind)
    task = make_task(act, None, len(values))
    hashed = "".join(f"{hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()}\n" for value in values)
    name = f"{_folder(act)}/{listed.list_id}_{kind}.zip"
    if not task.fails:
        act.world.files[name] = File(name, _zipped(f"{kind}.csv", hashed), TYPES["zip"], task)
    task.result = {
        "hashed_file": "" if task.fails else f"{_prefix(act)}{name}",
        "is_api": True,
        "regular_file": "",
        "suppress_id": listed.list_id,
        "total": 0 if task.fails else len(values),
    }
    return task_answer(act, task, "data")


def _export(act: Act, rows: Sequence[Mapping[str, Any]], kind: str, file_format: str) -> Task:
    """A task that writes rows to files, so many to each (CONTRACT 2.1)."""
    task = make_task(act, None, len(rows))
    task.result = {"errors": ["The task failed"] if task.fails else [], "total": 0, "type": kind, "urls": []}
    if task.fails:
        return task
    folder, size = _folder(act), act.behaviour.export_rows_per_file
    for number, start in enumerate(range(0, max(len(rows), 1), size), start=1):
        name = f"{folder}/{number}_{kind}_export.{file_format}"
        content = _written(act, rows[start : start + size], file_format).encode()
        act.world.files[name] = File(name, content, TYPES[file_format], task)
        task.result["urls"].append(f"/api/download/{_prefix(act)}{name}")
    task.result["total"] = len(rows)
    return task


def _written(act: Act, rows: Sequence[Mapping[str, Any]], file_format: str) -> str:
    """Rows as a file. Neither format is documented further; values that are no scalars are JSON in CSV."""
    if file_format == "json" and act.behaviour.export_json == "array":
        return json.dumps(rows, ensure_ascii=False)
    if file_format == "json":
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    columns = dict.fromkeys(["id", *(name for row in rows for name in row)])
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
                for name, value in row.items()
            }
        )
    return text.getvalue()


def _zipped(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # A fixed date: the same list is the same file.
        archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def _folder(act: Act) -> str:
    return str(UUID(int=(len(act.world.files) + 1) * 0xD1B54A32D192ED03AEF17502108EF2D9 % 2**128))


def _prefix(act: Act) -> str:
    return "data/" if act.behaviour.export_path == "data" else ""
