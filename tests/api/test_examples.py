"""What the documentation shows is what is sent and what is understood."""

from __future__ import annotations

import pytest

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.endpoints import ENDPOINTS, Documented
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftError
from tests.api.examples import EXAMPLES, REFUSALS

ANSWERED = pytest.mark.parametrize(
    ("name", "params", "answer", "data", "task_id"), EXAMPLES, ids=[example[0] for example in EXAMPLES]
)
LOOSE = {"15": 15, "true": True}
"""Numbers and booleans that the examples write as texts; proper types are sent (CONTRACT 1.7)."""
BOTH_NAMES = {"scampaigns/activate": ("activate_date", "start_date")}


@pytest.fixture
def client(echo):
    with AltcraftClient(Settings(echo.url, "token", max_attempts=1)) as client:
        yield client


@ANSWERED
def test_the_request_of_an_example_is_sent(client, echo, name, params, answer, data, task_id):
    client.call(name, params)
    expected = {key: LOOSE.get(value, value) if isinstance(value, str) else value for key, value in params.items()}
    shown, other = BOTH_NAMES.get(name, (None, None))
    if shown:
        expected[other] = params[shown]
    assert echo.last.path == f"/api/v1.1/{name}"
    assert echo.last.json == {**expected, "token": "token"}


@ANSWERED
def test_the_answer_of_an_example_is_understood(client, echo, name, params, answer, data, task_id):
    echo.answers.append(answer)
    reply = client.call(name, params)
    assert (reply.data, reply.task_id) == (data, task_id)
    assert reply.next_from_id == answer.get("next_from_id")
    assert reply.total_count == answer.get("total_count", answer.get("total"))


@pytest.mark.parametrize(("answer", "error", "code"), REFUSALS)
@pytest.mark.parametrize("status", [200, 400])
def test_the_refusal_of_an_example_is_one(client, echo, answer, error, code, status):
    echo.status = status
    echo.answers.append(answer)
    with pytest.raises(AltcraftError) as caught:
        client.call("campaigns/get_status", {"id": 7})
    assert (type(caught.value).__name__, caught.value.code) == (error, code)


def test_every_endpoint_whose_answer_was_read_has_an_example():
    full = {name for name, row in ENDPOINTS.items() if row.documented is Documented.FULL}
    # Their twins have one, or they have tests of their own.
    without = {
        "integrations/any/profile_import",
        "campaigns/broadcasts/get",
        "campaigns/regulars/get",
        "campaigns/regulars/list",
        "campaigns/triggers/get",
    }
    assert full - {name for name, *_ in EXAMPLES} == without
