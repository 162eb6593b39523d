"""A run of a mailing: start it once, wait for it, and stop it only if asked to."""

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
"""Kinds of audience: a database or a segment."""
CANCEL_SECONDS = (1.0, 2.5)
"""Connect and read timeouts of the call that stops a mailing: SIGKILL comes 5 s after SIGTERM."""


class RunOperator(WaitingOperator):
    """Start one run of a mailing exactly once, and wait for it."""

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
        """The call that starts a run: the endpoint, and its parameters besides the overrides."""

    def starts_are_ours(self) -> bool:
        """Whether a start logged right after our request must be ours."""
        return True

    def check_startable(self, status: Mapping[str, Any], mailing_id: int) -> None:
        """Check before launching that Altcraft would accept it."""

    def work(self, context: Any) -> Any:
        """Start the run and wait for it to end."""
        from airflow_provider_altcraft.api.objects import identifier

        self.check_waiting()
        requested_id = identifier("mailing_id", self.mailing_id)
        endpoint, params = self.run_of(requested_id)
        launch = self._launch(endpoint, {"id": requested_id, **params, **self._overrides(context)})
        reply = self.hook.call("campaigns/get_status", {"id": requested_id})
        status = reply.data if isinstance(reply.data, dict) else {}
        now = reply.server_time or datetime.now(UTC)
        if context["ti"].try_number <= 1:
            # On a retry the launch may have happened already, and a mailing that was sent may no longer be active.
            self.check_startable(status, requested_id)
        self._cancel = self._cancel_call(context, requested_id)
        mark = self._mark(requested_id, now)
        launched = self.launch(
            context,
            launch,
            now=now,
            look_up=lambda sighting: self._started(context, sighting),
            mark=mark.to_dict() if mark is not None else None,
        )
        # On a retry, the launched mailing may differ from the one the arguments render to now.
        mailing_id = identifier("id", launched.params["id"])
        self._cancel = self._cancel_call(context, mailing_id)
        if launched.replayed and self.cancel_on_kill and is_inactive(status):
            raise AltcraftJobFailed(
                f"Mailing {mailing_id} was launched by an earlier try and is no longer active: it may have been stopped"
                " when that try was killed (cancel_on_kill). Check in Altcraft how many recipients it reached."
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
            f"launched before, at {launched.began or 'an unknown time'}" if launched.replayed else "launched",
            launched.request_id,
        )
        if not self.wait_for_completion:
            return {**result, "log_mark": launched.mark}
        return self.await_end(context, self._run_target(context, mailing_id, launched, now), result)

    def _launch(self, endpoint: str, params: dict[str, Any]) -> Launch:
        """The launch: the mailing is what it is about, the overrides are whom it reaches, the rest is content."""
        from airflow_provider_altcraft.launching.identity import Launch

        audience = ("override_source_type", "override_source_id")
        return Launch(endpoint, params, about=("id",), reaches=audience, private=("attach",), shows_values=True)

    def finish(self, context: Any, verdict: Verdict, result: dict[str, Any]) -> Any:
        """Also stop the mailing if ``execution_timeout`` has passed, as on a worker."""
        if verdict.cause == "execution_timeout" and self.cancel_on_kill:
            self._cancel = self._cancel_call(context, result["mailing_id"])
            self._stop_mailing()
        if verdict.result.get("ended_in_error"):
            self.log.warning("Mailing %s ended with an ERROR in its log.", result["mailing_id"])
        return super().finish(context, verdict, result)

    def on_kill(self) -> None:
        """Also stop the mailing, with ``cancel_on_kill``."""
        super().on_kill()
        if self.cancel_on_kill and self._cancel is not None:
            self._stop_mailing()

    def check_killed(self) -> None:
        """Stop if Airflow killed the task. If the mailing was stopped with it, no other try picks it up."""
        if self.killed and self._stopped:
            raise AltcraftJobFailed(f"The task was killed, which stopped mailing {self.mailing_id} (cancel_on_kill).")
        super().check_killed()

    def cancellation(self, context: Any, result: dict[str, Any]) -> dict[str, Any] | None:
        """The call that stops the mailing, for the trigger."""
        return self._cancel_call(context, result["mailing_id"]) if self.cancel_on_kill else None

    def _cancel_call(self, context: Any, mailing_id: int) -> dict[str, Any]:
        # One Request-ID per try: a mailing activated again can be stopped again.
        endpoint = "campaigns/deactivate"
        return {
            "endpoint": endpoint,
            "params": {"id": mailing_id, "abort_if_running": True},
            "request_id": self.identity(context).request_id(endpoint, f"{mailing_id}, try {context['ti'].try_number}"),
        }

    def _stop_mailing(self) -> None:
        """Stop it with one call, within the time a killed task has left. Never raises."""
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
            self.log.warning("Mailing %s was deactivated and its queued messages dropped.", call["params"]["id"])

    def _run_target(self, context: Any, mailing_id: int, launched: Launched, now: datetime) -> Target:
        """The run to wait for: the one that began after the mark or, without a mark, after the DAG run began."""
        from airflow_provider_altcraft.launching.earliest import earliest
        from airflow_provider_altcraft.waiting.targets import MailingTarget

        since = launched.began or earliest(context, now=now, window=self.hook.settings.deduplication_window)
        return MailingTarget(mailing_id, since.isoformat(), mark=launched.mark, accept_errors=self.accept_errors)

    def _mark(self, mailing_id: int, now: datetime) -> LogMark | None:
        """The current position in the mailing's log; ``None`` if it cannot be read."""
        from airflow_provider_altcraft.api.mailing_log import mark_of

        try:
            return mark_of(self.hook.call, mailing_id, now)
        except AltcraftError as error:
            self.log.info("The log of mailing %d cannot be read: %s", mailing_id, error)
            return None

    def _started(self, context: Any, sighting: Sighting) -> bool | None:
        """Whether the mailing's log shows a start after the mark; ``None`` if it cannot tell."""
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
    """Whether it explicitly says no: the status of a launched mailing is not documented (CONTRACT 5.1)."""
    return isinstance(status, Mapping) and str(status.get("is_active")).lower() == "false"


def content_params(message: Content | dict[str, Any]) -> dict[str, Any]:
    """A content object in the API's format (CONTRACT 12.1).

    :raises AltcraftConfigurationError: for a dictionary with other fields.
    """
    from airflow_provider_altcraft.api.objects import Content

    if isinstance(message, Mapping):
        try:
            return Content(**message).params
        except TypeError as error:
            raise AltcraftConfigurationError(f"content takes the fields of a content object: {error}.") from None
    return message.params
