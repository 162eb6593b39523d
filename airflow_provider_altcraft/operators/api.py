"""Call any method of Altcraft's API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.templates import is_open
from airflow_provider_altcraft.runtime.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting.policy import Verdict


class AltcraftApiOperator(WaitingOperator):
    """Call any endpoint of the catalogue (``docs/endpoints.md``), and wait for the task it starts, if any.

    Reads are called directly. Any other call happens once, however often the task is tried. Arguments are checked when
    the DAG is parsed as far as they are known, the rest before the call. Items of a batch that Altcraft rejects are in
    the result and do not fail the task; to account for rows, use the operators for rows.

    :param endpoint: its name, e.g. ``segments/refresh_counters``.
    :param parameters: its parameters, without the token, under the API's names or the catalogue's aliases. Not called
        ``params``, which is Airflow's own. Templated.
    :param undocumented_parameters: parameters your installation takes that are not documented; sent unchecked.
        Documented ones belong in ``parameters``, where they are checked. Templated.
    :param allow_irreversible: set ``True`` for an endpoint whose work cannot be undone.
    :param all_pages: for a list: read all its pages instead of one.
    :param result_path: a file for the result: a local path or an object store URL. Templated.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task calls again; by default, only if the call is safe to repeat.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the payload of the answer or, if the call starts a task, the task's result; without
        ``wait_for_completion``, the task id. With ``result_path``, the result is written there as JSON, and ``path``,
        ``count`` and ``bytes`` are returned. Without it, a result over 48 KB fails a read; for a write, which has
        happened by then, its beginning is returned: ``truncated``, ``count``, ``bytes``, ``beginning``.
    """

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "parameters",
        "undocumented_parameters",
        "result_path",
    )

    def __init__(
        self,
        *,
        endpoint: str,
        parameters: Mapping[str, Any] | XComArg | None = None,
        undocumented_parameters: Mapping[str, Any] | XComArg | None = None,
        allow_irreversible: bool = False,
        all_pages: bool = False,
        result_path: str | XComArg | None = None,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 30,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check(endpoint, allow_irreversible=allow_irreversible, all_pages=all_pages, has_path=result_path is not None)
        _check_parameters(endpoint, parameters, undocumented_parameters)
        self.endpoint = endpoint
        self.parameters: Any = parameters
        self.undocumented_parameters: Any = undocumented_parameters
        self.allow_irreversible = allow_irreversible
        self.all_pages = all_pages
        self.result_path = result_path
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> Any:
        """Make the call."""
        from airflow_provider_altcraft.api.endpoints import Effect, ResponseKind, endpoint
        from airflow_provider_altcraft.api.parameters import written
        from airflow_provider_altcraft.runtime.storage import location

        self.check_waiting()
        row = endpoint(self.endpoint)
        parameters = self.parameters or {}
        undocumented = self.undocumented_parameters
        written(row, parameters, undocumented=undocumented)
        if self.result_path is not None:
            location("result_path", self.result_path)
        if row.answer is ResponseKind.FILE:
            return self._download(context, str(parameters["file"]))
        if row.effect is not Effect.READ:
            return self._launch(context, parameters, expects_task=row.task is not None)
        if self.all_pages:
            items = self.hook.iterate(row.name, parameters, undocumented=undocumented)
            return self._result(context, items, made=False)
        return self._result(context, self.hook.call(row.name, parameters, undocumented=undocumented).data, made=False)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Return the Altcraft task's result."""
        found = super().finish(context, verdict, result)
        if found.get("rejected"):
            self.log.warning("The task rejected %d of its items; its result says why.", found["rejected"])
        return self._result(context, self.task_result(result["altcraft_task_id"]), made=True)

    def _launch(self, context: Any, parameters: Mapping[str, Any], *, expects_task: bool) -> Any:
        from airflow_provider_altcraft.launching.targets import launch_of
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        launched = self.launch(context, launch_of(self.endpoint, parameters, self.undocumented_parameters))
        task_id = launched.task_id
        self.log.info(
            "%s: %s%s (Request-ID %s).",
            self.endpoint,
            "done before" if launched.replayed else "done",
            f", task {task_id}" if task_id else "",
            launched.request_id,
        )
        if task_id is None:
            if expects_task and self.wait_for_completion:
                raise AltcraftJobFailed(
                    f"{self.endpoint}: the answer contains no task id, so there is nothing to wait for. Set"
                    " wait_for_completion=False to accept this."
                )
            return self._result(context, launched.data, made=True)
        if not self.wait_for_completion:
            return task_id
        return self.await_end(context, TaskTarget([task_id], keeps_results=True), {"altcraft_task_id": task_id})

    def _download(self, context: Any, file: str) -> dict[str, Any]:
        from airflow_provider_altcraft.runtime.storage import location, replacing

        path = location("result_path", self.result_path)
        try_number = context["ti"].try_number
        size = self.hook.download(file, lambda: replacing(path, try_number), before_block=self.check_killed)
        return {"path": str(path), "count": 1, "bytes": size}

    def _result(self, context: Any, data: Any, *, made: bool) -> Any:
        """The task's return value.

        :param data: the result, or an iterator of its items.
        :param made: whether the call has changed something, so that a large answer must not fail the task.
        """
        from airflow_provider_altcraft.runtime.results import for_xcom, write_json
        from airflow_provider_altcraft.runtime.storage import location

        if self.result_path is None:
            return for_xcom(data, may_cut=made, warn=self.log.warning)
        written = write_json(
            location("result_path", self.result_path), context["ti"].try_number, data, before_item=self.check_killed
        )
        self.log.info("%s: %d bytes.", written["path"], written["bytes"])
        return written


def _check(name: str, *, allow_irreversible: bool, all_pages: bool, has_path: bool) -> None:
    """Check the arguments while the DAG is parsed.

    :raises AltcraftConfigurationError: naming the argument that is wrong.
    """
    from airflow_provider_altcraft.api.endpoints import Effect, ResponseKind, endpoint

    row = endpoint(name)
    if row.effect is Effect.IRREVERSIBLE and allow_irreversible is not True:
        raise AltcraftConfigurationError(f"{row.name} cannot be undone. Set allow_irreversible=True.")
    if all_pages and (row.effect is not Effect.READ or row.answer is ResponseKind.FILE):
        raise AltcraftConfigurationError(f"all_pages is for lists, and {row.name} is not one.")
    if row.answer is ResponseKind.FILE and not has_path:
        raise AltcraftConfigurationError(f"{row.name} needs result_path: a file cannot be an XCom.")


def _check_parameters(name: str, parameters: Any, undocumented: Any) -> None:
    """Check the parameters of the call as far as they are known.

    :raises AltcraftConfigurationError: naming the parameter that is wrong.
    """
    from airflow_provider_altcraft.api.endpoints import endpoint
    from airflow_provider_altcraft.api.parameters import check

    if parameters is None or isinstance(parameters, Mapping):
        named = undocumented if isinstance(undocumented, Mapping) else None
        check(endpoint(name), parameters or {}, is_open, undocumented=named)
