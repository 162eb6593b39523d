"""Promo codes."""

from __future__ import annotations

from collections import Counter

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, attempt, method
from airflow_provider_altcraft.sandbox.methods.profiles import found, searched
from airflow_provider_altcraft.sandbox.world import Programme


@method("promocodes/import")
def import_codes(call: ApiCall) -> Body:
    """CONTRACT 11. The counts are the same whatever the items say."""
    programme = call.world.programme(call["loyalty_id"])
    errors = {
        "duplicated": call.behaviour.duplicate_code_is_error,
        "discarded_by_limit": call.behaviour.discarded_code_is_error,
    }
    ends: Counter[str] = Counter(inserted=0, duplicated=0, discarded_by_limit=0)

    def add(code: str) -> Body:
        end = programme.add(code)
        ends[end] += 1
        if errors.get(end):
            raise Refused(400, text="Duplicate code" if end == "duplicated" else "The limit of codes is reached")
        return {}

    return {"data": [{"code": code, **attempt(add, code)} for code in call["codes"]], **ends}


@method("promocodes/export_all")
def codes(call: ApiCall) -> Body:
    """CONTRACT 11: ``attached`` and ``activated`` appear only where they are true."""
    shown = []
    for name, code in call.world.programme(call["loyalty_id"]).codes.items():
        marks = {"attached": code.attached is not None, "activated": code.activated}
        shown.append({"code": name, **{mark: True for mark, is_so in marks.items() if is_so}})
    return {"data": shown}


@method("promocodes/attach")
def attach_code(call: ApiCall) -> Body:
    """CONTRACT 11. How the programme is named is cut; here by ``loyalty_id``, else the code's own, else the first."""
    programme = _programme(call)
    profile_id = found(call, call.world.database(call["db_id"]), searched(call))
    if profile_id is None:
        return {}
    code = programme.attach(call["code"], profile_id)
    return {"data": {"code": code}} if call.behaviour.attach_answer == "code" else {}


def _programme(call: ApiCall) -> Programme:
    if call["loyalty_id"] is not None:
        return call.world.programme(call["loyalty_id"])
    programmes = list(call.world.programmes.values())
    if not programmes:
        raise Refused(404, "there is no loyalty programme", "Not found")
    return next((one for one in programmes if call["code"] in one.codes), programmes[0])
