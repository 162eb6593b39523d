"""Campaigns, the umbrella over mailings and scenarios. The paths say ``scampaigns``."""

from __future__ import annotations

from airflow_provider_altcraft.api.catalogue.groups import LIST
from airflow_provider_altcraft.api.catalogue.model import Documented, Effect, row

READ, IDEMPOTENT_WRITE, CREATE, LAUNCH, IRREVERSIBLE, UNKNOWN = Effect
FULL, PARTIAL, PATH_ONLY = Documented

CAMPAIGN = "id/campaign_id: int!"
RUN_RIGHT = "Needs the right Campaigns: Run."
VIEW_RIGHT = "Needs the right Campaigns: View object."

# fmt: off
ROWS = (
    row("scampaigns/get", READ, PARTIAL, "Get campaign information",
        CAMPAIGN, "marketing_activities: bool = false",
        page="developer-guide/super-campaigns/get-scampaigns-info", note=VIEW_RIGHT),
    row("scampaigns/get_status", READ, FULL, "Get campaign status",
        CAMPAIGN, page="developer-guide/super-campaigns/scampaigns-status", note=VIEW_RIGHT),
    row("scampaigns/list", READ, FULL, "Get campaign list",
        LIST, "state: cloning|inactive|waiting|active|completed|deleted; attributes: object",
        page="developer-guide/super-campaigns/get-scampaigns-list", note=RUN_RIGHT),
    # The documentation's table says activate_date, its examples start_date: both are sent (CONTRACT 14.3). It is a
    # launch because it starts the campaign's mailings.
    row("scampaigns/activate", LAUNCH, FULL, "Activate campaign",
        CAMPAIGN, "activate_date+start_date: datetime!; deactivate_date: datetime",
        "completed_date: datetime (completes it then, which is irreversible)",
        page="developer-guide/super-campaigns/scampaigns-activation", note=RUN_RIGHT),
    row("scampaigns/deactivate", IDEMPOTENT_WRITE, FULL, "Deactivate campaign",
        CAMPAIGN, page="developer-guide/super-campaigns/scampaigns-deactivation", note=RUN_RIGHT),
    row("scampaigns/completed", IRREVERSIBLE, FULL, "Complete campaign",
        CAMPAIGN,
        settles=True, page="developer-guide/super-campaigns", note=f"It can never be started again. {RUN_RIGHT}"),
)
