"""Promo codes."""

from __future__ import annotations

from collections import Counter

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import Act, Body, attempt, method


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
