"""Whatever a DAG file names shows all its arguments, and takes them as Airflow's users expect."""

from __future__ import annotations

import importlib
import inspect
import re

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException

from airflow_provider_altcraft.decorators.altcraft import altcraft_import_task
from airflow_provider_altcraft.delivery.destinations import ProfileDatabase, Scenario
from airflow_provider_altcraft.exports import ProfilesExport
from tests.docs.test_reference import SHOWN, WORKERS


def load(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def own(cls):
    """The arguments of its own, without Airflow's."""
    parameters = inspect.signature(cls).parameters.values()
    return {each.name: each for each in parameters if each.kind is not each.VAR_KEYWORD}


VALUES = {
    "destination": ProfileDatabase(1),
    "source": ProfilesExport(db_id=1),
    "endpoint": "segments/refresh_counters",
    "parameters": {"id": 1, "resource_id": 1},
    "undocumented_parameters": None,
    "all_pages": False,
    "poll_interval": 17,
}
"""Arguments that are looked at when the DAG is parsed, or copied."""
STORED_AS = {"dry_run": "is_dry_run"}


INSTEAD = {
    "AltcraftImportProfilesOperator": {"destination": None},
    "AltcraftImportAndStartOperator": {"trigger_id": None, "destination": None},
}
"""Arguments that do not go with others."""


def given(cls):
    """A value for each argument, different from all others."""
    return {name: VALUES.get(name, f"the {name}") for name in own(cls)} | INSTEAD.get(cls.__name__, {})


@pytest.mark.parametrize("path", SHOWN)
def test_its_docstring_describes_its_arguments_in_their_order(path):
    shown = load(path)
    assert re.findall(r"^ *:param (\w+):", shown.__doc__, re.MULTILINE) == [*own(shown)]


@pytest.mark.parametrize("path", SHOWN)
def test_each_argument_has_a_type(path):
    assert [name for name, each in own(load(path)).items() if each.annotation is each.empty] == []


@pytest.mark.parametrize("path", sorted(WORKERS))
def test_its_own_init_names_them(path):
    cls = load(path)
    assert "__init__" in vars(cls)
    assert {"self", "kwargs", *own(cls)} == {*inspect.signature(cls.__init__).parameters}
    assert "altcraft_conn_id" in own(cls)


@pytest.mark.parametrize("path", sorted(WORKERS))
def test_each_argument_is_kept(path):
    cls = load(path)
    values = given(cls)
    task = cls(task_id="task", **values)
    names = {**STORED_AS, **({"poll_interval": "poke_interval"} if path.endswith("Sensor") else {})}
    assert {name: getattr(task, names.get(name, name)) for name in values} == values


@pytest.mark.parametrize("path", sorted(WORKERS))
def test_what_is_templated_is_an_attribute(path):
    cls = load(path)
    task = cls(task_id="task", **given(cls))
    assert [name for name in cls.template_fields if not hasattr(task, name)] == []


@pytest.mark.parametrize("path", sorted(WORKERS))
def test_default_args_fill_what_is_not_given(path):
    cls = load(path)
    values = given(cls)
    needed = {name: values[name] for name, each in own(cls).items() if each.default is each.empty}
    with DAG("d", start_date=pendulum.datetime(2026, 1, 1), schedule=None, default_args=values):
        task = cls(task_id="task", **needed)
    assert task.altcraft_conn_id == "the altcraft_conn_id"
    assert all(
        getattr(task, STORED_AS.get(name, name)) == value for name, value in values.items() if name != "poll_interval"
    )


@pytest.mark.parametrize("path", sorted(WORKERS))
def test_it_can_be_mapped_over_any_argument(path):
    cls = load(path)
    values = given(cls)
    for expanded in values:
        constant = {name: value for name, value in values.items() if name != expanded}
        with DAG("d", start_date=pendulum.datetime(2026, 1, 1), schedule=None):
            mapped = cls.partial(task_id="task", **constant).expand(**{expanded: [values[expanded]]})
        assert mapped.operator_class is cls


@pytest.mark.parametrize("path", sorted(WORKERS))
def test_airflow_refuses_an_argument_that_nobody_knows(path):
    cls = load(path)
    with pytest.raises((TypeError, AirflowException), match="Invalid arguments"):
        cls(task_id="task", **given(cls), no_such_argument=1)


def test_the_decorator_leaves_to_default_args_what_it_is_not_given():
    with DAG(
        "d",
        start_date=pendulum.datetime(2026, 1, 1),
        schedule=None,
        default_args={"altcraft_conn_id": "crm", "nulls": "send"},
    ):

        @altcraft_import_task(destination=Scenario(12), batch_size=7)
        def people():
            return []

        task = people().operator
    assert (task.altcraft_conn_id, task.nulls, task.batch_size, task.max_in_flight) == ("crm", "send", 7, 4)


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("path", [path for path in sorted(WORKERS) if "relaunch_on_clear" in own(load(path))])
def test_whether_a_clear_does_it_again_can_be_said_of_each(path, again):
    cls = load(path)
    assert cls(task_id="task", **{**given(cls), "relaunch_on_clear": again}).relaunch_on_clear is again
