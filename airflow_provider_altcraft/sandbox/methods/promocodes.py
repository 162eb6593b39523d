"""Promo codes."""

from __future__ import annotations

from collections import Counter

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, attempt, method
from airflow_provider_altcraft.sandbox.methods.profiles import found, searched
from airflow_provider_altcraft.sandbox.world import Programme


@method("promocodes/import")
def import_codes(act: Act) -> Body:
    """CONTRACT 11. The numbers hold whatever the items say."""
    programme = act.world.programme(act["loyalty_id"])
    errors = {
        "duplicated": act.behaviour.duplicate_code_is_error,
        "discarded_by_limit": act.behaviour.discarded_code_is_error,
    }
    ends: Counter[str] = Counter(inserted=0, duplicated=0, discarded_by_limit=0)

    def add(code: str) -> Body:
        end = programme.add(code)
        ends[end] += 1
        if errors.get(end):
            raise Refused(400, text="Duplicate code" if end == "duplicated" else "The limit of codes is reached")
        return {}

    return {"data": [{"code": code, **attempt(add, code)} for code in act["codes"]], **ends}


@method("promocodes/export_all")
def codes(act: Act) -> Body:
    """CONTRACT 11: ``attached`` and ``activated`` where they are so."""
    shown = []
    for name, code in act.world.programme(act["loyalty_id"]).codes.items():
        marks = {"attached": code.attached is not None, "activated": code.activated}
        shown.append({"code": name, **{mark: True for mark, is_so in marks.items() if is_so}})
    return {"data": shown}


@method("promocodes/attach")
def attach_code(act: Act) -> Body:
    """CONTRACT 11. How it names the programme is cut: ``loyalty_id``, else the code's own, else the first."""
    programme = _programme(act)
    profile_id = found(act, act.world.database(act["db_id"]), searched(act))
    if profile_id is None:
        return {}
    code = programme.attach(act["code"], profile_id)
    return {"data": {"code": code}} if act.behaviour.attach_answer == "code" else {}


def _programme(act: Act) -> Programme:
    if act["loyalty_id"] is not None:
        return act.world.programme(act["loyalty_id"])
    programmes = list(act.world.programmes.values())
    if not programmes:
        raise Refused(404, "there is no loyalty programme", "Not found")
    return next((one for one in programmes if act["code"] in one.codes), programmes[0])
