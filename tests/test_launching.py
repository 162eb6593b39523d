"""At most one launch per logical launch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftOutcomeUnknown, AltcraftRejected, AltcraftTransportError
from airflow_provider_altcraft.launching import Identity, Launcher, earliest
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

START = "campaigns/broadcasts/start"


@pytest.fixture
def launch(altcraft_sandbox):
    """A launch of mailing 7 by one task instance; every call is another try of it, on another worker."""

    def launch(*, store=None, look=lambda since: None, dedup=True, **identity):
        window = 86_400 if dedup else 0
        settings = Settings(altcraft_sandbox.url, altcraft_sandbox.token, deduplication_window=window, max_attempts=2)
        with AltcraftClient(settings) as client:
            launcher = Launcher(client, Identity.of(context(), **identity), store=store, log=lambda line: None)
            return launcher.launch(START, {"id": 7}, since=altcraft_sandbox.clock.now(), look=look)

    return launch


@given(
    st.tuples(st.text(), st.text(), st.text(), st.integers(-1, 99)),
    st.tuples(st.text(), st.text(), st.text(), st.integers(-1, 99)),
)
def test_the_same_task_instance_has_the_same_id_and_another_has_another(one, other):
    first, second = Identity(one).request_id(START), Identity(other).request_id(START)
    assert (first == second) == (one == other)
    assert str(UUID(first)) == first


def test_endpoint_content_attempt_and_generation_are_part_of_the_id():
    identity = Identity(("dag", "run", "task", -1))
    ids = {
        identity.request_id(START),
        identity.request_id("campaigns/regulars/start"),
        identity.request_id(START, content="abc"),
        identity.request_id(START, attempt=1),
        Identity(identity.parts, generation=1).request_id(START),
    }
    assert len(ids) == 5


def test_a_clear_moves_the_generation_only_where_it_is_meant_to():
    before, after = context(max_tries=1), context(max_tries=3)
    assert Identity.of(before) == Identity.of(after)
    assert Identity.of(before, relaunch_on_clear=True) != Identity.of(after, relaunch_on_clear=True)


@pytest.mark.parametrize("remembers", [False, True])
def test_a_second_try_takes_up_the_launch_of_the_first(altcraft_sandbox, launch, remembers):
    store = Store() if remembers else None
    first, second = launch(store=store), launch(store=store)
    assert altcraft_sandbox.deliveries.total_launches == 1
    assert (first.replayed, second.replayed) == (False, True)
    assert first.request_id == second.request_id


@pytest.mark.parametrize("remembers", [False, True])
def test_a_try_that_lost_its_answer_leaves_the_launch_to_the_next(altcraft_sandbox, launch, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=2))
    with pytest.raises(AltcraftTransportError):
        launch(store=store)
    assert launch(store=store).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_an_old_refusal_is_not_todays_answer(altcraft_sandbox, launch):
    altcraft_sandbox.mailing(7).is_active = False
    with pytest.raises(AltcraftRejected):
        launch()
    altcraft_sandbox.mailing(7).is_active = True
    assert not launch().replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_where_nobody_remembers_a_lost_answer_is_an_unknown_outcome(altcraft_sandbox, launch):
    altcraft_sandbox.behaviour.deduplication = "off"
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    with pytest.raises(AltcraftOutcomeUnknown, match="not sent again"):
        launch(dedup=False)
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_an_intent_without_an_answer_is_looked_after_where_nobody_remembers(altcraft_sandbox, launch):
    altcraft_sandbox.behaviour.deduplication = "off"
    store = Store()
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, store=store)
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, store=store)
    assert launch(dedup=False, store=store, look=lambda since: True).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_an_intent_older_than_the_window_is_not_sent_again(altcraft_sandbox, launch):
    store = Store()
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=2))
    with pytest.raises(AltcraftTransportError):
        launch(store=store)
    altcraft_sandbox.clock.advance(90_000)
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(store=store)
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_a_request_id_of_the_users_own_is_sent_as_it_is(altcraft_sandbox, launch):
    launch(given="tonight")
    assert altcraft_sandbox.journal.calls(START)[0].request_id == "tonight"


def test_after_an_unknown_outcome_a_request_id_of_the_users_own_is_a_new_launch(altcraft_sandbox, launch):
    altcraft_sandbox.behaviour.deduplication = "off"
    store = Store()
    altcraft_sandbox.faults.add(Fault("drop_before", START, times=1))
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, store=store)
    assert not launch(dedup=False, store=store, given="tonight, again").replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run", "moment"),
    [
        (None, NOW - timedelta(days=1)),
        (SimpleNamespace(run_after=NOW - timedelta(hours=2)), NOW - timedelta(hours=2)),
        (SimpleNamespace(run_after=NOW - timedelta(days=9)), NOW - timedelta(days=1)),
        (SimpleNamespace(run_after=NOW + timedelta(hours=1)), NOW - timedelta(days=1)),
        (SimpleNamespace(run_after=None, data_interval_end=NOW - timedelta(hours=1)), NOW - timedelta(hours=1)),
    ],
)
def test_a_replay_is_no_older_than_the_run_and_than_altcrafts_memory(run, moment):
    assert earliest({"dag_run": run}, now=NOW, window=86_400) == moment
