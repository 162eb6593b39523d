"""Files that are written whole or not at all."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.runtime.storage import location, replacing


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_file_appears_when_it_is_complete(tmp_path, prefix):
    path = location("path", f"{prefix}{tmp_path}/new/x.csv")
    with replacing(path, 1) as file:
        file.write(b"whole")
        assert [part.name for part in (tmp_path / "new").iterdir()] == ["x.csv.try1.part"]
    assert (tmp_path / "new/x.csv").read_bytes() == b"whole"


def write_half_of(path, error):
    with replacing(path, 1) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_one_that_breaks_off_changes_nothing(tmp_path, error):
    (tmp_path / "x.csv").write_bytes(b"before")
    with pytest.raises(error):
        write_half_of(location("path", f"{tmp_path}/x.csv"), error)
    assert [(part.name, part.read_bytes()) for part in tmp_path.iterdir()] == [("x.csv", b"before")]


def test_a_try_that_was_given_up_does_not_write_into_the_next(tmp_path):
    path = location("path", f"{tmp_path}/x.csv")
    first = replacing(path, 1)
    given_up = first.__enter__()
    with replacing(path, 2) as file:
        file.write(b"second")
        given_up.write(b"first")
    with pytest.raises(FileNotFoundError):
        first.__exit__(None, None, None)
    assert [(part.name, part.read_bytes()) for part in tmp_path.iterdir()] == [("x.csv", b"second")]
