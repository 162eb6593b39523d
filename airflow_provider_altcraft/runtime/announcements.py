"""Lets the tasks of a DAG run tell each other, through XComs, what they have launched.

When the list behind a mapped task shifts, its instances change targets; and a task renamed in the middle of a run is a
new task to Airflow. Neither finds its launch in its own records.
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
"""The XCom. Airflow deletes it when its task instance is retried, and keeps it when the task is removed."""
BY = "map_index"
"""The field that names the announcing instance."""
PATIENCE = (1.0, 3.0, 6.0)
"""Seconds between checks for the XCom of an instance that is just being retried."""


class Announcements:
    """What the tasks of this DAG run have announced about their launches.

    :param context: of the task.
    :param sleep: called with seconds to wait.
    """

    def __init__(self, context: Mapping[str, Any], sleep: Callable[[float], None]) -> None:
        self._context = context
        self._ti = context["ti"]
        self._sleep = sleep
        self._map_index = getattr(self._ti, "map_index", -1)

    def tell(self, launches: Mapping[str, Announced]) -> None:
        """Announce what this task instance has launched, replacing its previous announcement.

        :param launches: by Request-ID.
        """
        announced = {request_id: {**asdict(launch), BY: self._map_index} for request_id, launch in launches.items()}
        self._ti.xcom_push(key=KEY, value=announced)

    def sibling(self, request_id: str, is_patient: bool) -> Announced | None:
        """What another mapped instance announced about a launch; one that happened comes before one that may have.

        :param is_patient: whether to give an instance that is just being retried a moment to announce it.
        """
        from airflow_provider_altcraft.launching.launcher import Announced

        for patience in (*(PATIENCE if is_patient else ()), None):
            found = [
                Announced(**{name: value for name, value in launch.items() if name != BY})
                for found_id, launch in self._announced(self._ti.task_id)
                if found_id == request_id and launch[BY] != self._map_index
            ]
            happened = [launch for launch in found if launch.content is not None]
            if happened or patience is None:
                return next(iter([*happened, *found]), None)
            self._sleep(patience)
        return None

    def check_removed(self, endpoint: str, target: str) -> None:
        """Check that no task since removed from the DAG has launched the same thing in this DAG run.

        :param endpoint: catalogue name.
        :param target: fingerprint of what is launched at most once.
        :raises AltcraftLaunchConflict: if one has, or may have.
        """
        for task_id in sorted(removed_tasks(self._context)):
            # A mapped task also finds, under its own name, what it launched before it was mapped.
            was_single = task_id == self._ti.task_id and self._map_index >= 0
            only = {"map_indexes": -1} if was_single else {}
            announced = self._announced(task_id, **only)
            if any((launch["endpoint"], launch["target"]) == (endpoint, target) for _, launch in announced):
                raise AltcraftLaunchConflict(
                    f"{endpoint}: task {task_id!r}, since renamed or removed, launched or began to launch the same in"
                    " this DAG run. Nothing was sent. If that launch is the one this task should make, mark this task"
                    " as successful; to launch it again, set relaunch_on_clear=True and clear it."
                )

    def _announced(self, task_id: str, **only: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        found = self._ti.xcom_pull(task_ids=task_id, key=KEY, **only)
        for launches in [found] if isinstance(found, Mapping) else found or ():
            if isinstance(launches, Mapping):
                yield from launches.items()
