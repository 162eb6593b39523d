"""The catalogue against the collection of facts it was written from, which lies beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airflow_provider_altcraft.api.endpoints import ENDPOINTS, Documented, Effect

BESIDE = Path(__file__).parent.parent.parent.parent / "shared" / "altcraft-api" / "endpoints.yaml"
FACTS = Path(os.environ.get("ALTCRAFT_ENDPOINTS_YAML", BESIDE))

TYPES = {
    "string": {"str"},
    "bool": {"bool"},
    "int": {"int"},
    "float": {"float"},
    "int|string": {"int", "str"},
    "string|int": {"int", "str"},
    "RFC3339": {"datetime"},
    "YYYY-MM-DD": {"date"},
    "uuid": {"uuid"},
    "any": {"any"},
    "object": {"object"},
    "object {days, hours, minutes}": {"object"},
    "object {type, url}": {"object"},
    "object, up to 1 KB, flat": {"object"},
    "array": {"array"},
    "int[]": {"int[]"},
    "string[]": {"str[]"},
    "array of profiles": {"object[]"},
    "array of orders": {"object[]"},
    "array of {data: profile}": {"object[]"},
    "array of {goal, value}": {"object[]"},
    "array of content objects": {"object[]"},
    "array of file objects": {"object[]"},
}
EFFECTS = {
    "read": Effect.READ,
    "idempotent-write": Effect.WRITE,
    "non-idempotent-write": Effect.CREATE,
    "irreversible": Effect.IRREVERSIBLE,
    "unknown": Effect.UNKNOWN,
}
NAMES = {
    # The file has a path of its own, which the result of a task names.
    "/api/download/{file path from the task result}": "download/{file}",
    "/api/integrations/any/profile_import": "integrations/any/profile_import",
}
BY_THE_CLIENT = {"token", "format", "Authorization"}
"""The connection holds the token, and answers are read as JSON."""

IMPORTS = "the stored state converges but for field functions, and triggers fire again unless skipped (CONTRACT 13)"
LAUNCHES = "it sends messages, which is more than a write that makes another object"
SWITCHES = "it sets a state; a repeat of that sets it again"
OTHER_EFFECTS = {
    "profiles/import": (Effect.WRITE, IMPORTS),
    "profiles/import_batch": (Effect.WRITE, IMPORTS),
    "profiles/update": (Effect.WRITE, IMPORTS),
    "profiles/update_batch": (Effect.WRITE, IMPORTS),
    "integrations/any/profile_import": (Effect.LAUNCH, "with trigger_id or workflow_id it sends (CONTRACT 8.9)"),
    "campaigns/activate": (Effect.LAUNCH, "with run_now it sends (CONTRACT 5.3)"),
    "campaigns/broadcasts/start": (Effect.LAUNCH, LAUNCHES),
    "campaigns/regulars/start": (Effect.LAUNCH, LAUNCHES),
    "campaigns/triggers/start": (Effect.LAUNCH, LAUNCHES),
    "campaigns/triggers/start_batch": (Effect.LAUNCH, LAUNCHES),
    "campaigns/triggers/start_batch_task": (Effect.LAUNCH, LAUNCHES),
    "campaigns/triggers/import_and_start": (Effect.LAUNCH, LAUNCHES),
    "campaigns/triggers/import_and_start_batch": (Effect.LAUNCH, LAUNCHES),
    "campaigns/triggers/import_and_start_batch_task": (Effect.LAUNCH, LAUNCHES),
    "workflows/start": (Effect.LAUNCH, LAUNCHES),
    "workflows/import_and_start": (Effect.LAUNCH, LAUNCHES),
    "workflows/import_and_start_batch": (Effect.LAUNCH, LAUNCHES),
    "workflows/import_and_start_batch_task": (Effect.LAUNCH, LAUNCHES),
    "scampaigns/activate": (Effect.LAUNCH, "an active campaign lets its mailings go out"),
    "scampaigns/deactivate": (Effect.WRITE, SWITCHES),
    "campaigns/deactivate": (Effect.WRITE, SWITCHES),
    "workflows/activate": (Effect.WRITE, SWITCHES),
    "market/orders/import": (Effect.CREATE, "out of caution: that an order is found by its external_id is not said"),
}
IN_THE_PATH = "the path names it"
MORE_PARAMETERS = {
    ("v1.0/lists/{list_id}/suspend_all", "list_id"): IN_THE_PATH,
    ("v1.0/lists/{list_id}/unsuspend_all", "list_id"): IN_THE_PATH,
    ("download/{file}", "file"): IN_THE_PATH,
    ("databases/fields_get", "id"): "its twin databases/get has it; never required, so nothing rests on it",
    ("profiles/update_batch", "resource_id"): "the parameters of the import twin (CONTRACT 8.3)",
    ("profiles/update_batch", "skip_triggers"): "the parameters of the import twin (CONTRACT 8.3)",
    ("profiles/update_batch", "detect_geo"): "the parameters of the import twin (CONTRACT 8.3)",
    ("campaigns/broadcasts/list", "attributes"): "in newer editions (CONTRACT 6.4)",
}
SEEN_ONLY = "the values are those that were seen, an installation may have others"
OPEN_VALUES = {
    ("integrations/any/profile_import", "matching"): "the name of a field, too (CONTRACT 8.9)",
    ("subscriptions/set", "channel"): SEEN_ONLY,
    ("campaigns/list", "type"): SEEN_ONLY,
    ("campaigns/broadcasts/add", "send_channel"): SEEN_ONLY,
    ("campaigns/regulars/add", "send_channel"): SEEN_ONLY,
    ("campaigns/triggers/add", "send_channel"): SEEN_ONLY,
    ("campaigns/triggers/add", "trigger_type"): SEEN_ONLY,
}


def name_of(path):
    """The catalogue's name of a path."""
    return NAMES.get(path) or path.removeprefix("/api/v1.1/").removeprefix("/api/")


@pytest.fixture(scope="module")
def facts():
    if not FACTS.exists():
        pytest.skip(f"{FACTS} is not there; ALTCRAFT_ENDPOINTS_YAML may say where it is")
    yaml = pytest.importorskip("yaml")
    return {name_of(fact["path"]): fact for fact in yaml.safe_load(FACTS.read_text())["endpoints"]}


def documented(facts):
    """Name, fact of the parameter, parameter of the catalogue: for all that are documented."""
    for name, fact in facts.items():
        known = {parameter.name: parameter for parameter in ENDPOINTS[name].parameters}
        for said in fact.get("params", ()):
            if said["name"] not in BY_THE_CLIENT:
                yield name, said, known.get("*" if said["name"].startswith("<") else said["name"])


def test_the_endpoints_are_the_same(facts):
    assert set(facts) == set(ENDPOINTS)


def test_paths_methods_and_titles_are_the_same(facts):
    for name, fact in facts.items():
        assert ENDPOINTS[name].method == fact["method"]
        if name not in NAMES.values():
            assert ENDPOINTS[name].path == fact["path"]
        if "segstatic" not in name:
            # "Add profile" says where only under its heading.
            assert ENDPOINTS[name].title == fact["name"]


def test_it_is_known_as_well_as_it_is_documented(facts):
    levels = {"full": Documented.FULL, "partial": Documented.PARTIAL, "path-only": Documented.PATH_ONLY}
    assert {name: levels[fact["documented"]] for name, fact in facts.items()} == {
        name: row.documented for name, row in ENDPOINTS.items()
    }


def test_the_effects_are_the_same_but_for_what_has_a_reason(facts):
    said = {name: EFFECTS[fact["kind"]] for name, fact in facts.items()}
    expected = {**said, **{name: effect for name, (effect, _) in OTHER_EFFECTS.items()}}
    assert {name: row.effect for name, row in ENDPOINTS.items()} == expected
    assert all(said[name] is not effect for name, (effect, _) in OTHER_EFFECTS.items()), "a difference is none any more"


def test_no_documented_parameter_is_missing(facts):
    assert [(name, said["name"]) for name, said, parameter in documented(facts) if parameter is None] == []


def test_no_parameter_is_invented_but_for_what_has_a_reason(facts):
    more = {
        (name, parameter.name)
        for name, row in ENDPOINTS.items()
        for parameter in row.parameters
        if parameter.name not in {said["name"] for said in facts[name].get("params", ())} | {"*"}
    }
    assert more == set(MORE_PARAMETERS)


def test_types_and_allowed_values_are_the_same(facts):
    for name, said, parameter in documented(facts):
        types = set(parameter.types)
        values = {value for value in said.get("enum", ()) if not value.startswith("<")}
        assert set(parameter.values) == values, (name, said["name"])
        if (name, said["name"]) in OPEN_VALUES:
            assert types == {"str"}
        elif values:
            # Words and numbers are both accepted for a status (CONTRACT 12.4).
            assert types <= TYPES[said["type"]] - {"str"}, (name, said["name"])
        else:
            assert types == TYPES[said["type"]], (name, said["name"])


def test_what_is_required_is_the_same(facts):
    for name, said, parameter in documented(facts):
        required = said["required"] is True and parameter.name != "*"
        assert parameter.required == required, (name, said["name"])
        assert bool(parameter.condition) or said["required"] in {True, False}, (name, said["name"])


def test_the_defaults_are_the_same(facts):
    for name, said, parameter in documented(facts):
        default = said.get("default", [])
        text = str(default).lower() if isinstance(default, bool) else str(default)
        assert parameter.default == ("" if default == [] else text), (name, said["name"])


def test_where_the_id_of_a_task_is_is_the_same(facts):
    words = {"top-level": "task_id", "position not seen": "not seen"}
    for name, fact in facts.items():
        said = fact.get("task_id")
        assert ENDPOINTS[name].task == (words.get(said, said) if said else None), name


def test_the_pages_are_the_same(facts):
    for name, fact in facts.items():
        if ENDPOINTS[name].page:
            assert fact["source"].startswith(ENDPOINTS[name].page)


def test_the_deprecated_are_marked(facts):
    for name, fact in facts.items():
        if "deprecated" in fact.get("note", ""):
            assert ENDPOINTS[name].deprecated


def test_the_payload_is_where_the_answer_shows_it(facts):
    for name, fact in facts.items():
        response = fact["response"] if isinstance(fact.get("response"), list) else []
        fields = [field.split(".")[0].split("[")[0].split(" ")[0].split(":")[0] for field in response]
        shown = [field for field in fields if field in {"data", "result", "profile_id"}]
        if shown:
            assert ENDPOINTS[name].payload == shown[0], name
