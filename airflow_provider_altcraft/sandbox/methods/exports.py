"""Exports: tasks whose results name files."""

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
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method, moment
from airflow_provider_altcraft.sandbox.methods.tasks import make_task, task_answer
from airflow_provider_altcraft.sandbox.world import File, Task
from airflow_provider_altcraft.sandbox.world.queries import matches

TYPES = {"csv": "text/csv", "json": "application/json", "zip": "application/zip"}


@method("profiles/get_all")
def export_profiles(call: ApiCall) -> Body:
    """CONTRACT 8.5."""
    source, source_id = call["source_type"], call["source_id"]
    if source == "database":
        profiles = call.world.database(source_id).profiles
    else:
        profiles = call.world.of_segment(call.world.segment(source_id))
    rows = [{**data, "id": profile_id} for profile_id, data in profiles.items()]
    rows = [row for row in rows if matches(row, call["custom_request"] or {})]
    task = _export(call, rows, source, call["file_format"] or "csv")
    task.result["source_id"] = source_id
    return task_answer(call, task, "data")


@method("loyalty/transactions_export")
def export_transactions(call: ApiCall) -> Body:
    """CONTRACT 11. Its task's result is not shown; here it is that of ``profiles/get_all``, as far as it fits."""
    programme = call.world.programme(call["loyalty_program_id"])
    names = [name for name in ("points_currency_eid", "points_currency_iid") if call[name] is not None]
    if len(names) != 1:
        raise Refused(400, "one of points_currency_eid and points_currency_iid is needed")
    since, until = moment(call["date_from"]), moment(call["date_to"])
    rows = [
        one.row()
        for one in sorted(programme.transactions, key=lambda one: (one.at, one.transaction_id))
        if since <= one.at <= until and one.row()[names[0]] == call[names[0]]
    ]
    if call["from_id"]:
        ids = [row["id"] for row in rows]
        if call["from_id"] not in ids:
            raise Refused(404, text="Transaction not found")
        rows = rows[ids.index(call["from_id"]) :]
    return task_answer(call, _export(call, rows, "transactions", "csv"), "data")


@method("suppresses/export")
def export_suppressed(call: ApiCall) -> Body:
    """CONTRACT 10: a zip of MD5 values, one per line. What ``regular_file`` names is not said; here it is empty."""
    listed = call.world.suppression_list(call["id"])
    kind = call["type"] or "all"
    values = listed.values(kind)
    task = make_task(call, None, len(values))
    hashed = "".join(f"{hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()}\n" for value in values)
    name = f"{_folder(call)}/{listed.list_id}_{kind}.zip"
    if not task.fails:
        call.world.files[name] = File(name, _zipped(f"{kind}.csv", hashed), TYPES["zip"], task)
    task.result = {
        "hashed_file": "" if task.fails else f"{_prefix(call)}{name}",
        "is_api": True,
        "regular_file": "",
        "suppress_id": listed.list_id,
        "total": 0 if task.fails else len(values),
    }
    return task_answer(call, task, "data")


def _export(call: ApiCall, rows: Sequence[Mapping[str, Any]], kind: str, file_format: str) -> Task:
    """A task that writes rows to files (CONTRACT 2.1)."""
    task = make_task(call, None, len(rows))
    task.result = {"errors": ["The task failed"] if task.fails else [], "total": 0, "type": kind, "urls": []}
    if task.fails:
        return task
    folder, size = _folder(call), call.behaviour.export_rows_per_file
    for number, start in enumerate(range(0, max(len(rows), 1), size), start=1):
        name = f"{folder}/{number}_{kind}_export.{file_format}"
        content = _written(call, rows[start : start + size], file_format).encode()
        call.world.files[name] = File(name, content, TYPES[file_format], task)
        task.result["urls"].append(f"/api/download/{_prefix(call)}{name}")
    task.result["total"] = len(rows)
    return task


def _written(call: ApiCall, rows: Sequence[Mapping[str, Any]], file_format: str) -> str:
    """Rows as a file. The formats are not documented further; in CSV, lists and objects are JSON."""
    if file_format == "json" and call.behaviour.export_json == "array":
        return json.dumps(rows, ensure_ascii=False)
    if file_format == "json":
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    columns = dict.fromkeys(["id", *(name for row in rows for name in row)])
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _zipped(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # ZipInfo has a fixed date: the same list is the same file.
        archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def _folder(call: ApiCall) -> str:
    return str(UUID(int=(len(call.world.files) + 1) * 0xD1B54A32D192ED03AEF17502108EF2D9 % 2**128))


def _prefix(call: ApiCall) -> str:
    return "data/" if call.behaviour.export_path == "data" else ""
