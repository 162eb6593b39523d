"""Reports."""

from __future__ import annotations

from collections import Counter
from datetime import date

from airflow_provider_altcraft.sandbox.contract import Refused
from airflow_provider_altcraft.sandbox.methods.call import ApiCall, Body, method


@method("reports/bounces")
def bounces(call: ApiCall) -> Body:
    """CONTRACT 11. What ``data_id`` names is not said; here it is the mailing, or the value that is grouped by."""
    since, until = _day(call["date_from"]), _day(call["date_to"])
    if since > until:
        raise Refused(400, "date_from must not be after date_to")
    counts: Counter[tuple[int | str, str, str]] = Counter()
    for bounce in call.world.bounces:
        if since <= bounce.on <= until and call["campaign_id"] in (None, bounce.mailing_id):
            group = {"ip": bounce.ip, "from_domain": bounce.from_domain}.get(call["group_by"], bounce.mailing_id)
            counts[group, bounce.text, bounce.to_domain] += 1
    return {
        "data": [
            {"data_id": group, "count": count, "bounce_text": text, "to_domain": domain}
            for (group, text, domain), count in counts.most_common(call["top"])
        ]
    }


def _day(value: str) -> date:
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != value:
        raise Refused(400, "dates of a report must be YYYY-MM-DD")
    return parsed
