"""Files, uploaded once and attached to messages."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_altcraft.operators.files import AltcraftUploadFileOperator
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

UPLOAD = "file_upload"
CONTENT = "Name;Price\nЧай;1.10\n".encode()


@pytest.fixture
def price(tmp_path):
    path = tmp_path / "price.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def upload(price):
    def upload(**arguments):
        return AltcraftUploadFileOperator(**{"task_id": "upload", "path": str(price), **arguments})

    return upload


def test_a_file_is_there_afterwards_as_it_was(altcraft_sandbox, upload):
    result = upload().execute(context())
    assert altcraft_sandbox.world.uploads == {result["file_key"]: ("price.csv", CONTENT)}
    assert (result["name"], result["mimetype"]) == ("price.csv", "text/csv")


@pytest.mark.parametrize(
    ("arguments", "name", "mimetype"),
    [
        ({"name": "Prices.pdf"}, "Prices.pdf", "application/pdf"),
        ({"name": "prices"}, "prices", "application/octet-stream"),
        ({"mimetype": "text/plain"}, "price.csv", "text/plain"),
    ],
)
def test_recipients_see_the_name_and_type_that_were_given(altcraft_sandbox, upload, arguments, name, mimetype):
    result = upload(**arguments).execute(context())
    assert (result["name"], result["mimetype"]) == (name, mimetype)
    (call,) = altcraft_sandbox.journal.calls(UPLOAD)
    assert call.request["header"] == name
    assert call.request["data"].startswith(f"data:{mimetype};base64,")


@pytest.mark.parametrize("remembers", [False, True])
def test_a_retry_uploads_no_second_file(altcraft_sandbox, upload, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", UPLOAD, times=1))
    first = upload().execute(context(store=store))
    assert upload().execute(context(store=store, try_number=2)) == first
    assert len(altcraft_sandbox.world.uploads) == 1


def test_a_clear_uploads_what_the_file_is_by_now(altcraft_sandbox, upload, price):
    store = Store()
    upload().execute(context(store=store))
    price.write_bytes(b"new")
    key = upload().execute(context(store=store, max_tries=1, try_number=2))["file_key"]
    assert altcraft_sandbox.world.uploads[key] == ("price.csv", b"new")


def test_where_nobody_remembers_it_is_uploaded_again(altcraft_sandbox, upload, monkeypatch):
    connection = f'{altcraft_sandbox.connection_json[:-1]}, "extra": {{"deduplication_window": 0}}}}'
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", connection)
    altcraft_sandbox.behaviour.deduplication = "off"
    assert upload().execute(context(try_number=2))["file_key"] in altcraft_sandbox.world.uploads


def test_a_file_may_be_larger_than_a_request_without_one(altcraft_sandbox, upload, price):
    price.write_bytes(bytes(9_000_000))
    key = upload().execute(context())["file_key"]
    assert len(altcraft_sandbox.world.uploads[key][1]) == 9_000_000


def test_a_file_that_is_too_large_is_not_even_read(altcraft_sandbox, upload, price, monkeypatch):
    connection = f'{altcraft_sandbox.connection_json[:-1]}, "extra": {{"max_body_bytes_with_files": 1000}}}}'
    monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", connection)
    price.write_bytes(bytes(900))
    price.chmod(0)
    with pytest.raises(AirflowFailException, match="max_body_bytes_with_files"):
        upload().execute(context())
    assert len(altcraft_sandbox.journal) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"path": ""}, "path is empty"),
        ({"path": "nowhere://bucket/price.csv"}, "no storage for 'nowhere'"),
        ({"name": " "}, "name is empty"),
    ],
)
def test_bad_arguments_are_refused_before_any_call(altcraft_sandbox, upload, arguments, reason):
    with pytest.raises(AirflowFailException, match=reason):
        upload(**arguments).execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_an_empty_file_is_refused(altcraft_sandbox, upload, price):
    price.write_bytes(b"")
    with pytest.raises(AirflowFailException, match="is empty"):
        upload().execute(context())
    assert len(altcraft_sandbox.journal) == 0


def test_nothing_of_the_content_is_logged_or_stored(altcraft_sandbox, upload, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    store = Store()
    operator = upload()
    result = operator.execute(context(store=store))
    rendered = [getattr(operator, name) for name in operator.template_fields]
    everywhere = f"{result} {store} {rendered} {caplog.text} {capfd.readouterr()}"
    assert everywhere.count(result["file_key"]) >= 2
    for piece in ("TmFtZTtQ", "Name;Price"):
        assert piece not in everywhere


class TestAttaching:
    """What another task uploaded goes with a message."""

    @pytest.fixture
    def launch(self):
        def launch(attach):
            return AltcraftLaunchMailingOperator(
                task_id="launch", mailing_id=7, wait_for_completion=False, attach=attach
            )

        return launch

    def test_the_output_of_an_upload_is_an_attachment(self, altcraft_sandbox, upload, launch, monkeypatch):
        with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
            first = upload()
            operator = launch([first.output])
        assert operator.upstream_task_ids == {"upload"}
        file = first.execute(context())
        monkeypatch.setattr(type(first.output), "resolve", lambda *arguments, **more: file)
        operator.execute(context())
        (call,) = altcraft_sandbox.journal.calls("campaigns/broadcasts/start")
        assert call.request["attach"] == [file]

    def test_its_names_and_keys_are_templates_and_its_content_is_none(self, altcraft_sandbox, upload, launch):
        key = upload().execute(context())["file_key"]
        content = "data:text/plain;base64,YQ=="
        files = [{"name": "{{ params.day }}.csv", "file_key": "{{ params.key }}"}, {"name": "a.txt", "data": content}]
        operator = launch(files)
        operator.execute({**context(), "params": {"day": "monday", "key": key}})
        (call,) = altcraft_sandbox.journal.calls("campaigns/broadcasts/start")
        assert call.request["attach"] == [{"name": "monday.csv", "file_key": key}, {"name": "a.txt", "data": content}]
        assert "attach" not in operator.template_fields

    @pytest.mark.parametrize("whole", [False, True])
    def test_what_another_task_returned_is_no_template(self, altcraft_sandbox, upload, launch, monkeypatch, whole):
        with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
            first = upload()
            operator = launch(first.output if whole else [first.output])
        # A file may be named by anybody, and recipients would read what that renders to.
        file = upload(name="{{ params.secret }}.csv").execute(context())
        # What the tasks of a mapped upload return is a sequence, and no list.
        returned = deque([file]) if whole else file
        monkeypatch.setattr(type(first.output), "resolve", lambda *arguments, **more: returned)
        operator.execute({**context(), "params": {"secret": "s3cret"}})
        (call,) = altcraft_sandbox.journal.calls("campaigns/broadcasts/start")
        assert call.request["attach"] == [file]

    @pytest.mark.parametrize("attach", ["price.csv", [None], {"name": "a.txt"}])
    def test_what_is_no_file_is_refused_before_any_call(self, altcraft_sandbox, launch, attach):
        with pytest.raises(AirflowFailException, match="attach must be"):
            launch(attach).execute(context())
        assert len(altcraft_sandbox.journal) == 0
