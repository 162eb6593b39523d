"""Export profiles, suppression lists, points transactions, reports and logs to files."""

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
    """Fetch an export from Altcraft into a folder, local or in an object store.

    An export that Altcraft writes in a task is started once, awaited and downloaded in blocks; a list is read page by
    page. Memory use does not depend on their size. An existing file is replaced only when the new one is complete. Only
    the connection's host is contacted, and redirects are not followed, so the token goes nowhere else.

    :param source: ``ProfilesExport``, ``SuppressionListExport``, ``LoyaltyTransactionsExport`` or ``ListExport``, from
        ``exports``. Its ids are templated.
    :param path: the folder: a local path or an object store URL (``s3://conn@bucket/path``). It will hold personal
        data. Other files in it are left alone, so give each run its own folder. Templated.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task exports again; the existing export is as old as the first run.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``files`` (``path`` and ``bytes`` of each), ``bytes`` in total, and ``total``: rows as counted by Altcraft
        or, for a list, as written. With a task, also ``altcraft_task_id``, ``request_id`` and ``replayed``.
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
        # Copied: its fields are rendered in place, and mapped tasks share the object.
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
        """Start the task and wait for it, or read the list."""
        from airflow_provider_altcraft.runtime.storage import location
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        self.check_waiting()
        folder = location("path", self.path)
        if isinstance(self.source, ListExport):
            return self._write_list(context, self.source, folder)
        result = self._started(context, self.source)
        return self.await_end(context, TaskTarget([result["altcraft_task_id"]], keeps_results=True), result)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Download the files of the task."""
        from airflow_provider_altcraft.runtime.storage import location

        super().finish(context, verdict, result)
        made = self.task_result(result["altcraft_task_id"])
        made = made if isinstance(made, dict) else {}
        if made.get("errors"):
            # The errors are not quoted: they may contain profiles.
            raise AltcraftJobFailed(
                f"Task {result['altcraft_task_id']} ended with errors in its result: the export may lack rows. See in"
                " Altcraft why, and clear the task to export again."
            )
        named, total = self.source.files(made), made.get("total")
        if not named and total != 0:
            raise AltcraftJobFailed(f"Task {result['altcraft_task_id']} ended, but its result names no file.")
        folder = location("path", self.path)
        files = [
            self._download(context, url, folder / name) for url, name in zip(named, _file_names(named), strict=True)
        ]
        return {**result, "total": total, "bytes": sum(file["bytes"] for file in files), "files": files}

    def _started(self, context: Any, source: FileExport) -> dict[str, Any]:
        started = self.launch_repeatable(context, source.endpoint, source.params)
        if not started.task_id:
            raise AltcraftJobFailed(f"{source.endpoint}: the answer contains no task id, so there is nothing to fetch.")
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
        size = self.hook.download(named, lambda: self._opened(context, file), before_block=self.check_killed)
        self.log.info("%s: %d bytes.", file, size)
        return {"path": str(file), "bytes": size}

    def _write_list(self, context: Any, source: ListExport, folder: Any) -> dict[str, Any]:
        file = folder / source.name
        with self._opened(context, file) as opened:
            count = source.write(self._until_killed(source.items(self.hook)), opened)
            size = opened.tell()
        self.log.info("%s: %d items, %d bytes.", file, count, size)
        return {"total": count, "bytes": size, "files": [{"path": str(file), "bytes": size}]}

    def _opened(self, context: Any, file: Any) -> AbstractContextManager[IO[bytes]]:
        from airflow_provider_altcraft.runtime.storage import replacing

        self.check_killed()
        return replacing(file, context["ti"].try_number)

    def _until_killed(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.check_killed()
            yield item


def _file_names(urls: Sequence[str]) -> list[str]:
    """The names of the files: Altcraft's own, numbered if they are not unique."""
    names = [url.partition("?")[0].rstrip("/").rpartition("/")[2] for url in urls]
    if len(set(names)) == len(names):
        return names
    return [f"{number}_{name}" for number, name in enumerate(names, start=1)]
