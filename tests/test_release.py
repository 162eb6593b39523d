"""What a release needs beside code that works."""

from __future__ import annotations

import pytest

from tests import release


def test_the_changelog_has_a_section_for_the_version():
    _, notes = release.changes(release.version())
    assert len(notes.splitlines()) > 3


def test_a_version_without_a_section_is_not_released():
    with pytest.raises(LookupError, match=r"no section for 99\.0\.0"):
        release.changes("99.0.0")
