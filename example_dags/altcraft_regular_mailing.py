"""A regular mailing, created from a cron schedule."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.api.objects import Content, StartSchedule
from airflow_provider_altcraft.operators.mailings import AltcraftCreateMailingOperator

with DAG(
    "altcraft_regular_mailing",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    tags=["altcraft", "example"],
):
    # --8<-- [start:create]
    AltcraftCreateMailingOperator(
        task_id="create",
        name="Digest of {{ ds }}",
        mailing_type="regular",
        data_type="list",
        data_id=1,
        content=[Content(message_id=15, subject="What happened this week", from_name="Paul")],
        send_channel="email",
        # Sunday is 0 in this installation; Altcraft does not document this, so it must be given.
        start_schedule=StartSchedule.from_cron("30 9 * * 1", sunday=0),
        is_active=True,
    )
    # --8<-- [end:create]
