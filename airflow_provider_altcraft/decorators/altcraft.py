"""``@task.altcraft_import``: import the profiles that a function yields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Literal, ParamSpec

from airflow.providers.common.compat.sdk import (
    DecoratedOperator,
    TaskDecorator,
    XComArg,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

from airflow_provider_altcraft.runtime.compatibility import PushesXCom, default_deferrable
from airflow_provider_altcraft.runtime.delivering import DeliveringOperator
from airflow_provider_altcraft.runtime.profiles import Profiles, ProfilesOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.encoding import NullPolicy


Arguments = ParamSpec("Arguments")


class _AltcraftImportDecoratedOperator(DecoratedOperator, ProfilesOperator, PushesXCom):
    """Send the profiles that a function returns or yields."""

    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *DeliveringOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **DeliveringOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.altcraft_import"

    def __init__(
        self,
        *,
        destination: Destination,
        batch_size: int = 10_000,
        max_in_flight: int = 4,
        nulls: NullPolicy | Mapping[str, NullPolicy] = "omit",
        timezone: str = "UTC",
        reject_path: str | XComArg | None = None,
        max_rejects: int = 0,
        max_reject_ratio: float | None = None,
        rejects_from: str | XComArg | None = None,
        on_empty: Literal["succeed", "skip", "fail"] = "succeed",
        changes_only: bool = False,
        changes_key: Sequence[str] | None = None,
        ledger_path: str | XComArg | None = None,
        ledger_table: str | XComArg | None = None,
        ledger_conn_id: str | XComArg | None = None,
        check_fields: bool = True,
        dry_run: bool = False,
        sample_size: int = 1_000,
        wait_for_completion: bool = True,
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        # The function and its arguments are in kwargs, for Airflow's own class.
        super().__init__(**kwargs)
        # Copied: its fields are rendered in place, and mapped tasks share the object.
        self.destination = copy(destination)
        self.depend_on_destination()
        self.batch_size = batch_size
        self.max_in_flight = max_in_flight
        self.nulls = nulls
        self.timezone = timezone
        self.reject_path = reject_path
        self.max_rejects = max_rejects
        self.max_reject_ratio = max_reject_ratio
        self.rejects_from = rejects_from
        self.on_empty = on_empty
        self.changes_only = changes_only
        self.changes_key = changes_key
        self.ledger_path = ledger_path
        self.ledger_table = ledger_table
        self.ledger_conn_id = ledger_conn_id
        self.check_fields = check_fields
        # Not named dry_run: BaseOperator has a method of that name, for the command line.
        self.is_dry_run = dry_run
        self.sample_size = sample_size
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        # Airflow also renders mapped tasks through this method, and afterwards stores everything in template_fields.
        # The function's arguments may be rows from upstream, which must not be stored.
        super()._do_render_template_fields(parent, *args, **kwargs)
        if parent is self:
            self.template_fields = DeliveringOperator.template_fields

    @property
    def origin(self) -> str:
        """The function, for error texts."""
        return f"What {self.python_callable.__name__} returns"

    def produced(self, context: Any) -> Any:
        """Call the function with its arguments, as ``@task`` does."""
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        return self.python_callable(*self.op_args, **arguments)


def _takes_arguments_of(
    operator: Callable[Arguments, object],
) -> Callable[[Callable[..., TaskDecorator]], Callable[Arguments, TaskDecorator]]:
    """Give a decorator the signature of its operator, for editors, type checkers and ``inspect``.

    The defaults must not be passed on: they would override the DAG's ``default_args``.
    """

    def shown(function: Callable[..., TaskDecorator]) -> Callable[Arguments, TaskDecorator]:
        function.__signature__ = signature(operator)  # type: ignore[attr-defined]
        return function

    return shown


@_takes_arguments_of(_AltcraftImportDecoratedOperator)
def altcraft_import_task(python_callable: Callable[..., Profiles] | None = None, **kwargs: Any) -> TaskDecorator:
    """Send the profiles that a function yields: ``@task.altcraft_import(destination=ProfileDatabase(1))``.

    The function is called on the worker, as with ``@task``, and the profiles it yields are streamed. Pass it ids, dates
    or paths, and read the rows inside: rows passed as arguments have been in an XCom.

    :param destination: where the profiles go. Its id is templated.
    :param batch_size: maximum rows per request; Altcraft recommends no more than 10,000 (CONTRACT 1.5).
    :param max_in_flight: maximum concurrent requests.
    :param nulls: what to do with missing values: ``omit`` keeps what Altcraft has, ``send`` clears it; or a
        dictionary of field -> either of these.
    :param timezone: time zone of datetimes that have none.
    :param reject_path: folder for rejected rows and their reasons: a local path or an object store URL
        (``s3://conn@bucket/path``). It holds personal data. Templated.
    :param max_rejects: how many rejected rows to tolerate. Above 0 it needs ``reject_path``, so that a successful task
        never loses rows.
    :param max_reject_ratio: the same as a fraction of the rows sent, 0 to 1; the larger limit applies.
    :param rejects_from: a folder or file of repaired rejects to send instead of the source. Ignored if empty, so it
        can be set from a DAG run parameter. Templated.
    :param on_empty: what to do if there are no rows: ``succeed``, ``skip`` the task, or ``fail`` it.
    :param changes_only: skip rows that have not changed since Altcraft last accepted them. Needs a ledger, and a
        destination that answers at once.
    :param changes_key: the fields that identify a row in the ledger; by default, the destination's key fields.
    :param ledger_path: folder for the ledger, local or in an object store. It holds only hashes. Templated.
    :param ledger_table: table for the ledger, instead of a folder. Templated.
    :param ledger_conn_id: the connection for that table. Templated.
    :param check_fields: check with Altcraft before the first row that the database has the fields.
    :param dry_run: send nothing: read, map and check a sample, and log what a full run would send.
    :param sample_size: rows in that sample.
    :param wait_for_completion: wait for the end, or return once Altcraft has started.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task sends all rows again; by default, only if that reaches nobody.
    :param altcraft_conn_id: the connection. Templated.
    :returns: counters, task ids and where rejects are kept.
    """
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_AltcraftImportDecoratedOperator, **kwargs
    )
