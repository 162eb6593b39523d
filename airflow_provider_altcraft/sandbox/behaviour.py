"""Switches for what the documents leave open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_altcraft.sandbox.typed import check_value


@dataclass(slots=True)
class TaskWords:
    """Words for the status of a task; only ``completed`` and ``success`` are documented (CONTRACT 2.1)."""

    waiting: str = "waiting"
    running: str = "in_progress"
    succeeded: str = "completed"
    failed: str = "failed"


@dataclass(slots=True)
class Behaviour:
    """How this Altcraft behaves where installations may differ.

    :param error_http_status: API errors are sent under HTTP ``200``, or under a status of their ``own`` (CONTRACT 1.4).
    :param empty_error_text: the ``error_text`` of a success is empty, instead of "Successful operation" (CONTRACT 1.3).
    :param wrong_token_code: the error for a wrong token; a missing one gets 401 (CONTRACT 1.2).
    :param deduplication: by ``request-id`` where one is sent, else by checksum; by ``checksum`` alone, as older
        editions do; or ``off`` (CONTRACT 1.8).
    :param deduplication_window: seconds that a request is remembered for.
    :param request_id_header: the name of the header that identifies a request.
    :param duplicate_header: the header that marks a replay.
    :param replay_errors: whether errors are remembered, too.
    :param key_includes_path: whether one Request-ID on two methods means two requests.
    :param duplicate_while_running: a duplicate of a request that is still in progress waits for its answer, or is
        refused with an ``error``, which may be ``marked`` as a duplicate's.
    :param max_body_bytes: the largest body (CONTRACT 1.5).
    :param max_body_bytes_with_files: the largest body with files (CONTRACT 1.5).
    :param next_from_id: whether lists carry ``next_from_id`` (CONTRACT 1.6).
    :param task_id_position: where the id of a task is: at the ``top``, or in ``data``, where exports and segments
        always have it (CONTRACT 1.10).
    :param task_id_prefix: prefix of the ids of tasks.
    :param task_words: status words of tasks.
    :param task_seconds: seconds that a task takes, not counting its items.
    :param task_seconds_per_item: seconds that each item of a task adds.
    :param tasks_fail: whether tasks fail.
    :param result_of_batches: an answer for each row (``itemised``), or none (``absent``).
    :param unknown_profile: an update, a deletion or a launch for a profile that does not exist is refused, or ignored:
        it succeeds and does nothing (CONTRACT 1.9).
    :param several_profiles: a search that matches several profiles finds the latest, or is refused with 409; quick
        import always refuses (CONTRACT 1.9).
    :param profiles_may_be_deleted: whether the token may do that (CONTRACT 8.6).
    :param data_may_be_wiped: ``ALLOW_DATA_WIPE`` of the installation (CONTRACT 9).
    :param import_and_start_answer: a single import and start answers with the ``profile_id``, or with the envelope
        alone; its answer is cut (CONTRACT 3.3, 7.4).
    :param start_batch_task_field: which parameter of ``triggers/start_batch_task`` names the trigger (CONTRACT 14.4).
    :param export_path: exported files are named ``/api/download/data/...`` or ``/api/download/...``; either is
        served (CONTRACT 14.11).
    :param export_rows_per_file: an export of more rows has several files.
    :param export_json: a JSON export is an ``array``, or ``lines`` of one object each; not documented.
    :param download_token_in_url: whether a download accepts ``?token=``, as older editions do (CONTRACT 14.11).
    :param download_errors: a download that is refused answers with an HTTP ``status`` of its own, or with an
        ``envelope`` like the methods; not documented.
    :param fields_shape: ``databases/fields_get`` answers with a ``list`` of fields, with an ``object`` that holds the
        list as ``fields``, or is ``refused`` with 403; its page was not seen (CONTRACT 9).
    :param duplicate_code_is_error: whether the item of a promo code that already exists carries an error; the code is
        counted either way (CONTRACT 11).
    :param discarded_code_is_error: whether the item of a promo code beyond the limit of its programme carries an
        error (CONTRACT 11).
    :param attach_answer: ``promocodes/attach`` answers with the ``code``, or with the envelope alone (``none``); its
        answer is cut (CONTRACT 11).
    :param orders_answer: an import of orders answers for each order (``items``), or with the envelope alone
        (``none``); its answer is cut (CONTRACT 11).
    :param log_ahead: seconds that the clock of mailings' logs is ahead of the clock of the answers; negative: behind.
    :param log_in_whole_seconds: whether the times in mailings' logs are whole seconds (CONTRACT 5.2).
    :param log_from_time: whether entries of a mailing's log at ``from_time`` itself are in the answer; not documented.
    :param log_page: the most entries of a mailing's log in one answer, whatever ``limit`` says; not documented.
    :param mailing_already_running: a second launch is accepted, or refused (CONTRACT 6.5).
    :param regular_is_completed: what ``is_completed`` says of a regular mailing between two runs (CONTRACT 5.1).
    :param broadcast_stays_active: whether a broadcast can be sent again after it was sent (CONTRACT 5.1).
    :param campaign_date_field: which parameter of ``scampaigns/activate`` is the start (CONTRACT 14.3).
    """

    error_http_status: Literal["200", "own"] = "200"
    empty_error_text: bool = False
    wrong_token_code: int = 403
    deduplication: Literal["request-id", "checksum", "off"] = "request-id"
    deduplication_window: float = 86_400
    request_id_header: str = "Request-ID"
    duplicate_header: Literal["Duplicate-Request", "X-Duplicate-Request"] = "Duplicate-Request"
    replay_errors: bool = True
    key_includes_path: bool = False
    duplicate_while_running: Literal["wait", "error", "marked"] = "wait"
    max_body_bytes: int = 10 * 1024 * 1024
    max_body_bytes_with_files: int = 100 * 1024 * 1024
    next_from_id: bool = True
    task_id_position: Literal["top", "data"] = "top"
    task_id_prefix: str = ""
    task_words: TaskWords = field(default_factory=TaskWords)
    task_seconds: float = 2.0
    task_seconds_per_item: float = 0.0001
    tasks_fail: bool = False
    result_of_batches: Literal["itemised", "absent"] = "itemised"
    unknown_profile: Literal["refuse", "ignore"] = "refuse"
    several_profiles: Literal["latest", "refuse"] = "latest"
    profiles_may_be_deleted: bool = True
    data_may_be_wiped: bool = False
    import_and_start_answer: Literal["profile_id", "none"] = "profile_id"
    start_batch_task_field: Literal["id", "trigger_id", "either"] = "either"
    export_path: Literal["data", "plain"] = "data"
    export_rows_per_file: int = 100_000
    export_json: Literal["array", "lines"] = "array"
    download_token_in_url: bool = False
    download_errors: Literal["status", "envelope"] = "status"
    fields_shape: Literal["list", "object", "refused"] = "list"
    duplicate_code_is_error: bool = False
    discarded_code_is_error: bool = True
    attach_answer: Literal["code", "none"] = "code"
    orders_answer: Literal["items", "none"] = "items"
    log_ahead: float = 0.0
    log_in_whole_seconds: bool = False
    log_from_time: Literal["inclusive", "exclusive"] = "inclusive"
    log_page: int = 1_000_000
    mailing_already_running: Literal["accept", "reject"] = "accept"
    regular_is_completed: bool = False
    broadcast_stays_active: bool = True
    campaign_date_field: Literal["activate_date", "start_date", "either"] = "either"

    def __setattr__(self, name: str, value: Any) -> None:
        check_value(Behaviour, name, value)
        object.__setattr__(self, name, value)
