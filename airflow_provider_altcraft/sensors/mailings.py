"""Waiting for a run of a mailing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.sensors.base import AltcraftSensor

if TYPE_CHECKING:
    from airflow_provider_altcraft.watches import Watch


class AltcraftMailingSensor(AltcraftSensor):
    """Wait until a run of a mailing has ended, by its log and the server's clock (CONTRACT 5.2).

    :param mailing_id: the mailing. Templated.
    :param since: RFC 3339; runs that began before do not count. After a launch by
        ``AltcraftLaunchMailingOperator(wait_for_completion=False)`` it is that task's ``launched_at``; the start
        of the DAG run if it is not given. Templated.

    Returns ``finished_at``. What else it takes: ``AltcraftSensor``.
    """

    template_fields: Sequence[str] = (*AltcraftSensor.template_fields, "mailing_id", "since")

    def __init__(
        self,
        *,
        mailing_id: int | str,
        since: str | datetime | None = "{{ dag_run.start_date.isoformat() }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mailing_id = mailing_id
        self.since = since

    def watch(self, context: Any) -> Watch:
        """The mailing, from that moment on."""
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.watches import MailingWatch

        since = self.since.isoformat() if isinstance(self.since, datetime) else str(self.since)
        return MailingWatch(identifier("mailing_id", self.mailing_id), since)
