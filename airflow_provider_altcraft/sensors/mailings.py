"""Waiting for a run of a mailing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError
from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.sensor import AltcraftSensor

if TYPE_CHECKING:
    from airflow_provider_altcraft.waiting.policy import Verdict
    from airflow_provider_altcraft.waiting.targets import Target


class AltcraftMailingSensor(AltcraftSensor):
    """Wait until a run of a mailing, and any runs overlapping it, have ended according to its log (CONTRACT 5.2).

    :param mailing_id: the mailing. Templated.
    :param since: the output of ``AltcraftLaunchMailingOperator(wait_for_completion=False)`` for the same mailing: it
        holds the position in the log before the launch, so no clocks are compared. Or a time, RFC 3339 by the server's
        clock; runs that started before it are ignored. By default, the start of the DAG run, adjusted to the server's
        clock. Templated.
    :param accept_errors: whether a run whose end is logged at level ERROR still counts as a success. The result says so
        in any case, as ``ended_in_error``.
    :param deferrable: wait in the triggerer, without holding a worker; default ``[operators] default_deferrable``.
    :param poll_interval: seconds between polls; another name for Airflow's ``poke_interval``.
    :param altcraft_conn_id: the connection. Templated.
    :returns: ``finished_at`` and ``ended_in_error``. ``timeout``, ``soft_fail`` and ``mode`` are Airflow's.
    """

    template_fields: Sequence[str] = (*AltcraftSensor.template_fields, "mailing_id", "since")

    def __init__(
        self,
        *,
        mailing_id: int | str | XComArg,
        since: str | datetime | Mapping[str, Any] | XComArg | None = None,
        accept_errors: bool = False,
        deferrable: bool = default_deferrable(),
        poll_interval: float | None = None,
        altcraft_conn_id: str = "altcraft_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            deferrable=deferrable, poll_interval=poll_interval, altcraft_conn_id=altcraft_conn_id, **kwargs
        )
        self.mailing_id = mailing_id
        self.since = since
        self.accept_errors = accept_errors

    def target(self, context: Any) -> Target:
        """The mailing, from ``since`` on.

        :raises AltcraftConfigurationError: if ``since`` is the output of a launch of another mailing.
        """
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.waiting.targets import MailingTarget

        mailing_id = identifier("mailing_id", self.mailing_id)
        since: Any = self.since
        mark = None
        if isinstance(since, Mapping):
            _check_same_mailing(mailing_id, since.get("mailing_id"))
            since, mark = since.get("launched_at"), since.get("log_mark")
        if since is None:
            since = self._start_of_the_run(context, mailing_id)
        moment = since.isoformat() if isinstance(since, datetime) else str(since)
        return MailingTarget(mailing_id, moment, mark=mark, accept_errors=self.accept_errors)

    def finish(self, verdict: Verdict) -> Any:
        """Return when the run ended; warn if it ended in an error."""
        result = super().finish(verdict)
        if result.get("ended_in_error"):
            self.log.warning("Mailing %s ended with an ERROR in its log.", self.mailing_id)
        return result

    def _start_of_the_run(self, context: Any, mailing_id: int) -> datetime:
        """When the DAG run started, by the server's clock."""
        started = context["dag_run"].start_date
        reply = self.hook.call("campaigns/get_status", {"id": mailing_id})
        now = datetime.now(UTC)
        # The server's clock comes in whole seconds.
        ahead = (reply.server_time or now) - now
        return cast("datetime", started + ahead - timedelta(seconds=1))


def _check_same_mailing(mailing_id: int, launched: Any) -> None:
    """Check that the mark is of this log: with another's, all older starts in this one would pass for ours."""
    if str(launched) != str(mailing_id):
        raise AltcraftConfigurationError(
            f"mailing_id is {mailing_id}, but since is the output of a launch of {launched}. A retry picks up what was"
            " launched first, even if its arguments have changed. Take mailing_id from the same output."
        )
