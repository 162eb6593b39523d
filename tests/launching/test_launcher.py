"""At most one launch per logical launch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftOutcomeUnknown, AltcraftRejected, AltcraftTransportError
from airflow_provider_altcraft.launching.identity import Identity, Launch
from airflow_provider_altcraft.launching.launcher import Launcher, nothing_can_tell
from airflow_provider_altcraft.launching.record import Records
from airflow_provider_altcraft.launching.tries import Tries
from airflow_provider_altcraft.sandbox import Fault
from tests.contexts import Store, context

START = "campaigns/broadcasts/start"
AN_HOUR_AGO = Tries(since=datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture
def launch(altcraft_sandbox):
    """A launch of mailing 7 by one task instance; every call is another try of it, on another worker."""

    def launch(
        *,
        store=None,
        complete=True,
        look_up=nothing_can_tell,
        dedup=True,
        tries=None,
        log=lambda line: None,
        **identity,
    ):
        window = 86_400 if dedup else 0
        settings = Settings(altcraft_sandbox.url, altcraft_sandbox.token, deduplication_window=window, max_attempts=2)
        with AltcraftClient(settings, sleep=lambda seconds: None) as client:
            launcher = Launcher(
                client,
                Identity.of(context(), **identity),
                tries=tries or Tries(),
                records=None if store is None else Records(store, is_complete=complete),
                log=log,
            )
            now = altcraft_sandbox.clock.now()
            return launcher.launch(Launch(START, {"id": 7}, about=("id",)), now=now, look_up=look_up)

    return launch


@given(
    st.tuples(st.text(), st.text(), st.text(), st.text()),
    st.tuples(st.text(), st.text(), st.text(), st.text()),
)
def test_the_same_task_has_the_same_id_and_another_has_another(one, other):
    first, second = (Identity(*parts).request_id(START, "7") for parts in (one, other))
    assert (first == second) == (one == other)
    assert str(UUID(first)) == first


def test_endpoint_what_is_launched_attempt_and_generation_are_part_of_the_id():
    identity = Identity("dag", "run", "task")
    ids = {
        identity.request_id(START, "7"),
        identity.request_id("campaigns/regulars/start", "7"),
        identity.request_id(START, "8"),
        identity.request_id(START, "7", attempt=1),
        replace(identity, generation=1).request_id(START, "7"),
        replace(identity, deployment="staging").request_id(START, "7"),
    }
    assert len(ids) == 6


@given(st.integers(-1, 99), st.integers(-1, 99))
def test_where_a_task_instance_stands_in_a_mapped_list_is_no_part_of_the_id(one, other):
    launch = Launch(START, {"id": 7}, about=("id",))
    first, second = (Identity.of(context(map_index=index)).launch_id(launch) for index in (one, other))
    assert first == second


def test_a_clear_moves_the_generation_only_where_it_is_meant_to():
    before, after = context(max_tries=1), context(max_tries=3)
    assert Identity.of(before) == Identity.of(after)
    assert Identity.of(before, relaunch_on_clear=True) != Identity.of(after, relaunch_on_clear=True)


@pytest.mark.parametrize("remembers", [False, True])
def test_a_second_try_takes_up_the_launch_of_the_first(altcraft_sandbox, launch, remembers):
    store = Store() if remembers else None
    first, second = launch(store=store), launch(store=store, tries=AN_HOUR_AGO)
    assert altcraft_sandbox.deliveries.total_launches == 1
    assert (first.replayed, second.replayed) == (False, True)
    assert first.request_id == second.request_id


@pytest.mark.parametrize("remembers", [False, True])
def test_a_try_that_lost_its_answer_leaves_the_launch_to_the_next(altcraft_sandbox, launch, remembers):
    store = Store() if remembers else None
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=2))
    with pytest.raises(AltcraftTransportError):
        launch(store=store)
    assert launch(store=store, tries=AN_HOUR_AGO).replayed
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
    assert launch(dedup=False, store=store, look_up=lambda sighting: True).replayed
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


def test_a_request_id_of_the_users_own_stands_in_for_dag_run_and_task(altcraft_sandbox, launch):
    launch(given="tonight")
    (call,) = altcraft_sandbox.journal.calls(START)
    launch_7, launch_8 = (Launch(START, {"id": number}, about=("id",)) for number in (7, 8))
    elsewhere = Identity("another dag", "another run", "another task", given="tonight")
    assert call.request_id == elsewhere.launch_id(launch_7)
    assert call.request_id != elsewhere.launch_id(launch_8)


def test_after_a_clear_another_request_id_of_the_users_own_is_a_new_launch(altcraft_sandbox, launch):
    altcraft_sandbox.behaviour.deduplication = "off"
    store = Store()
    altcraft_sandbox.faults.add(Fault("drop_before", START, times=1))
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, store=store)
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, store=store, given="tonight, again")
    cleared = replace(AN_HOUR_AGO, cleared=True, max_tries=1)
    assert not launch(dedup=False, store=store, given="tonight, again", tries=cleared).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_a_request_id_of_the_users_own_moves_with_a_clear_that_means_it():
    first = Identity.of(context(max_tries=0), relaunch_on_clear=True, given="tonight")
    cleared = Identity.of(context(max_tries=1), relaunch_on_clear=True, given="tonight")
    launch = Launch(START, {"id": 7}, about=("id",))
    assert first.launch_id(launch) != cleared.launch_id(launch)


@pytest.mark.parametrize("answer", ["error", "marked"])
def test_a_refusal_of_the_repeat_while_the_first_still_runs_is_no_answer(altcraft_sandbox, launch, answer):
    altcraft_sandbox.behaviour.duplicate_while_running = answer
    altcraft_sandbox.faults.add(Fault("delay", START, times=1, seconds=1.5))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(launch)
        while not altcraft_sandbox.journal.calls(START):
            pass
        with pytest.raises(AltcraftRejected) as caught:
            launch(tries=AN_HOUR_AGO)
        assert caught.value.is_transient
        assert not first.result().replayed
    assert launch(tries=AN_HOUR_AGO).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_a_fault_that_came_after_the_work_is_looked_at_before_anything_is_sent_again(altcraft_sandbox, launch):
    altcraft_sandbox.behaviour.replay_errors = False
    altcraft_sandbox.faults.add(Fault("error_after", START, times=1, code=500))
    store = Store()
    with pytest.raises(AltcraftRejected, match="error 500"):
        launch(store=store)
    assert launch(store=store, look_up=lambda sighting: True).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_a_fault_is_taken_up_at_once_where_a_look_shows_the_launch(altcraft_sandbox, launch):
    altcraft_sandbox.faults.add(Fault("error_after", START, times=1, code=500))
    assert launch(look_up=lambda sighting: True).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_without_a_store_a_later_try_is_not_sent_when_altcraft_may_have_forgotten(altcraft_sandbox, launch):
    launch()
    altcraft_sandbox.behaviour.deduplication_window = 1
    with pytest.raises(AltcraftOutcomeUnknown, match="new DAG run"):
        launch(tries=Tries(since=altcraft_sandbox.clock.now() - timedelta(hours=25)), look_up=lambda sighting: True)
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_where_nobody_remembers_no_clock_can_make_a_later_try_send_again(altcraft_sandbox, launch):
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, tries=Tries(since=altcraft_sandbox.clock.now() + timedelta(seconds=30)))


def test_a_retry_with_an_empty_store_knows_that_nothing_was_sent(altcraft_sandbox, launch):
    assert not launch(store=Store(), tries=Tries(since=datetime.min.replace(tzinfo=UTC))).replayed


def test_a_cleared_task_with_an_empty_store_may_have_outlived_it(altcraft_sandbox, launch):
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(store=Store(), complete=False, tries=Tries(since=datetime.min.replace(tzinfo=UTC), cleared=True))


def test_a_launch_that_was_refused_is_not_in_doubt_however_late_its_reason_goes(altcraft_sandbox, launch):
    store = Store()
    altcraft_sandbox.mailing(7).is_active = False
    with pytest.raises(AltcraftRejected):
        launch(store=store)
    altcraft_sandbox.mailing(7).is_active = True
    altcraft_sandbox.clock.advance(3 * 86_400)
    late = Tries(since=datetime.now(UTC), cleared=True, max_tries=1)
    assert not launch(store=store, tries=late).replayed
    assert altcraft_sandbox.deliveries.total_launches == 1


@pytest.mark.parametrize("then", ["rate_limited", "api_error"])
def test_a_refusal_of_a_later_try_does_not_settle_what_an_earlier_one_left_open(altcraft_sandbox, launch, then):
    store = Store()
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=2))
    with pytest.raises(AltcraftTransportError):
        launch(store=store)
    altcraft_sandbox.faults.add(Fault(then, START, times=2, code=400, seconds=0))
    with pytest.raises(AltcraftRejected):
        launch(store=store, tries=AN_HOUR_AGO)
    altcraft_sandbox.clock.advance(2 * 86_400)
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(store=store, tries=AN_HOUR_AGO)
    assert altcraft_sandbox.deliveries.total_launches == 1


def test_a_clear_is_told_that_it_does_not_launch_again(altcraft_sandbox, launch):
    store, lines = Store(), []
    launch(store=store, tries=Tries(max_tries=1))
    launch(store=store, tries=AN_HOUR_AGO, log=lines.append)
    assert any("relaunch_on_clear" in line for line in lines)


def test_attempts_end_before_altcrafts_memory_of_the_first_does(altcraft_sandbox):
    altcraft_sandbox.faults.add(Fault("drop_after", START))
    slept = []
    settings = Settings(altcraft_sandbox.url, altcraft_sandbox.token, deduplication_window=40, max_attempts=1000)
    with AltcraftClient(settings, sleep=slept.append) as client, pytest.raises(AltcraftTransportError):
        client.call(START, {"id": 7}, request_id="once")
    assert 0 < sum(slept) < 40


def test_a_launch_that_a_look_has_shown_is_not_looked_for_again(altcraft_sandbox, launch):
    altcraft_sandbox.behaviour.deduplication = "off"
    store = Store()
    altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))
    with pytest.raises(AltcraftOutcomeUnknown):
        launch(dedup=False, store=store)
    assert launch(dedup=False, store=store, look_up=lambda sighting: True).replayed
    assert launch(dedup=False, store=store, look_up=lambda sighting: None).replayed


def test_what_was_refused_with_other_content_goes_out_under_another_id(altcraft_sandbox):
    store = Store()
    altcraft_sandbox.behaviour.replay_errors = False
    settings = Settings(altcraft_sandbox.url, altcraft_sandbox.token)
    with AltcraftClient(settings, sleep=lambda seconds: None) as client:
        launcher = Launcher(
            client, Identity.of(context()), tries=Tries(), records=Records(store), log=lambda line: None
        )
        now = altcraft_sandbox.clock.now()
        altcraft_sandbox.faults.add(Fault("api_error", START, times=1, code=400))
        with pytest.raises(AltcraftRejected):
            launcher.launch(Launch(START, {"id": 7, "override_limit": 1}, about=("id",)), now=now)
        launcher.launch(Launch(START, {"id": 7, "override_limit": 2}, about=("id",)), now=now)
    first, second = altcraft_sandbox.journal.calls(START)
    assert first.request_id != second.request_id
