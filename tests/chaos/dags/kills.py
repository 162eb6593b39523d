"""One DAG for each case: a task whose process kills itself, once, at its step."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from tests.chaos import steps


class Dying:
    """An operator whose process is gone at a step, the first time it gets there."""

    case: steps.Case

    def die_at(self, step, by=signal.SIGKILL):
        marker = Path(os.environ["CHAOS_HOME"]) / f"{self.dag_id}.killed"
        if step == self.case.step and not marker.exists():
            marker.write_text(step)
            os.kill(os.getpid(), by)

    def work(self, context):
        client = self.hook.client
        client.call, client.call_batch = self._dying(client.call), self._dying(client.call_batch)
        return super().work(context)

    def _dying(self, call):
        def dying(name, *args, **kwargs):
            launches = name == self.case.endpoint
            if launches:
                self.die_at(steps.BEFORE_REQUEST)
                threading.Thread(target=self._die_as_altcraft_works, daemon=True).start()
            reply = call(name, *args, **kwargs)
            if launches:
                self.die_at(steps.BEFORE_STORING)
            return reply

        return dying

    def _die_as_altcraft_works(self):
        """Altcraft is slow for these two steps; it shows when the request has arrived, and when it is done."""
        if self.case.step not in (steps.ON_THE_WIRE, steps.BEFORE_ANSWER):
            return
        altcraft = os.environ["CHAOS_ALTCRAFT"]
        while True:
            with urlopen(f"{altcraft}/_sandbox/journal?endpoint={self.case.endpoint}", timeout=5) as answer:
                if any(self.case.where.items() <= call["request"].items() for call in json.load(answer)):
                    self.die_at(steps.ON_THE_WIRE)
            with urlopen(f"{altcraft}/_sandbox/deliveries", timeout=5) as answer:
                if any(launch["mailing_id"] == self.case.mailing_id for launch in json.load(answer)["launches"]):
                    self.die_at(steps.BEFORE_ANSWER)
            time.sleep(0.05)

    def await_end(self, context, watch, result):
        self.die_at(steps.BEFORE_WAITING)
        return super().await_end(context, watch, result)

    def sleep(self, seconds):
        self.die_at(steps.WAITING)
        self.die_at(steps.SIGTERM, by=signal.SIGTERM)
        super().sleep(seconds)

    def finish(self, context, verdict, result):
        self.die_at(steps.IN_THE_RESUME)
        return super().finish(context, verdict, result)


class DyingLaunch(Dying, AltcraftLaunchMailingOperator):
    """A launch."""


class DyingImport(Dying, AltcraftImportAndStartOperator):
    """A batch into a trigger mailing."""


OPERATORS = {
    "launch": lambda case, **how: DyingLaunch(mailing_id=case.mailing_id, cancel_on_kill=case.cancel, **how),
    "import": lambda case, **how: DyingImport(
        trigger_id=case.mailing_id, profiles=steps.PROFILES, batch_size=3, max_in_flight=1, **how
    ),
}

for each in steps.cases():
    with DAG(
        each.dag_id,
        schedule="@once",
        start_date=pendulum.datetime(2026, 1, 1),
        is_paused_upon_creation=False,
        catchup=False,
    ) as dag:
        OPERATORS[each.job](
            each,
            task_id="task",
            deferrable=each.deferred,
            poll_interval=1,
            timeout=600,
            # More than the kills: on a busy machine, Airflow gives up a slow worker of its own accord, too.
            retries=5,
            retry_delay=timedelta(seconds=1),
        ).case = each
    globals()[each.dag_id] = dag
