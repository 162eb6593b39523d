"""Profiles that come from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_altcraft.runtime.compatibility import default_deferrable
from airflow_provider_altcraft.runtime.profiles import Profiles, ProfilesOperator
from airflow_provider_altcraft.runtime.templates import check_one_of

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination, ProfileDatabase
    from airflow_provider_altcraft.delivery.encoding import NullPolicy


class AltcraftImportProfilesOperator(ProfilesOperator):
    """Import profiles into a database (CONTRACT 8.2-8.4). Altcraft answers at once, row by row.

    :param profiles: a list of profiles, the output of a task (``extract.output``), or a callable that returns or yields
        them.
    :param db_id: the database. Templated. Either this, with the arguments below, or ``destination``.
    :param mode: ``import`` adds or updates, ``update`` skips unknown profiles, ``add`` does not look for any.
    :param matching: how to find a row's profile (CONTRACT 1.9).
    :param field_name: the profile field to look in, for ``custom`` matching.
    :param resource_id: the resource whose subscriptions are searched, for matching by email or phone. Templated.
    :param skip_triggers: do not fire triggers and scenarios on import or update.
    :param skip_invalid_subscriptions: accept a profile without its invalid subscriptions.
    :param detect_geo: detect the location from the profile's IP address.
    :param destination: the database and all these settings as one object. Its ids are templated.
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
    :returns: counters, and where rejects are kept.
    """

    template_fields: Sequence[str] = (*ProfilesOperator.template_fields, "db_id", "resource_id")

    def __init__(
        self,
        *,
        profiles: Profiles | Callable[[], Profiles] | XComArg,
        db_id: int | str | XComArg | None = None,
        mode: Literal["import", "update", "add"] = "import",
        matching: str = "email",
        field_name: str | None = None,
        resource_id: int | str | XComArg | None = None,
        skip_triggers: bool | None = None,
        skip_invalid_subscriptions: bool | None = None,
        detect_geo: bool | None = None,
        destination: ProfileDatabase | None = None,
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
        super().__init__(**kwargs)
        check_one_of({"db_id": db_id, "destination": destination})
        self.profiles = profiles
        self.depend_on(profiles)
        self.db_id = db_id
        self.mode = mode
        self.matching = matching
        self.field_name = field_name
        self.resource_id = resource_id
        self.skip_triggers = skip_triggers
        self.skip_invalid_subscriptions = skip_invalid_subscriptions
        self.detect_geo = detect_geo
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

    def chosen_destination(self) -> Destination:
        """The database.

        :raises AltcraftConfigurationError: if it is given twice, or was rendered to nothing.
        """
        from airflow_provider_altcraft.delivery.destinations import ProfileDatabase

        check_one_of({"db_id": self.db_id, "destination": self.destination})
        return self.given_destination(ProfileDatabase) or self.destination_of(ProfileDatabase)
