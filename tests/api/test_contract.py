"""The catalogue against what the documentation says of each endpoint, which is recorded in ``tests/contract``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from airflow_provider_altcraft.api.endpoints import ENDPOINTS, Documented, Effect

RECORD = Path(__file__).parents[1] / "contract" / "endpoints.yaml"

TYPES = {
    "string": {"str"},
    "bool": {"bool"},
    "int": {"int"},
    "float": {"float"},
    "int|string": {"int", "str"},
    "date-time": {"datetime"},
    "date": {"date"},
    "uuid": {"uuid"},
    "any": {"any"},
    "object": {"object"},
    "flat object": {"object"},
    "duration": {"object"},
    "callback": {"object"},
    "array": {"array"},
    "int list": {"int[]"},
    "string list": {"str[]"},
    "profile list": {"object[]"},
    "wrapped profile list": {"object[]"},
    "order list": {"object[]"},
    "goal list": {"object[]"},
    "content list": {"object[]"},
    "file list": {"object[]"},
}
EFFECTS = {
    "reads": Effect.READ,
    "converges": Effect.IDEMPOTENT_WRITE,
    "acts again": Effect.CREATE,
    "sends again": Effect.LAUNCH,
    "irreversible": Effect.IRREVERSIBLE,
    "unknown": Effect.UNKNOWN,
}
LEVELS = {"full": Documented.FULL, "partial": Documented.PARTIAL, "path-only": Documented.PATH_ONLY}

IMPORTS = "the stored state converges but for field functions, and triggers fire again unless skipped (CONTRACT 13)"
SWITCHES = "it sets a state; a repeat of that sets it again"
OTHER_EFFECTS = {
    "profiles/import": (Effect.IDEMPOTENT_WRITE, IMPORTS),
    "profiles/import_batch": (Effect.IDEMPOTENT_WRITE, IMPORTS),
    "profiles/update": (Effect.IDEMPOTENT_WRITE, IMPORTS),
    "profiles/update_batch": (Effect.IDEMPOTENT_WRITE, IMPORTS),
    "integrations/any/profile_import": (Effect.LAUNCH, "with trigger_id or workflow_id it sends (CONTRACT 8.9)"),
    "campaigns/activate": (Effect.LAUNCH, "with run_now it sends (CONTRACT 5.3)"),
    "scampaigns/activate": (Effect.LAUNCH, "an active campaign lets its mailings go out"),
    "scampaigns/deactivate": (Effect.IDEMPOTENT_WRITE, SWITCHES),
    "campaigns/deactivate": (Effect.IDEMPOTENT_WRITE, SWITCHES),
    "workflows/activate": (Effect.IDEMPOTENT_WRITE, SWITCHES),
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


@pytest.fixture(scope="module")
def record():
    """Endpoint name -> what is documented of it."""
    return dict(entries(yaml.safe_load(RECORD.read_text(encoding="utf-8"))["areas"]))


def entries(areas):
    for area in areas.values():
        paths = area.pop("by path alone", {})
        yield from area.items()
        for repeat, titles in paths.items():
            for name, title in titles.items():
                yield name, {"title": title, "known": "path-only", "repeat": repeat}


def parameters(fact):
    """Name, type and when it is needed: ``True``, ``False``, or the condition."""
    for needed, group in ((True, "required"), (False, "optional")):
        for name, type_ in fact.get(group, {}).items():
            yield name, type_, needed
    for condition, group in fact.get("conditional", {}).items():
        for name, type_ in group.items():
            yield name, type_, condition


def documented(record):
    """What is documented of a parameter, and the parameter of the catalogue: for all of them."""
    for name, fact in record.items():
        known = {parameter.name: parameter for parameter in ENDPOINTS[name].parameters}
        for parameter, type_, needed in parameters(fact):
            yield name, fact, type_, needed, known[parameter]


def test_an_endpoint_is_recorded_once():
    areas = yaml.safe_load(RECORD.read_text(encoding="utf-8"))["areas"]
    assert [name for name, times in Counter(name for name, _ in entries(areas)).items() if times > 1] == []


def test_the_endpoints_are_the_same(record):
    assert set(record) == set(ENDPOINTS)


def test_methods_and_titles_are_the_same(record):
    for name, fact in record.items():
        assert ENDPOINTS[name].method == fact.get("method", "POST")
        if "segstatic" not in name:
            # "Add profile" says where only under its heading.
            assert ENDPOINTS[name].title == fact["title"]


def test_the_paths_are_below_the_version_or_the_root_of_the_api():
    outside = [name for name, row in ENDPOINTS.items() if row.path == f"/api/{name}"]
    assert {name.split("/")[0] for name in outside} == {"v1.0", "integrations", "download"}
    assert all(row.path == f"/api/v1.1/{name}" for name, row in ENDPOINTS.items() if name not in outside)


def test_it_is_known_as_well_as_it_is_documented(record):
    assert {name: LEVELS[fact["known"]] for name, fact in record.items()} == {
        name: row.documented for name, row in ENDPOINTS.items()
    }


def test_the_effects_are_the_same_but_for_what_has_a_reason(record):
    said = {name: EFFECTS[fact["repeat"]] for name, fact in record.items()}
    expected = {**said, **{name: effect for name, (effect, _) in OTHER_EFFECTS.items()}}
    assert {name: row.effect for name, row in ENDPOINTS.items()} == expected
    assert all(said[name] is not effect for name, (effect, _) in OTHER_EFFECTS.items()), "a difference is none any more"


def test_no_documented_parameter_is_missing(record):
    known = {name: {parameter.name for parameter in row.parameters} for name, row in ENDPOINTS.items()}
    missing = [
        (name, said) for name, fact in record.items() for said, *_ in parameters(fact) if said not in known[name]
    ]
    assert missing == []


def test_no_parameter_is_invented_but_for_what_has_a_reason(record):
    more = {
        (name, parameter.name)
        for name, row in ENDPOINTS.items()
        for parameter in row.parameters
        if parameter.name not in {said for said, *_ in parameters(record[name])}
    }
    assert more == set(MORE_PARAMETERS)


def test_types_and_allowed_values_are_the_same(record):
    for name, fact, type_, _, parameter in documented(record):
        types, values = set(parameter.types), set(fact.get("values", {}).get(parameter.name, ()))
        assert set(parameter.values) == values, (name, parameter.name)
        if (name, parameter.name) in OPEN_VALUES:
            assert types == {"str"}
        elif values:
            # Words and numbers are both accepted for a status (CONTRACT 12.4).
            assert types <= TYPES[type_] - {"str"}, (name, parameter.name)
        else:
            assert types == TYPES[type_], (name, parameter.name)


def test_what_is_required_is_the_same(record):
    for name, _, _, needed, parameter in documented(record):
        assert parameter.required == (needed is True), (name, parameter.name)
        assert bool(parameter.condition) or isinstance(needed, bool), (name, parameter.name)


def test_the_defaults_are_the_same(record):
    for name, fact, _, _, parameter in documented(record):
        default = fact.get("default", {}).get(parameter.name, "")
        text = str(default).lower() if isinstance(default, bool) else str(default)
        assert parameter.default == text, (name, parameter.name)


def test_where_the_id_of_a_task_is_is_the_same(record):
    assert {name: row.task for name, row in ENDPOINTS.items()} == {
        name: fact.get("task") for name, fact in record.items()
    }


def test_the_pages_are_the_same(record):
    for name, fact in record.items():
        if ENDPOINTS[name].page:
            assert ENDPOINTS[name].page == f"developer-guide/{fact['page']}", name


def test_the_deprecated_are_marked(record):
    assert all(ENDPOINTS[name].deprecated for name, fact in record.items() if fact.get("deprecated"))


def test_the_payload_is_where_the_answer_shows_it(record):
    for name, fact in record.items():
        shown = [field for field in fact.get("answer", ()) if field in {"data", "result", "profile_id"}]
        if shown:
            assert ENDPOINTS[name].payload == shown[0], name


def test_the_differences_are_of_endpoints_and_parameters_that_there_are(record):
    assert set(OTHER_EFFECTS) <= set(record)
    said = {(name, parameter) for name, fact in record.items() for parameter, *_ in parameters(fact)}
    assert set(OPEN_VALUES) <= said
    assert not set(MORE_PARAMETERS) & said
