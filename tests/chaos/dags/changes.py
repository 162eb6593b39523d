"""One DAG for each case: what it is asked for is read from files that change between its tries."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.operators.scenarios import AltcraftImportAndStartOperator
from tests.chaos import changes

NOW = "{{ macros.datetime.utcnow().isoformat() }}"


def launch(case, **arguments):
    return AltcraftLaunchMailingOperator(**{"task_id": "launch", "mailing_id": case.mailings[0], **arguments})


@task
def upstream(name, otherwise):
    return changes.said(name, otherwise)


@task
def hold(name):
    while not changes.said(name, False):
        time.sleep(0.2)


@task
def done():
    pass


def mapped(case):
    first, _, third = case.mailings
    listed = upstream(case.dag_id, [first, third])
    AltcraftLaunchMailingOperator.partial(task_id="launch").expand(mailing_id=listed)


def segments(case):
    AltcraftLaunchMailingOperator.partial(
        task_id="launch", mailing_id=case.mailings[0], override_source_type="segment"
    ).expand(override_source_id=list(changes.SEGMENTS))


def content_changed(case):
    subject = f"{{{{ said('{case.dag_id}', 'Old') }}}}"
    launch(case, content={"message_id": 1, "subject": subject})


def source_grown(case):
    def source():
        """Another row is at its front from the second time on that it is read."""
        people = changes.said(case.dag_id, case.people)
        changes.say(case.dag_id, [{"email": f"{case.dag_id}-new@example.com"}, *case.people])
        return people

    rejects = None if case.deferred else f"{os.environ['CHAOS_HOME']}/rejects"
    AltcraftImportAndStartOperator(
        task_id="launch",
        profiles=source,
        workflow_id=case.mailings[0],
        batch_size=4,
        timeout=2,
        retries=6,
        reject_path=rejects,
        altcraft_conn_id="altcraft_kept" if case.deferred else "altcraft_plain",
    )


def retries_changed(case, first, then, **arguments):
    def change(context):
        changes.say(case.dag_id, then)
        Path(os.environ["CHAOS_DAG_FILE"]).touch()

    launch(case, retries=changes.said(case.dag_id, first), on_retry_callback=change, **arguments)


def renamed(case):
    launch(case, task_id=changes.said(case.dag_id, "launch"))
    hold(f"{case.dag_id}.released")


def renamed_and_cleared(case):
    launch(case, task_id=changes.said(case.dag_id, "launch")) >> done()


TASKS = {
    "mapped": mapped,
    "content_changed": content_changed,
    "content_rendered_anew": lambda case: launch(case, content={"message_id": 1, "subject": NOW}),
    "relaunched": lambda case: launch(case, relaunch_on_clear=True, content={"message_id": 1, "subject": NOW}),
    "source_grown": source_grown,
    "answer_lost": lambda case: launch(case, altcraft_conn_id="altcraft_patient"),
    "cleared_running": launch,
    "relaunched_running": lambda case: launch(case, relaunch_on_clear=True),
    "other_deployment": launch,
    "deployment_named": lambda case: launch(case, altcraft_conn_id="altcraft_production"),
    "last_try_cleared_running": lambda case: launch(case, retries=0),
    "last_try_relaunched_running": lambda case: launch(case, retries=0, relaunch_on_clear=True),
    "retries_raised": lambda case: retries_changed(case, 2, 5),
    "retries_lowered": lambda case: retries_changed(case, 3, 2, relaunch_on_clear=True),
    "renamed": renamed,
    "renamed_and_cleared": renamed_and_cleared,
    "segments": segments,
    "try_lost": launch,
}

for each in changes.cases():
    with DAG(
        each.dag_id,
        schedule="@once",
        start_date=pendulum.parse(os.environ[changes.START]),
        is_paused_upon_creation=False,
        catchup=False,
        user_defined_macros={"said": changes.said},
        default_args={
            "altcraft_conn_id": "altcraft_kept" if each.keeps else "altcraft_plain",
            "deferrable": each.deferred,
            "poll_interval": 1,
            "timeout": 600,
            "retries": 2,
            "retry_delay": timedelta(seconds=1),
        },
    ) as dag:
        TASKS[each.name](each)
    globals()[each.dag_id] = dag
