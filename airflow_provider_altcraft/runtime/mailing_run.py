"""A run of a mailing: begun once, waited for, and stopped only where that was asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_altcraft.exceptions import AltcraftConfigurationError, AltcraftError, AltcraftJobFailed
from airflow_provider_altcraft.runtime.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow_provider_altcraft.api.mailing_log import LogMark
    from airflow_provider_altcraft.api.objects import Content
    from airflow_provider_altcraft.launching.identity import Launch
    from airflow_provider_altcraft.launching.launcher import Launched, Sighting
    from airflow_provider_altcraft.runtime.attachments import Attach
    from airflow_provider_altcraft.waiting.policy import Verdict
    from airflow_provider_altcraft.waiting.targets import Target

SOURCES = ("list", "segment")
"""Where an audience comes from: a database, or a segment."""
CANCEL_SECONDS = (1.0, 2.5)
"""To connect and to answer, for the call that stops a mailing: SIGKILL comes 5 s after SIGTERM."""


class RunOperator(WaitingOperator):
    """One run of a mailing: begun once, and waited for."""

    template_fields: Sequence[str] = (
        *WaitingOperator.template_fields,
        "mailing_id",
        "override_source_type",
        "override_source_id",
        "override_limit",
        "content",
    )

    mailing_id: Any
    override_source_type: str | None
    override_source_id: Any
    override_limit: Any
    content: Any
    attach: Attach | None
    cancel_on_kill: bool
    accept_errors: bool
    _cancel: dict[str, Any] | None = None
    _stopped = False

    @abstractmethod
    def run_of(self, mailing_id: int) -> tuple[str, dict[str, Any]]:
        """The call that begins a run: endpoint and parameters beside the overrides."""

    def starts_are_ours(self) -> bool:
        """Whether a start in the log right after our request is our doing."""
        return True

    def check_startable(self, status: Mapping[str, Any], mailing_id: int) -> None:
        """Refuse what Altcraft would refuse, before anything is launched."""

    def work(self, context: Any) -> Any:
        """Begin the run, and wait for it to end."""
        from airflow_provider_altcraft.api.objects import identifier

        self.check_waiting()
        asked_for = identifier("mailing_id", self.mailing_id)
        endpoint, params = self.run_of(asked_for)
        launch = self._launch(endpoint, {"id": asked_for, **params, **self._overrides(context)})
        reply = self.hook.call("campaigns/get_status", {"id": asked_for})
        status = reply.data if isinstance(reply.data, dict) else {}
        now = reply.server_time or datetime.now(UTC)
        if context["ti"].try_number <= 1:
            # A later try's launch may have happened, and a mailing that was sent need not be active any more.
            self.check_startable(status, asked_for)
        self._cancel = self._cancel_call(context, asked_for)
        mark = self._mark(asked_for, now)
        launched = self.launch(
            context,
            launch,
            now=now,
            look_up=lambda sighting: self._started(context, sighting),
            mark=mark.to_dict() if mark is not None else None,
        )
        # At a retry, what was launched may be another mailing than the arguments render to now.
        mailing_id = identifier("id", launched.params["id"])
        self._cancel = self._cancel_call(context, mailing_id)
        if launched.replayed and self.cancel_on_kill and is_inactive(status):
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} was launched at an earlier try, and is not active any more: it may have been"
                " stopped when that try was killed (cancel_on_kill). Look in Altcraft how many it reached."
            )
        result = {
            "mailing_id": mailing_id,
            "request_id": launched.request_id,
            "replayed": launched.replayed,
            "launched_at": launched.began.isoformat() if launched.began else None,
        }
        self.log.info(
            "Mailing %d: %s (Request-ID %s).",
            mailing_id,
            f"launched before, at {launched.began or 'a time nobody knows'}" if launched.replayed else "launched",
            launched.request_id,
        )
        if not self.wait_for_completion:
            return {**result, "log_mark": launched.mark}
        return self.await_end(context, self._run_target(context, mailing_id, launched, now), result)

    def _launch(self, endpoint: str, params: dict[str, Any]) -> Launch:
        """The launch: about a mailing, reaching an audience; what it says is content."""
        from airflow_provider_altcraft.launching.identity import Launch

        audience = ("override_source_type", "override_source_id")
        return Launch(endpoint, params, about=("id",), reaches=audience, private=("attach",), shows_values=True)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Stop the mailing if ``execution_timeout`` is over, as it does on a worker."""
        if verdict.cause == "execution_timeout" and self.cancel_on_kill:
            self._cancel = self._cancel_call(context, result["mailing_id"])
            self._stop_mailing()
        if verdict.result.get("ended_in_error"):
            self.log.warning("Mailing %s ended, and its log says so at level ERROR.", result["mailing_id"])
        return super().finish(context, verdict, result)

    def on_kill(self) -> None:
        """Note it, and stop the mailing where that was asked for."""
        super().on_kill()
        if self.cancel_on_kill and self._cancel is not None:
            self._stop_mailing()

    def check_killed(self) -> None:
        """Stop, if Airflow said so. A mailing that was stopped, too, is not taken up by another try."""
        if self.killed and self._stopped:
            raise AltcraftJobFailed(
                f"The task was killed, and mailing {self.mailing_id} stopped with it (cancel_on_kill)."
            )
        super().check_killed()

    def cancellation(self, context: Any, result: dict[str, Any]) -> dict[str, Any] | None:
        """The call that stops the mailing, for the trigger."""
        return self._cancel_call(context, result["mailing_id"]) if self.cancel_on_kill else None

    def _cancel_call(self, context: Any, mailing_id: int) -> dict[str, Any]:
        # By try: a mailing that was activated again can be stopped again.
        endpoint = "campaigns/deactivate"
        return {
            "endpoint": endpoint,
            "params": {"id": mailing_id, "abort_if_running": True},
            "request_id": self.identity(context).request_id(endpoint, f"{mailing_id}, try {context['ti'].try_number}"),
        }

    def _stop_mailing(self) -> None:
        """One call, within the time that a killed task has. Never raises."""
        from airflow_provider_altcraft.api.client import AltcraftClient

        call = self._cancel or {}
        connect, read = CANCEL_SECONDS
        settings = replace(self.hook.settings, connect_timeout=connect, read_timeout=read)
        try:
            with AltcraftClient(settings) as client:
                client.call(call["endpoint"], call["params"], request_id=call["request_id"], attempts=1)
        except AltcraftError as error:
            self.log.error("Mailing %s could not be stopped: %s", call["params"]["id"], error)
        else:
            self._stopped = True
            self.log.warning("Mailing %s was stopped: deactivated, what was queued dropped.", call["params"]["id"])

    def _run_target(self, context: Any, mailing_id: int, launched: Launched, now: datetime) -> Target:
        """What is waited for: the run that began after the mark; without one, after the DAG run began."""
        from airflow_provider_altcraft.launching.earliest import earliest
        from airflow_provider_altcraft.waiting.targets import MailingTarget

        since = launched.began or earliest(context, now=now, window=self.hook.settings.deduplication_window)
        return MailingTarget(mailing_id, since.isoformat(), mark=launched.mark, accept_errors=self.accept_errors)

    def _mark(self, mailing_id: int, now: datetime) -> LogMark | None:
        """Where the mailing's log stands; ``None`` if that cannot be read."""
        from airflow_provider_altcraft.api.mailing_log import mark_of

        try:
            return mark_of(self.hook.call, mailing_id, now)
        except AltcraftError as error:
            self.log.info("The log of mailing %d cannot be read: %s", mailing_id, error)
            return None

    def _started(self, context: Any, sighting: Sighting) -> bool | None:
        """Whether the mailing's log shows a start that came after the mark; ``None`` if that cannot be told."""
        from airflow_provider_altcraft.api.mailing_log import LogMark, starts_since

        # Another mapped instance may have started it for its own audience.
        is_shared = getattr(context["ti"], "map_index", -1) >= 0 and "override_source_id" in sighting.params
        if not self.starts_are_ours() or is_shared:
            return None
        since = sighting.since.isoformat()
        mark = LogMark(since, since) if sighting.mark is None else LogMark.from_dict(sighting.mark)
        try:
            starts = starts_since(self.hook.call, sighting.params["id"], mark)
        except AltcraftError:
            return None
        return True if any(sighting.until is None or start <= sighting.until for start in starts) else None

    def _overrides(self, context: Any) -> dict[str, Any]:
        from airflow_provider_altcraft.api.objects import identifier
        from airflow_provider_altcraft.runtime.attachments import attachments

        if (self.override_source_type is None) != (self.override_source_id is None):
            raise AltcraftConfigurationError("override_source_type and override_source_id go together.")
        if self.override_source_type not in (None, *SOURCES):
            raise AltcraftConfigurationError(
                f"override_source_type must be 'list' or 'segment', not {self.override_source_type!r}."
            )
        ids = {
            name: identifier(name, value)
            for name, value in (
                ("override_source_id", self.override_source_id),
                ("override_limit", self.override_limit),
            )
            if value is not None
        }
        content = content_params(self.content) if self.content is not None else None
        attach = attachments(self, self.attach, context)
        return {"override_source_type": self.override_source_type, "content": content, "attach": attach, **ids}


def is_active(status: Any) -> bool:
    """Whether a mailing's status says that it is active (CONTRACT 5.1)."""
    return isinstance(status, Mapping) and str(status.get("is_active")).lower() == "true"


def is_inactive(status: Any) -> bool:
    """Whether it clearly says no: what it says of a mailing that was launched is not documented (CONTRACT 5.1)."""
    return isinstance(status, Mapping) and str(status.get("is_active")).lower() == "false"


def content_params(message: Content | dict[str, Any]) -> dict[str, Any]:
    """A content object as the API takes it (CONTRACT 12.1).

    :raises AltcraftConfigurationError: for a dictionary with other fields.
    """
    from airflow_provider_altcraft.api.objects import Content

    if isinstance(message, Mapping):
        try:
            return Content(**message).params
        except TypeError as error:
            raise AltcraftConfigurationError(f"content takes the fields of a content object: {error}.") from None
    return message.params
