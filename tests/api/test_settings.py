"""What a connection may hold."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.api.settings import settings_from_connection
from airflow_provider_altcraft.exceptions import AltcraftConfigurationError


def settings(**fields):
    return settings_from_connection(**{"host": "example.com", "token": "secret-token", **fields})


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "https://example.com"),
        ({"port": 8443}, "https://example.com:8443"),
        ({"host": "https://example.com"}, "https://example.com"),
        ({"host": "127.0.0.1", "schema": "http", "port": 8090}, "http://127.0.0.1:8090"),
        ({"host": "::1", "schema": "http"}, None),
        ({"schema": "http", "extra": {"allow_http": "true"}}, "http://example.com"),
    ],
)
def test_the_address_is_made_of_host_scheme_and_port(fields, url):
    if url is None:
        with pytest.raises(AltcraftConfigurationError):
            settings(**fields)
    else:
        assert settings(**fields).base_url == url


def test_plain_http_is_refused_beyond_loopback():
    with pytest.raises(AltcraftConfigurationError, match="allow_http"):
        settings(schema="http")


def test_values_may_arrive_as_strings():
    read = settings(
        extra={
            "read_timeout": "30",
            "max_attempts": "3",
            "verify": "false",
            "deduplication_window": 0,
            "task_success_statuses": "completed, Done",
            "auth": "",
        }
    )
    assert (read.read_timeout, read.max_attempts, read.verify, read.deduplication_window) == (30, 3, False, 0)
    assert read.task_success_statuses == {"completed", "done"}
    assert read.auth == "body"


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("read_timeout", ".5", 0.5),
        ("read_timeout", "1_000", 1_000),
        ("max_attempts", "+5", 5),
        ("max_attempts", "007", 7),
    ],
)
def test_a_number_may_be_written_as_python_reads_it(name, text, number):
    assert getattr(settings(extra={name: text}), name) == number


@pytest.mark.parametrize("text", ["nan", "inf", "five", ""])
def test_what_is_no_number_is_refused_or_not_set(text):
    if not text:
        assert settings(extra={"read_timeout": text}).read_timeout == settings().read_timeout
    else:
        with pytest.raises(AltcraftConfigurationError, match="'read_timeout' must be a number above 0"):
            settings(extra={"read_timeout": text})


@pytest.mark.parametrize(
    ("extra", "value"),
    [
        ({"verify": " Yes "}, True),
        ({"verify": 0}, False),
        ({"verify": "/etc/ssl/ca.pem"}, "/etc/ssl/ca.pem"),
        ({"deduplicates_launches": "no"}, False),
        ({"download_token_in_url": "1"}, True),
        ({"connect_timeout": " 2.5 "}, 2.5),
        ({"max_body_bytes": "2000"}, 2000),
        ({"deployment": " staging "}, "staging"),
        ({"task_failure_statuses": ["Failed ", ""]}, {"failed"}),
    ],
)
def test_each_kind_of_value_is_read(extra, value):
    (name,) = extra
    assert getattr(settings(extra=extra), name) == value


def test_an_unknown_key_is_named_with_the_nearest():
    with pytest.raises(AltcraftConfigurationError, match=r"'read_timout'.*'read_timeout'"):
        settings(extra={"read_timout": 3})


@pytest.mark.parametrize(
    "extra",
    [
        {"auth": "basic"},
        {"read_timeout": 0},
        {"read_timeout": "soon"},
        {"max_attempts": 0},
        {"verify": "maybe"},
        {"request_id_header": "X: y"},
        {"max_body_bytes": "ten"},
        {"task_success_statuses": 3},
        {"connect_timeout": "nan"},
        {"read_timeout": "inf"},
        {"record_path": "  "},
        {"deployment": "x" * 201},
        {"task_failure_statuses": ["failed", 3]},
    ],
)
def test_a_wrong_value_is_named_but_not_quoted(extra):
    with pytest.raises(AltcraftConfigurationError) as caught:
        settings(extra=extra)
    assert next(iter(extra)) in str(caught.value)


@pytest.mark.parametrize(
    "fields", [{"host": ""}, {"token": None}, {"host": "https://example.com/api"}, {"schema": "ftp"}]
)
def test_what_is_missing_or_out_of_place_is_refused(fields):
    with pytest.raises(AltcraftConfigurationError):
        settings(**fields)


def test_the_token_is_not_in_the_repr():
    assert "secret-token" not in repr(settings())
