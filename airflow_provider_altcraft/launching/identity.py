"""What makes a launch the same launch, and the Request-ID that follows from it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID, uuid5

from airflow_provider_altcraft.api.endpoints import endpoint as catalogued
from airflow_provider_altcraft.api.reply import Reply
from airflow_provider_altcraft.api.request import encode

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.client import AltcraftClient

_NAMESPACE = UUID("6f1f1d0e-7f0b-5d5e-9a43-0c1a9f3f6b52")


def fingerprint(value: Any) -> str:
    """A short digest of a JSON value, the same on any worker; keys in any order, ``None`` as if it were not there."""
    return blake2b(encode(_without_none(value)), digest_size=16).hexdigest()


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return value


class Prints(Protocol):
    """What identifies a launch."""

    @property
    def endpoint(self) -> str:
        """Catalogue name."""

    @property
    def subject(self) -> str:
        """Fingerprint of what it is about."""

    @property
    def target(self) -> str:
        """Fingerprint of what is launched at most once."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who launches: a task in a DAG run of a deployment. Where in a mapped list it stands is no part of it.

    :param dag_id: the DAG.
    :param run_id: its run.
    :param task_id: the task.
    :param deployment: the connection's ``deployment``: keeps two Airflows with one token apart.
    :param is_mapped: whether the task is one of several mapped instances.
    :param generation: moves when a user's clear is meant to launch again.
    :param given: an id of the user's own, which stands in for deployment, dag, run and task.
    """

    dag_id: str
    run_id: str
    task_id: str
    deployment: str = ""
    is_mapped: bool = False
    generation: int = 0
    given: str | None = None

    @classmethod
    def of(
        cls,
        context: Mapping[str, Any],
        *,
        deployment: str = "",
        relaunch_on_clear: bool = False,
        given: str | None = None,
    ) -> Identity:
        """The identity of a task instance.

        :param context: of the task.
        :param relaunch_on_clear: whether a clear is another launch: it changes ``max_tries``, a retry does not.
        """
        ti = context["ti"]
        return cls(
            ti.dag_id,
            ti.run_id,
            ti.task_id,
            deployment=deployment,
            is_mapped=getattr(ti, "map_index", -1) >= 0,
            generation=ti.max_tries if relaunch_on_clear else 0,
            given=given or None,
        )

    def request_id(self, endpoint: str, what: str, *, attempt: int = 0) -> str:
        """The Request-ID of one call: a pure function of its arguments.

        :param endpoint: catalogue name; an id is never used for two methods (CONTRACT 1.8).
        :param what: fingerprint of what the call does.
        :param attempt: remembered answers that were passed over.
        """
        who = [self.given] if self.given else [self.deployment, self.dag_id, self.run_id, self.task_id]
        return str(uuid5(_NAMESPACE, json.dumps([*who, self.generation, endpoint, what, attempt])))

    def launch_id(self, launch: Prints, *, attempt: int = 0) -> str:
        """The Request-ID of a launch.

        A mapped task launches many targets, and each has an id of its own. The one launch of another task keeps its id
        when its audience or content renders differently at a retry: two ids would be two launches.

        :param launch: the launch, or what was kept of it.
        :param attempt: remembered answers that were passed over.
        """
        what = launch.target if self.is_mapped else launch.subject
        return self.request_id(launch.endpoint, what, attempt=attempt)


@dataclass(frozen=True, slots=True)
class Launch:
    """A call that must happen once, and which of its parameters make it the same one.

    :param endpoint: catalogue name.
    :param params: all of its parameters.
    :param undocumented: parameters that the documentation lacks and this installation has.
    :param about: names of what the launch is about: a mailing; a scenario and a profile. ``None`` = everything.
    :param reaches: names of what is launched at most once in a run beside that: the audience.
    :param private: names of parameters that are never stored or shown: whom it is for, what is in a file.
    :param is_repeatable: whether doing it twice harms nobody: exports, counts, uploads.
    :param shows_values: whether its parameters may be shown where they differ; else no more than their names.
    :param is_idempotent: whether doing it twice ends where doing it once does; as the catalogue says if not given.
    """

    endpoint: str
    params: Mapping[str, Any]
    undocumented: Mapping[str, Any] | None = None
    about: Collection[str] | None = None
    reaches: Collection[str] = ()
    private: Collection[str] = ()
    is_repeatable: bool = False
    shows_values: bool = False
    is_idempotent: bool | None = None

    def send(self, client: AltcraftClient, request_id: str) -> Reply:
        """Make the call."""
        return client.call(self.endpoint, self.params, undocumented=self.undocumented, request_id=request_id)

    @property
    def converges(self) -> bool:
        """Whether doing it twice, at any time, ends where doing it once does."""
        return catalogued(self.endpoint).converges if self.is_idempotent is None else self.is_idempotent

    @property
    def subject(self) -> str:
        """Fingerprint of what it is about."""
        return self._print_of(self.about)

    @property
    def target(self) -> str:
        """Fingerprint of what is launched at most once in a run, wherever in a mapped list it stands."""
        if not self.about:
            return self.content
        return self._print_of([*self.about, *self.reaches])

    @property
    def varies(self) -> bool:
        """Whether two launches of one target may differ in what they say."""
        return bool(self.about)

    @property
    def content(self) -> str:
        """Fingerprint of all of it."""
        return fingerprint([self.params, self.undocumented] if self.undocumented else self.params)

    @property
    def shown(self) -> dict[str, Any]:
        """What may be stored and shown of its parameters, as JSON."""
        shown = {**self.params, **(self.undocumented or {})}
        public = {name: value for name, value in shown.items() if name not in self.private and value is not None}
        found: dict[str, Any] = json.loads(encode(public))
        return found

    @property
    def hidden(self) -> dict[str, Any]:
        """The rest."""
        return {name: self.params[name] for name in self.private if self.params.get(name) is not None}

    def _print_of(self, names: Collection[str] | None) -> str:
        if names is None:
            return self.content
        return fingerprint({name: self.params.get(name) for name in names})


@dataclass(frozen=True, slots=True)
class BatchLaunch(Launch):
    """A batch of rows that must arrive once.

    :param name: digest of where its rows go and what they say.
    :param body: the request.
    """

    name: str = ""
    body: bytes = field(default=b"", repr=False)

    def send(self, client: AltcraftClient, request_id: str) -> Reply:
        """Send it."""
        return client.call_batch(self.endpoint, self.body, request_id=request_id)

    @property
    def content(self) -> str:
        """Its name."""
        return self.name
