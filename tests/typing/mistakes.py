"""A DAG of mistakes, each of which a type checker must find; ``test_mistakes.py`` compares."""

from __future__ import annotations

from airflow_provider_altcraft.decorators.altcraft import altcraft_import_task
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario, TriggerMailing
from airflow_provider_altcraft.exports import ProfilesExport
from airflow_provider_altcraft.operators.api import AltcraftApiOperator
from airflow_provider_altcraft.operators.campaigns import (
    AltcraftActivateCampaignOperator,
    AltcraftCompleteCampaignOperator,
    AltcraftDeactivateCampaignOperator,
)
from airflow_provider_altcraft.operators.files import AltcraftUploadFileOperator
from airflow_provider_altcraft.operators.goals import AltcraftRegisterGoalsOperator
from airflow_provider_altcraft.operators.mailings import (
    AltcraftActivateMailingOperator,
    AltcraftCloneMailingOperator,
    AltcraftCreateMailingOperator,
    AltcraftDeactivateMailingOperator,
    AltcraftLaunchMailingOperator,
    AltcraftStartTriggerMailingOperator,
    AltcraftUpdateMailingOperator,
)
from airflow_provider_altcraft.operators.profiles import AltcraftImportProfilesOperator
from airflow_provider_altcraft.operators.scenarios import (
    AltcraftActivateScenarioOperator,
    AltcraftDeactivateScenarioOperator,
    AltcraftImportAndStartOperator,
    AltcraftStartScenarioOperator,
)
from airflow_provider_altcraft.operators.segments import AltcraftRefreshSegmentOperator, AltcraftSaveSegmentOperator
from airflow_provider_altcraft.sensors.campaigns import AltcraftCampaignSensor
from airflow_provider_altcraft.sensors.mailings import AltcraftMailingSensor
from airflow_provider_altcraft.sensors.tasks import AltcraftTaskSensor
from airflow_provider_altcraft.transfers.altcraft_to_object_storage import AltcraftToObjectStorageOperator
from airflow_provider_altcraft.transfers.sql_to_altcraft import SqlToAltcraftOperator

# call-arg: "mailing_id"
AltcraftLaunchMailingOperator(task_id="a")
# arg-type: "cancel_on_kill"
AltcraftLaunchMailingOperator(task_id="a", mailing_id=7, cancel_on_kill="yes")
# arg-type: "poll_interval"
AltcraftLaunchMailingOperator(task_id="a", mailing_id=7, poll_interval="30")
# arg-type: "mailing_id"
AltcraftActivateMailingOperator(task_id="a", mailing_id=7.5)
# arg-type: "abort_if_running"
AltcraftDeactivateMailingOperator(task_id="a", mailing_id=7, abort_if_running=None)
# call-arg: "recipient"
AltcraftStartTriggerMailingOperator(task_id="a", trigger_id=9)
# call-arg: "send_channel"
AltcraftCreateMailingOperator(task_id="a", name="x", data_type="list", data_id=1, content=[])
# call-arg: "content"
AltcraftUpdateMailingOperator(task_id="a", mailing_id=7, name="x", data_type="list", data_id=1)
# arg-type: "name"
AltcraftCloneMailingOperator(task_id="a", mailing_id=7, name=7)
# arg-type: "activate_at"
AltcraftActivateCampaignOperator(task_id="a", campaign_id=18, activate_at=5)
# call-arg: "campaign_id"
AltcraftDeactivateCampaignOperator(task_id="a")
# arg-type: "allow_irreversible"
AltcraftCompleteCampaignOperator(task_id="a", campaign_id=18, allow_irreversible="yes")
# arg-type: "on_too_few"
AltcraftRefreshSegmentOperator(task_id="a", segment_id=1, resource_id=1, on_too_few="stop")
# arg-type: "kind"
AltcraftSaveSegmentOperator(task_id="a", name="x", kind="frozen")
# arg-type: "profiles"
AltcraftImportAndStartOperator(task_id="a", profiles=5, workflow_id=12)
# call-arg: "workflow_id"
AltcraftStartScenarioOperator(task_id="a", recipient={"email": "a@b.c"})
# arg-type: "skip_profiles"
AltcraftActivateScenarioOperator(task_id="a", workflow_id=12, skip_profiles="no")
# arg-type: "workflow_id"
AltcraftDeactivateScenarioOperator(task_id="a", workflow_id=[12])
# arg-type: "goals"
AltcraftRegisterGoalsOperator(task_id="a", recipient={}, db_id=1, pixel_id=1, goals="sale")
# arg-type: "mode"
AltcraftImportProfilesOperator(task_id="a", profiles=[], db_id=1, mode="upsert")
# arg-type: "destination"
AltcraftImportProfilesOperator(task_id="a", profiles=[], destination=Scenario(12))
# arg-type: "parameters"
AltcraftApiOperator(task_id="a", endpoint="segments/get", parameters=["id"])
# arg-type: "path"
AltcraftUploadFileOperator(task_id="a", path=5)
# arg-type: "deferrable"
AltcraftCampaignSensor(task_id="a", campaign_id=18, deferrable="yes")
# arg-type: "since"
AltcraftMailingSensor(task_id="a", mailing_id=7, since=0)
# arg-type: "altcraft_task_id"
AltcraftTaskSensor(task_id="a", altcraft_task_id=5)
# call-arg: "path"
AltcraftToObjectStorageOperator(task_id="a", source=ProfilesExport(db_id=1))
# call-arg: "sql_conn_id"
SqlToAltcraftOperator(task_id="a", sql="SELECT 1", destination=ProfileDatabase(1))
# arg-type: "destination"
SqlToAltcraftOperator(task_id="a", sql="", sql_conn_id="w", destination="1")
# arg-type: "nulls"
SqlToAltcraftOperator(task_id="a", sql="", sql_conn_id="w", destination=Scenario(1), nulls="no")
# call-arg: "destination"
altcraft_import_task(batch_size=10)
# arg-type: "on_empty"
altcraft_import_task(destination=TriggerMailing(9), on_empty="stop")
# arg-type: "matching"
ProfileDatabase(db_id=1, matching=5)
