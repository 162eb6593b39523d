"""``@task.altcraft_import``: a function of the DAG's author yields the profiles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    DecoratedOperator,
    TaskDecorator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

from airflow_provider_altcraft.operators.profiles import Profiles, ProfilesOperator
from airflow_provider_altcraft.runtime.compatibility import PushesXCom
from airflow_provider_altcraft.runtime.delivering import DeliveringOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination


class _AltcraftImportDecoratedOperator(DecoratedOperator, ProfilesOperator, PushesXCom):
    """Send the profiles that a function returns or yields.

    :param python_callable: the function. It is called on the worker.
    :param destination: where the profiles go. Its id is templated.
    :param op_args: positional arguments of the function. Templated, but not kept as rendered.
    :param op_kwargs: its keyword arguments, likewise.
    """

    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *DeliveringOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **DeliveringOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.altcraft_import"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Profiles],
        destination: Destination,
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, profiles=(), **kwargs)
        self.destination = copy(destination)
        self.depend_on_files(destination)

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        # Airflow renders mapped tasks by this method too, and afterwards keeps what template_fields name. Arguments
        # from upstream may be rows, which are kept nowhere.
        super()._do_render_template_fields(parent, *args, **kwargs)
        if parent is self:
            self.template_fields = DeliveringOperator.template_fields

    @property
    def origin(self) -> str:
        """The function, for errors."""
        return f"What {self.python_callable.__name__} returns"

    def produced(self, context: Any) -> Any:
        """What the function returns, called with its arguments as for ``@task``."""
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        return self.python_callable(*self.op_args, **arguments)


def altcraft_import_task(python_callable: Callable[..., Profiles] | None = None, **kwargs: Any) -> TaskDecorator:
    """Send the profiles that a function yields: ``@task.altcraft_import(destination=ProfileDatabase(1))``.

    The function is called on the worker, with its arguments as for ``@task``, and what it yields is streamed. Hand it
    ids, dates or paths and read the rows inside: rows that are arguments were in an XCom before.

    :param python_callable: the function.
    :param destination: one of ``delivery.destinations``. Its id is templated.
    :param kwargs: arguments of ``DeliveringOperator``, and those of any task.

    The task returns counters, task ids and where rejects are kept.
    """
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_AltcraftImportDecoratedOperator, **kwargs
    )
