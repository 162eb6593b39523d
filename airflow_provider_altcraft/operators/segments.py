"""Segments: create, change and count them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowSkipException, XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.base import AltcraftOperator
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.counters import SegmentCounters
    from airflow_provider_altcraft.waiting.policy import Verdict

SUBSCRIBED = "subscribed_sendable"


class AltcraftRefreshSegmentOperator(WaitingOperator):
    """Recount the subscriptions in a segment, wait for the result, and return the counters (CONTRACT 9).

    With bounds it guards a launch: too many subscriptions fail the task, too few fail or skip it. The bounds apply to
    ``subscribed_sendable`` of one channel; a profile may have several subscriptions, so this is not quite messages.

    :param segment_id: the segment. Templated.
    :param resource_id: the resource whose subscriptions are counted. Templated.
    :param db_id: the database, for a dynamic segment. Templated.
    :param channel: the channel the bounds apply to. One that Altcraft does not name has no subscriptions.
    :param min_subscribed: the lower bound. Templated.
    :param max_subscribed: the upper bound. Templated.
    :param on_too_few: ``fail`` or ``skip`` the task.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls, ±20%.
    :param timeout: seconds to wait in total; Altcraft keeps working after that.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task counts again.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``segment_id``, ``resource_id``, ``counters`` (channel -> ``subscribed_sendable`` and
        ``unconfirmed_sendable``), ``altcraft_task_id``, ``request_id`` and ``replayed``.
    """

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "segment_id",
        "resource_id",
        "db_id",
        "min_subscribed",
        "max_subscribed",
    )

    def __init__(
        self,
        *,
        segment_id: int | str | XComArg,
        resource_id: int | str | XComArg,
        db_id: int | str | XComArg | None = None,
        channel: str = "email",
        min_subscribed: int | str | XComArg | None = None,
        max_subscribed: int | str | XComArg | None = None,
        on_too_few: Literal["fail", "skip"] = "fail",
        deferrable: bool = default_deferrable(),
        poll_interval: float = 10,
        timeout: float = 86_400,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool = True,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.segment_id = segment_id
        self.resource_id = resource_id
        self.db_id = db_id
        self.channel = channel
        self.min_subscribed = min_subscribed
        self.max_subscribed = max_subscribed
        self.on_too_few = on_too_few
        # There is nothing to return before the end.
        self.wait_for_completion = True
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.request_id = request_id
        self.relaunch_on_clear = relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> Any:
        """Start the recount."""
        from airflow_provider_altcraft.waiting.targets import TaskTarget

        self.check_waiting()
        params = self._params()
        self._bounds()
        started = self.launch_repeatable(context, "segments/refresh_counters", params)
        if not started.task_id:
            raise AltcraftJobFailed(
                "segments/refresh_counters: the answer contains no task id, so there is no way to tell when it is done."
            )
        result = {
            "segment_id": params["id"],
            "resource_id": params["resource_id"],
            "altcraft_task_id": started.task_id,
            "request_id": started.request_id,
            "replayed": started.replayed,
        }
        return self.await_end(context, TaskTarget([started.task_id]), result)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Read the counters and compare them with the bounds."""
        from airflow_provider_altcraft.api.counters import counters_of, summary

        super().finish(context, verdict, result)
        counters = counters_of(self.hook.call("segments/get_counters", self._params()).data)
        self.log.info("Segment %s: %s", result["segment_id"], summary(counters))
        self._guard(counters)
        return {**result, "counters": counters}

    def _params(self) -> dict[str, Any]:
        from airflow_provider_altcraft.api.objects import identifier

        return {
            "id": identifier("segment_id", self.segment_id),
            "resource_id": identifier("resource_id", self.resource_id),
            # The catalogue maps it to list_id for the other call (CONTRACT 9).
            "db_id": None if self.db_id is None else identifier("db_id", self.db_id),
        }

    def _bounds(self) -> tuple[int | None, int | None]:
        from airflow_provider_altcraft.api.objects import identifier

        lowest, highest = (
            None if value is None else identifier(name, value)
            for name, value in (("min_subscribed", self.min_subscribed), ("max_subscribed", self.max_subscribed))
        )
        if lowest is not None and highest is not None and lowest > highest:
            raise AltcraftConfigurationError(f"min_subscribed={lowest} is above max_subscribed={highest}.")
        if self.on_too_few not in ("fail", "skip"):
            raise AltcraftConfigurationError(f"on_too_few must be 'fail' or 'skip', not {self.on_too_few!r}.")
        return lowest, highest

    def _guard(self, counters: SegmentCounters) -> None:
        """Check that the subscriptions are within the bounds.

        :raises AltcraftJobFailed: if they are not, or the counters do not say.
        :raises AirflowSkipException: if they are too few and ``on_too_few`` is ``skip``.
        """
        from airflow_provider_altcraft.api.counters import number_of

        lowest, highest = self._bounds()
        if lowest is None and highest is None:
            return
        counted = counters.get(self.channel, {})
        if SUBSCRIBED not in counted and lowest is None:
            raise AltcraftJobFailed(
                f"Segment {self.segment_id}: the counters have no {SUBSCRIBED} for the channel {self.channel!r}, so"
                f" max_subscribed={highest} cannot be checked. Their channels: {', '.join(counters) or 'none'}."
            )
        subscribed = number_of(counted.get(SUBSCRIBED, 0))
        if highest is not None and subscribed > highest:
            raise AltcraftJobFailed(
                f"Segment {self.segment_id} has {subscribed:,} subscribed to {self.channel}, more than"
                f" max_subscribed={highest}."
            )
        if lowest is not None and subscribed < lowest:
            too_few = AltcraftJobFailed(
                f"Segment {self.segment_id} has {subscribed:,} subscribed to {self.channel}, fewer than"
                f" min_subscribed={lowest}."
            )
            raise AirflowSkipException(f"{too_few} (on_too_few='skip')") if self.on_too_few == "skip" else too_few


class AltcraftSaveSegmentOperator(AltcraftOperator):
    """Create or change a segment (CONTRACT 9). A new one is created once per task and DAG run, however often retried.

    :param name: its name. Templated.
    :param rules: groups of rules, each ``{"condition": "and" | "or", "queries": [...]}``. Every kind except ``static``
        needs them, also when it is changed. Templated.
    :param segment_id: the segment to change; without it, one is created. Templated.
    :param kind: kind of a new segment: ``dynamic`` (the default) applies its rules whenever it is used, ``refreshed``
        once a day; ``static`` holds chosen profiles.
    :param db_id: the database of a ``static`` or ``refreshed`` segment; a ``dynamic`` one has it in its rules, as
        ``list_id``. Templated.
    :param request_id: your own id to derive the Request-ID from, instead of dag, run and task. Templated.
    :param relaunch_on_clear: whether clearing the task saves again; by default, a change is, a new segment is not.
    :param altcraft_conn_id: the connection. Templated.
    :returns: the id of the segment.
    """

    template_fields: Sequence[str] = (*AltcraftOperator.template_fields, "name", "rules", "segment_id", "db_id")

    def __init__(
        self,
        *,
        name: str | XComArg,
        rules: Sequence[Mapping[str, Any]] | XComArg = (),
        segment_id: int | str | XComArg | None = None,
        kind: Literal["dynamic", "refreshed", "static"] | None = None,
        db_id: int | str | XComArg | None = None,
        request_id: str | XComArg | None = None,
        relaunch_on_clear: bool | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.rules = rules
        self.segment_id = segment_id
        self.kind = kind
        self.db_id = db_id
        self.request_id = request_id
        self.relaunch_on_clear = segment_id is not None if relaunch_on_clear is None else relaunch_on_clear
        self.altcraft_conn_id = altcraft_conn_id

    def work(self, context: Any) -> int:
        """Save it."""
        from airflow_provider_altcraft.api.arguments import rendered
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.launching.identity import Launch

        params: dict[str, Any] = {
            "name": rendered("name", self.name),
            "segment": self._rules(),
            "db_id": None if self.db_id is None else identifier("db_id", self.db_id),
        }
        if self.segment_id is None:
            created = self.launch(
                context, Launch("segments/add", {**params, **self._kind()}, about=(), shows_values=True)
            )
            self.log.info(
                "Segment %d %s.",
                created.saved_id,
                "was created by an earlier try" if created.replayed else "created",
            )
            return created.saved_id
        if self.kind is not None:
            raise AltcraftConfigurationError("kind is for a new segment only: it cannot be changed.")
        if not self.rules and self.db_id is None:
            # A dynamic segment without rules might match everybody.
            raise AltcraftConfigurationError(
                "This change would remove the segment's rules: repeat them. For a static segment, which has none, give"
                " db_id."
            )
        segment_id = identifier("segment_id", self.segment_id)
        self.launch(context, Launch("segments/update", {"id": segment_id, **params}))
        return segment_id

    def _rules(self) -> list[dict[str, Any]]:
        """The groups of rules.

        :raises AltcraftConfigurationError: for anything else, such as the string that a template renders to.
        """
        rules = self.rules
        if not isinstance(rules, list | tuple) or not all(isinstance(group, Mapping) for group in rules):
            raise AltcraftConfigurationError(
                "rules must be a list of groups, each {'condition': ..., 'queries': [...]}."
            )
        return [dict(group) for group in rules]

    def _kind(self) -> dict[str, Any]:
        """The parameters for its kind.

        :raises AltcraftConfigurationError: for arguments that do not fit the kind.
        """
        kind = "dynamic" if self.kind is None else self.kind
        if kind not in ("dynamic", "refreshed", "static"):
            raise AltcraftConfigurationError(f"kind must be 'dynamic', 'refreshed' or 'static', not {kind!r}.")
        if (kind == "static") == bool(self.rules):
            raise AltcraftConfigurationError("A segment needs rules, unless it is static: then it takes none.")
        if (kind == "dynamic") == (self.db_id is not None):
            raise AltcraftConfigurationError(
                "A static or refreshed segment needs db_id; a dynamic one has its database in its rules, as list_id."
            )
        return {
            "is_static": kind != "dynamic",
            "is_refresh_daily": kind == "refreshed",
            **({} if self.rules else {"segment": None}),
        }
