"""Tests that share something costly run in one process."""

from __future__ import annotations

from tests.scheduling import together


def test_files_that_start_an_airflow_run_one_after_another():
    assert together("tests/chaos/test_kills.py") == "a whole Airflow"


def test_the_tests_of_a_module_fixture_stay_together():
    file = "tests/decorators/test_altcraft.py"
    assert together(file) == file


def test_others_go_wherever_there_is_room():
    assert together("tests/example_dags/test_example_dags.py") is None
