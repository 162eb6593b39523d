"""Profiles, suppression lists, points transactions, reports and logs out of Altcraft, as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from copy import copy
from typing import IO, TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftJobFailed
from airflow_provider_altcraft.exports import FileExport, ListExport
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting.policy import Verdict


class AltcraftToObjectStorageOperator(WaitingOperator):
    """Fetch an export of Altcraft's into a folder, local or in an object store.

    What a task of Altcraft's writes is started once, waited for and downloaded in blocks; a list is walked page by
    page. Memory depends on neither. A file takes the place of one of its name when it is complete, and not before. Only
    the connection's own host is asked, and redirects are not followed, so the token goes nowhere else.

    :param source: ``ProfilesExport``, ``SuppressionListExport``, ``LoyaltyTransactionsExport`` or ``ListExport``, from
        ``exports``. Its ids are templated.
    :param path: the folder, a local path or the URL of an object store (``s3://conn@bucket/path``). What is in it is
        personal data. Files of other names are left there: give each run a folder of its own. Templated.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, give or take a fifth.
    :param timeout: seconds to wait in all; Altcraft goes on when they are over.
    :param request_id: an id of your own, from which the Request-ID is derived instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task exports anew: what it would take up is as old as the first run.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``files`` (``path`` and ``bytes`` of each), ``bytes`` of all, and ``total``: the rows as Altcraft counted
        them or, of a list, as they were written. With a task, also ``altcraft_task_id``, ``request_id`` and
        ``replayed``.
    """

    template_fields: Sequence[str] = (*WaitingOperator.template_fields, "source", "path")

    def __init__(
        self,
        *,
        source: FileExport | ListExport,
        path: str | XComArg,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 30,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        source.check()
        # Its fields are rendered in place, and mapped tasks are given the same object.
        self.source: Any = copy(source)
        self.path = path
        # There is nothing to download before the end.
        self.wait_for_completion = True
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> Any:
        """Start the task and wait for it; or walk the list."""
        from airflow_provider_altcraft.runtime.storage import location
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        self.check_waiting()
        folder = location("path", self.path)
        if isinstance(self.source, ListExport):
            return self._write_list(context, self.source, folder)
        result = self._started(context, self.source)
        return self.await_end(context, TaskTarget([result["altcraft_task_id"]], keeps_results=True), result)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Download what the task has made."""
        from airflow_provider_altcraft.runtime.storage import location

        super().finish(context, verdict, result)
        made = self.task_result(result["altcraft_task_id"])
        made = made if isinstance(made, dict) else {}
        if made.get("errors"):
            # Their texts may quote profiles.
            raise AltcraftJobFailed(
                f"Task {result['altcraft_task_id']} ended, and its result holds errors: the export may lack rows."
                " Look in Altcraft why, and clear the task to export anew."
            )
        named, total = self.source.files(made), made.get("total")
        if not named and total != 0:
            raise AltcraftJobFailed(f"Task {result['altcraft_task_id']} ended, and its result names no file.")
        folder = location("path", self.path)
        places = zip(named, _names(named), strict=True)
        files = [self._download(context, file, folder / name) for file, name in places]
        return {**result, "total": total, "bytes": sum(file["bytes"] for file in files), "files": files}

    def _started(self, context: Any, source: FileExport) -> dict[str, Any]:
        started = self.launch_repeatable(context, source.endpoint, source.params)
        if not started.task_id:
            raise AltcraftJobFailed(
                f"{source.endpoint}: the answer holds no id of a task, so there is nothing to fetch."
            )
        self.log.info(
            "%s: task %s%s (Request-ID %s).",
            source.endpoint,
            started.task_id,
            ", which an earlier try started" if started.replayed else "",
            started.request_id,
        )
        return {
            "altcraft_task_id": started.task_id,
            "request_id": started.request_id,
            "replayed": started.replayed,
        }

    def _download(self, context: Any, named: str, file: Any) -> dict[str, Any]:
        size = self.hook.download(named, lambda: self._place(context, file), before_block=self.check_killed)
        self.log.info("%s: %d bytes.", file, size)
        return {"path": str(file), "bytes": size}

    def _write_list(self, context: Any, source: ListExport, folder: Any) -> dict[str, Any]:
        file = folder / source.name
        with self._place(context, file) as place:
            count = source.write(self._until_killed(source.items(self.hook)), place)
            size = place.tell()
        self.log.info("%s: %d items, %d bytes.", file, count, size)
        return {"total": count, "bytes": size, "files": [{"path": str(file), "bytes": size}]}

    def _place(self, context: Any, file: Any) -> AbstractContextManager[IO[bytes]]:
        from airflow_provider_altcraft.runtime.storage import replacing

        self.check_killed()
        return replacing(file, context["ti"].try_number)

    def _until_killed(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.check_killed()
            yield item


def _names(files: Sequence[str]) -> list[str]:
    """What files are called in the folder: as Altcraft calls them, numbered where that is not enough."""
    names = [file.partition("?")[0].rstrip("/").rpartition("/")[2] for file in files]
    if len(set(names)) == len(names):
        return names
    return [f"{number}_{name}" for number, name in enumerate(names, start=1)]
