"""Arguments of a delivery, in groups that validate themselves once templates are rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseHook

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftRowsError
from airflow_provider_altcraft.runtime.storage import instance_folder, location

if TYPE_CHECKING:
    from airflow_provider_altcraft.delivery.destinations import Destination
    from airflow_provider_altcraft.delivery.earlier_rejects import RowIdentity
    from airflow_provider_altcraft.delivery.encoding import NullPolicy, ProfileEncoder
    from airflow_provider_altcraft.delivery.ledger.ledger import Ledger, LedgerStore
    from airflow_provider_altcraft.delivery.rejects import Rejects
    from airflow_provider_altcraft.delivery.report import Report


@dataclass(frozen=True, slots=True)
class Reading:
    """How the source is read.

    :raises AltcraftConfigurationError: naming the argument that is wrong.
    """

    nulls: NullPolicy | Mapping[str, NullPolicy]
    timezone: str
    on_empty: str
    sample_size: int

    def __post_init__(self) -> None:
        if self.on_empty not in ("succeed", "skip", "fail"):
            raise AltcraftConfigurationError(f"on_empty must be 'succeed', 'skip' or 'fail', not {self.on_empty!r}.")
        if self.sample_size < 1:
            raise AltcraftConfigurationError(f"sample_size must be at least 1, not {self.sample_size}.")

    def encoder(self) -> ProfileEncoder:
        """The encoder that writes rows as JSON.

        :raises AltcraftConfigurationError: if the timezone does not exist.
        """
        import pendulum

        from airflow_provider_altcraft.delivery.encoding import ProfileEncoder

        try:
            timezone = pendulum.timezone(self.timezone)
        except ValueError as error:
            raise AltcraftConfigurationError(f"There is no timezone {self.timezone!r}.") from error
        return ProfileEncoder(nulls=self.nulls, timezone=timezone)

    def check_not_empty(self, report: Report) -> None:
        """Skip or fail the task if there were no rows, as ``on_empty`` says.

        :raises AirflowSkipException: with ``skip``.
        :raises AltcraftRowsError: with ``fail``.
        """
        if report.read or self.on_empty == "succeed":
            return
        if self.on_empty == "skip":
            raise AirflowSkipException("The source has no rows (on_empty='skip').")
        raise AltcraftRowsError("The source has no rows, and on_empty='fail' requires some.")


@dataclass(frozen=True, slots=True)
class RejectPolicy:
    """Where rejected rows are kept, and how many of them a successful task may have.

    :raises AltcraftConfigurationError: naming the argument that is wrong.
    """

    reject_path: str | None
    max_rejects: int
    max_reject_ratio: float | None
    rejects_from: str | None

    def __post_init__(self) -> None:
        if (self.max_rejects or self.max_reject_ratio) and not self.reject_path:
            raise AltcraftConfigurationError("max_rejects above 0 needs reject_path: rejected rows must be kept.")
        if self.max_reject_ratio is not None and not 0 <= self.max_reject_ratio <= 1:
            raise AltcraftConfigurationError(
                f"max_reject_ratio must be a fraction from 0 to 1, not {self.max_reject_ratio!r}."
            )

    def folder(self, context: Any) -> Any:
        """The task instance's own folder below ``reject_path``, or ``None``."""
        return instance_folder(location("reject_path", self.reject_path), context) if self.reject_path else None

    def rejects(self, context: Any, destination: Destination, *, holds: bool) -> Rejects:
        """The store for rejected rows.

        :param holds: whether sent rows are held as pending until the task that Altcraft made of them has ended.
        """
        from airflow_provider_altcraft.delivery.rejects import Rejects

        folder = self.folder(context)
        if folder is None:
            return Rejects(None)
        # Repaired rows are numbered as they are read, so their row numbers are not those of the source.
        same: RowIdentity = "content" if self.rejects_from else "key and row" if destination.makes_task else "key"
        return Rejects(folder, destination.key_fields, holds=holds, same=same)

    def check(self, report: Report, kept_at: str | None, *, is_final: bool = True) -> None:
        """Fail the task if too many rows were rejected.

        :param is_final: whether all rows are accounted for; if not, some are open in tasks nobody waits for here.
        :raises AltcraftRowsError: with the numbers.
        """
        check = report.check if is_final else report.check_rejects
        check(max_rejects=self.max_rejects, max_reject_ratio=self.max_reject_ratio, kept_at=kept_at)


@dataclass(frozen=True, slots=True)
class ChangeDetection:
    """The ledger of rows sent before, for ``changes_only``.

    :raises AltcraftConfigurationError: naming the argument that is wrong.
    """

    changes_key: Sequence[str] | None
    ledger_path: str | None
    ledger_table: str | None
    ledger_conn_id: str | None
    sql_conn_id: str | None

    def __post_init__(self) -> None:
        if bool(self.ledger_path) == bool(self.ledger_table):
            raise AltcraftConfigurationError("changes_only needs either ledger_path or ledger_table for its ledger.")

    def check_destination(self, destination: Destination) -> None:
        """Check that the destination's rows can be told apart, and that it answers for them at once.

        :raises AltcraftConfigurationError: saying what to do instead.
        """
        if not (self.changes_key or destination.key_fields):
            raise AltcraftConfigurationError("changes_only needs changes_key: this destination matches no profiles.")
        if destination.makes_task:
            raise AltcraftConfigurationError(
                f"changes_only needs a destination that answers at once, and {type(destination).__name__} does not:"
                " select only changed rows in the query."
            )

    def check_fields(self, fields: Sequence[str]) -> None:
        """Check that the rows have the key: without it, no row would ever count as unchanged.

        :raises AltcraftConfigurationError: naming what is missing.
        """
        missing = [name for name in self.changes_key or () if fields and name not in fields]
        if missing:
            raise AltcraftConfigurationError(
                f"changes_key names {', '.join(missing)}, which no column is mapped to: it takes Altcraft's fields, not"
                " columns."
            )

    def ledger(self, destination: Destination, encoder: ProfileEncoder, *, base_url: str) -> Ledger:
        """The ledger of a destination.

        :param base_url: of the connection: the same id on another host is another destination.
        """
        from airflow_provider_altcraft.api.request import encode
        from airflow_provider_altcraft.delivery.ledger.ledger import Ledger

        scope = encode([base_url, destination.endpoint.name, destination.params])
        return Ledger(self._store(), scope=scope, key=self.changes_key or destination.key_fields, encoder=encoder)

    def _store(self) -> LedgerStore:
        from airflow_provider_altcraft.delivery.ledger.files import FileLedger
        from airflow_provider_altcraft.delivery.ledger.table import TableLedger

        if self.ledger_path:
            return FileLedger(location("ledger_path", self.ledger_path))
        conn_id = self.ledger_conn_id or self.sql_conn_id
        if not conn_id:
            raise AltcraftConfigurationError("ledger_table needs ledger_conn_id, the connection of its database.")
        connection = BaseHook.get_connection(conn_id)
        if conn_id == self.sql_conn_id and connection.conn_type == "sqlite":
            raise AltcraftConfigurationError(
                "A SQLite database cannot be written while it is being read: name another in ledger_conn_id."
            )
        return TableLedger(connection.get_hook(), str(self.ledger_table))
