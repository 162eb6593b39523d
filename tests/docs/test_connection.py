"""The page of the connection has the settings that there are, with the defaults that they have."""

from __future__ import annotations

import re
from dataclasses import fields

from airflow_provider_altcraft.api.settings import Settings, settings_from_connection
from tests.docs.pages import DOCS

PAGE = (DOCS / "connection.md").read_text(encoding="utf-8")
FOUND = re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", PAGE, re.MULTILINE)
ROWS = dict(FOUND)
DEFAULTS = {field.name: field.default for field in fields(Settings) if field.name not in ("base_url", "token")}


def test_every_setting_is_there_and_no_other():
    assert set(ROWS) == set(DEFAULTS) | {"allow_http"}


def test_each_setting_is_there_once():
    assert len(FOUND) == len(ROWS)


def test_the_defaults_are_those_of_the_code():
    """Read as the code would read them: what the page says is what would have to be written."""
    given = {name: value for name, value in ROWS.items() if value != "none"}
    written = settings_from_connection(host="example.altcraft.com", token="t", extra=given)
    assert {name: getattr(written, name) for name in DEFAULTS} == DEFAULTS
    assert ROWS["allow_http"] == "false"
