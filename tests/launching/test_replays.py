"""Whose launch it is that Altcraft answers from its memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from airflow_provider_altcraft.api.client import AltcraftClient
from airflow_provider_altcraft.api.settings import Settings
from airflow_provider_altcraft.exceptions import AltcraftLaunchConflict
from airflow_provider_altcraft.launching.identity import Identity, Launch
from airflow_provider_altcraft.launching.launcher import Launcher
from airflow_provider_altcraft.launching.record import Records, Stage
from airflow_provider_altcraft.launching.replays import Announced, Whose, whose
from airflow_provider_altcraft.launching.tries import Tries
from airflow_provider_altcraft.operators.mailings import AltcraftLaunchMailingOperator
from airflow_provider_altcraft.sandbox import Fault
from tests.chaos.crashes import CrashingDagRun, Moment, one_clock
from tests.contexts import Store, context

START = "campaigns/broadcasts/start"
ANSWER_LOST = Moment("call", after=True)
SAYS_NOTHING = None
DOUBTS = Announced(START, "target")
LAUNCHED_THIS = Announced(START, "target", "this")
LAUNCHED_ANOTHER = Announced(START, "target", "another")


@pytest.mark.parametrize(
    ("has_asked", "sibling", "expected"),
    [
        (True, SAYS_NOTHING, Whose.OURS),
        (True, DOUBTS, Whose.NOBODY_KNOWS),
        (True, LAUNCHED_THIS, Whose.A_SIBLINGS),
        (True, LAUNCHED_ANOTHER, Whose.OTHER_CONTENT),
        (False, SAYS_NOTHING, Whose.A_STRANGERS),
        (False, DOUBTS, Whose.A_STRANGERS),
        (False, LAUNCHED_THIS, Whose.A_SIBLINGS),
        (False, LAUNCHED_ANOTHER, Whose.OTHER_CONTENT),
    ],
)
def test_whose_a_remembered_launch_is(has_asked, sibling, expected):
    assert whose("this", sibling, has_asked=has_asked) is expected


class TestOneMailingTwiceInAList:
    """Two mapped instances ask for one mailing; answers are lost."""

    @pytest.fixture(params=["store", "records", "nothing kept"])
    def dag_run(self, request, altcraft_sandbox, monkeypatch, tmp_path):
        one_clock(monkeypatch, altcraft_sandbox.clock.now)
        altcraft_sandbox.add_mailing(101)
        self.sent = []
        return CrashingDagRun(
            altcraft_sandbox,
            monkeypatch,
            endpoints=(START,),
            on_call=self.noting(altcraft_sandbox),
            keeping=request.param,
            folder=tmp_path,
        )

    def noting(self, altcraft_sandbox):
        def call(make, params, request_id):
            before = altcraft_sandbox.deliveries.total_launches
            try:
                return make()
            finally:
                if altcraft_sandbox.deliveries.total_launches > before:
                    self.sent.append(params["content"]["subject"])

        return call

    def attempt(self, dag_run, index, subject, *, dies_at=None):
        operator = AltcraftLaunchMailingOperator(
            task_id="launch", mailing_id=101, content={"message_id": 1, "subject": subject}, retries=3,
            wait_for_completion=False,
        )  # fmt: skip
        return dag_run.try_it(operator, index, dies_at=dies_at)

    def lose(self, altcraft_sandbox, *, requests=0, answers=0):
        altcraft_sandbox.faults.clear()
        if requests:
            altcraft_sandbox.faults.add(Fault("drop_before", START, times=requests))
        if answers:
            altcraft_sandbox.faults.add(Fault("drop_after", START, times=answers))

    def test_is_no_instances_that_lost_its_first_request_while_another_may_have_launched_it(
        self, altcraft_sandbox, dag_run
    ):
        self.attempt(dag_run, 1, "B", dies_at=ANSWER_LOST)
        self.lose(altcraft_sandbox, requests=1)
        assert self.attempt(dag_run, 0, "A").word == "AltcraftLaunchConflict"
        assert self.sent == ["B"]

    def test_nor_one_that_lost_all_requests_of_a_try(self, altcraft_sandbox, dag_run):
        self.attempt(dag_run, 1, "B", dies_at=ANSWER_LOST)
        self.lose(altcraft_sandbox, requests=9)
        assert self.attempt(dag_run, 0, "A").word == "AltcraftTransportError"
        self.lose(altcraft_sandbox)
        assert self.attempt(dag_run, 0, "A").word == "AltcraftLaunchConflict"
        assert self.sent == ["B"]

    def test_is_the_others_where_it_says_so_though_a_first_request_was_lost(self, altcraft_sandbox, dag_run):
        assert self.attempt(dag_run, 1, "B").green
        self.lose(altcraft_sandbox, requests=1)
        assert self.attempt(dag_run, 0, "A").word == "AltcraftLaunchConflict"

    def test_is_neithers_where_both_lost_their_answers(self, altcraft_sandbox, dag_run):
        self.attempt(dag_run, 1, "B", dies_at=ANSWER_LOST)
        self.lose(altcraft_sandbox, requests=1)
        assert not self.attempt(dag_run, 0, "A").green
        self.lose(altcraft_sandbox)
        assert self.attempt(dag_run, 1, "B").word == "AltcraftLaunchConflict"
        assert self.sent == ["B"]

    def test_is_that_instances_whose_first_answer_came_though_another_was_lost(self, altcraft_sandbox, dag_run):
        self.lose(altcraft_sandbox, requests=9)
        assert self.attempt(dag_run, 1, "B").word == "AltcraftTransportError"
        self.lose(altcraft_sandbox)
        assert self.attempt(dag_run, 0, "A").green
        assert self.attempt(dag_run, 1, "B").word == "AltcraftLaunchConflict"
        assert self.sent == ["A"]

    def test_is_both_instances_if_one_says_that_it_launched_the_same_content(self, altcraft_sandbox, dag_run):
        assert self.attempt(dag_run, 1, "A").green
        self.lose(altcraft_sandbox, requests=1)
        assert self.attempt(dag_run, 0, "A").green
        assert self.sent == ["A"]

    def test_is_ones_own_where_the_other_was_refused(self, altcraft_sandbox, dag_run):
        altcraft_sandbox.faults.add(Fault("api_error", START, times=9, code=400))
        assert not self.attempt(dag_run, 1, "B").green
        self.lose(altcraft_sandbox, answers=1)
        assert self.attempt(dag_run, 0, "A").green
        assert self.sent == ["A"]

    @pytest.mark.parametrize("first", ["A", "B"])
    def test_is_not_launched_again_by_one_that_another_went_before_when_altcraft_has_forgotten(
        self, altcraft_sandbox, dag_run, first
    ):
        altcraft_sandbox.faults.add(Fault("api_error", START, times=1, code=400))
        assert not self.attempt(dag_run, 0, first).green
        assert self.attempt(dag_run, 1, "B").green
        assert self.attempt(dag_run, 0, "A").word == "AltcraftLaunchConflict"
        altcraft_sandbox.clock.advance(25 * 3600)
        dag_run.clear(0)
        assert not self.attempt(dag_run, 0, "A").green
        assert self.sent == ["B"]


class TestALaunch:
    """Of one of several mapped instances, whose siblings say what they are told to."""

    @pytest.fixture
    def launch(self, altcraft_sandbox):
        def launch(*says, store=None, about=("id",), map_index=0):
            answers = iter(says)
            settings = Settings(altcraft_sandbox.url, altcraft_sandbox.token)
            with AltcraftClient(settings, sleep=lambda seconds: None) as client:
                launcher = Launcher(
                    client,
                    Identity.of(context(map_index=map_index)),
                    tries=Tries(run_since=datetime.now(UTC)),
                    records=None if store is None else Records(store),
                    siblings=lambda request_id, is_patient: next(answers),
                    log=lambda line: None,
                )
                return launcher.launch(Launch(START, {"id": 7}, about=about), now=altcraft_sandbox.clock.now())

        return launch

    def answer_is_lost(self, altcraft_sandbox):
        altcraft_sandbox.faults.add(Fault("drop_after", START, times=1))

    def test_is_ones_own_if_the_other_finds_that_it_is_not_its(self, altcraft_sandbox, launch):
        self.answer_is_lost(altcraft_sandbox)
        assert launch(DOUBTS, None).replayed

    def test_is_in_doubt_if_the_other_stays_so(self, altcraft_sandbox, launch):
        self.answer_is_lost(altcraft_sandbox)
        store = Store()
        with pytest.raises(AltcraftLaunchConflict, match="or this one has") as caught:
            launch(DOUBTS, DOUBTS, store=store)
        assert caught.value.in_doubt
        assert [record["stage"] for record in store[Records.KEY]] == [Stage.SENT]

    def test_of_which_all_is_the_target_is_ones_own_whoever_made_it(self, altcraft_sandbox, launch):
        self.answer_is_lost(altcraft_sandbox)
        assert launch(about=()).replayed

    def test_is_since_when_the_other_says(self, altcraft_sandbox, launch):
        launch(map_index=-1)
        said = replace(DOUBTS, content=Launch(START, {"id": 7}).content, began="2026-01-01T00:00:00+00:00", mark={})
        launched = launch(said)
        assert launched.began == datetime(2026, 1, 1, tzinfo=UTC)
        assert launched.mark == {}

    def test_stays_a_strangers_though_the_answer_to_another_request_is_lost(self, altcraft_sandbox, launch):
        store = Store()
        launch(map_index=-1)
        for _ in range(2):
            with pytest.raises(AltcraftLaunchConflict, match="has never asked for it"):
                launch(None, store=store)
            self.answer_is_lost(altcraft_sandbox)

    def test_stays_a_strangers_though_a_try_dies_before_its_answer(self, altcraft_sandbox, launch, monkeypatch):
        store = Store()
        launch(map_index=-1)
        with pytest.raises(AltcraftLaunchConflict):
            launch(None, store=store)
        with monkeypatch.context() as patches:
            patches.setattr(AltcraftClient, "call", interrupted)
            with pytest.raises(KeyboardInterrupt):
                launch(None, store=store)
        with pytest.raises(AltcraftLaunchConflict):
            launch(None, store=store)


def interrupted(*arguments, **how):
    raise KeyboardInterrupt
