"""What the tasks of a DAG run tell each other of their launches, by XCom.

Mapped instances change their targets when their list shifts, and a task that is renamed in the middle of a run is
another one for Airflow. Neither finds its launch among its own records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftLaunchConflict
from airflow_provider_altcraft.runtime.compatibility import removed_tasks

if TYPE_CHECKING:
    from airflow_provider_altcraft.launching.launcher import Announced

KEY = "altcraft_launches"
"""The XCom. Airflow deletes it when its task instance is tried again, and keeps that of a task that is gone."""
BY = "map_index"
"""Which instance says so."""
PATIENCE = (1.0, 3.0, 6.0)
"""Seconds between looks at what an instance says that has just begun again."""


class Announcements:
    """What the launching tasks of this DAG run have said of their launches.

    :param context: of the task.
    :param sleep: lets seconds pass.
    """

    def __init__(self, context: Mapping[str, Any], sleep: Callable[[float], None]) -> None:
        self._context = context
        self._ti = context["ti"]
        self._sleep = sleep
        self._map_index = getattr(self._ti, "map_index", -1)

    def tell(self, launches: Mapping[str, Announced]) -> None:
        """Say what this task instance has launched; what it said before is replaced.

        :param launches: by Request-ID.
        """
        said = {request_id: {**asdict(launch), BY: self._map_index} for request_id, launch in launches.items()}
        self._ti.xcom_push(key=KEY, value=said)

    def sibling(self, request_id: str, is_patient: bool) -> Announced | None:
        """What another mapped instance says of a launch; that it happened goes before that it may have.

        :param is_patient: whether one that has just begun again is given a moment to say so.
        """
        from airflow_provider_altcraft.launching.launcher import Announced

        for patience in (*(PATIENCE if is_patient else ()), None):
            said = [
                Announced(**{name: value for name, value in launch.items() if name != BY})
                for said_id, launch in self._said(self._ti.task_id)
                if said_id == request_id and launch[BY] != self._map_index
            ]
            known = [launch for launch in said if launch.content is not None]
            if known or patience is None:
                return next(iter([*known, *said]), None)
            self._sleep(patience)
        return None

    def check_removed(self, endpoint: str, target: str) -> None:
        """Stop, if a task that the DAG does not have any more has launched the same in this DAG run.

        :param endpoint: catalogue name.
        :param target: fingerprint of what is launched at most once.
        :raises AltcraftLaunchConflict: if so, or if it may have.
        """
        for task_id in sorted(removed_tasks(self._context)):
            # Under its own name, a mapped task finds what it launched before it was mapped.
            was_single = task_id == self._ti.task_id and self._map_index >= 0
            only = {"map_indexes": -1} if was_single else {}
            if any((said["endpoint"], said["target"]) == (endpoint, target) for _, said in self._said(task_id, **only)):
                raise AltcraftLaunchConflict(
                    f"{endpoint}: task {task_id!r}, which was renamed or removed since, launched the same in this DAG"
                    " run, or began to. Nothing was sent. If it is what this task is to launch, mark this task as"
                    " successful; if it is to go out again, set relaunch_on_clear=True and clear it."
                )

    def _said(self, task_id: str, **only: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        found = self._ti.xcom_pull(task_ids=task_id, key=KEY, **only)
        for launches in [found] if isinstance(found, Mapping) else found or ():
            if isinstance(launches, Mapping):
                yield from launches.items()
