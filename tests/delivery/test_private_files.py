"""Files with personal data: whole or not at all, whoever else writes them."""

from __future__ import annotations

import os
import stat
import time
from multiprocessing import get_context
from threading import Thread

import pytest

from airflow_provider_altcraft.delivery.private_files import LEFTOVER_SECONDS, write

ROUNDS = 150
SIZE = 20_000


def write_often(path, letter, problems):
    """Write a file again and again; whatever fails, or is seen half, is a problem."""
    for _ in range(ROUNDS):
        try:
            write(path, (letter * (SIZE // 10) for _ in range(10)))
            seen = path.read_bytes()
        except OSError as error:
            problems.append(type(error).__name__)
        else:
            if len(seen) != SIZE or len(set(seen)) != 1:
                problems.append("half a file")


def in_a_process(path, letter, told):
    problems = []
    write_often(path, letter, problems)
    told.put(problems)


def test_two_threads_that_write_one_file_each_leave_it_whole(tmp_path):
    problems = []
    threads = [Thread(target=write_often, args=(tmp_path / "x", letter, problems)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_two_processes_do_too(tmp_path):
    spawn = get_context("spawn")
    told = spawn.Queue()
    processes = [spawn.Process(target=in_a_process, args=(tmp_path / "x", letter, told)) for letter in (b"a", b"b")]
    for process in processes:
        process.start()
    assert [told.get(timeout=60) for _ in processes] == [[], []]
    for process in processes:
        process.join()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_breaks_off_changes_nothing_and_leaves_nothing(tmp_path):
    write(tmp_path / "x", [b"before"])

    def broken():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "x", broken())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"before")]


def test_what_a_killed_process_left_goes_once_it_is_old_and_no_other_file_does(tmp_path):
    old = time.time() - LEFTOVER_SECONDS - 60
    left = {"x.0123456789abcdef.part": time.time(), "x.notes.part": old, "x.jsonl.part.bak": old, "z": old}
    gone = {"x.fedcba9876543210.part": old, "y.fedcba9876543210.part": old}
    for name, moment in {**left, **gone}.items():
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (moment, moment))
    write(tmp_path / "x", [b"whole"])
    assert {path.name for path in tmp_path.iterdir()} == {"x", *left}
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
