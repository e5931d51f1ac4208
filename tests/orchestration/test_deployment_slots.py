"""A deployment's limit on how many of its runs are under way."""

import pytest

from messages.catalog import CollisionStrategy
from messages.states import StateType
from tests.orchestration.builders import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    CRASHED,
    FAILED,
    FORCE,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    Outcome,
    a_flow_run,
    a_limit,
    a_state,
    after,
    an_id,
    facts_of,
    set_flow,
)
from workers.orchestration.decision import ReleaseSlots, TakeSlots
from workers.orchestration.facts import LimitFacts, Orders

OLD_CLIENTS = ["3.0.0rc20", "3.0.0", "3.0.1", "3.0.2", "3.0.3"]
RESTING = [SCHEDULED, PAUSED, COMPLETED, FAILED, CRASHED, CANCELLED]


def take_up(limit: LimitFacts | None, orders: Orders | None = None, **facts: object) -> Outcome:
    run = a_flow_run(SCHEDULED, deployed=True)
    return set_flow(run, PENDING, orders or Orders(), facts_of(run, limit, **facts))


def test_a_run_that_finds_room_takes_a_slot() -> None:
    limit = a_limit(2, taken=1)
    outcome = take_up(limit)
    assert outcome.verdict == "ACCEPT Pending"
    assert outcome.effects == (TakeSlots((limit.id,)),)


@pytest.mark.parametrize("limit", [a_limit(2, taken=2), a_limit(2, taken=3), a_limit(2, active=False)])
def test_a_run_that_finds_no_room_waits_in_the_schedule(limit: LimitFacts) -> None:
    outcome = take_up(limit)
    assert outcome.verdict == "REJECT AwaitingConcurrencySlot"
    assert outcome.run.state.state_details.scheduled_time == after(30)
    assert outcome.effects == ()


def test_how_long_a_run_waits_is_a_setting() -> None:
    run = take_up(a_limit(1, taken=1), Orders(deployment_slot_wait_seconds=7.5)).run
    assert run.next_scheduled_start_time == after(7.5)


def test_a_run_that_finds_no_room_is_cancelled_if_the_deployment_says_so() -> None:
    outcome = take_up(a_limit(1, taken=1), collision_strategy=CollisionStrategy.CANCEL_NEW)
    assert outcome.verdict == "REJECT Cancelled"
    assert outcome.run.state.message


def test_a_limit_of_0_lets_nobody_in() -> None:
    assert take_up(a_limit(0)).verdict == "ABORT"


def test_a_run_whose_deployment_is_gone_cannot_be_taken_up() -> None:
    assert take_up(None, exists=False).verdict == "ABORT"


def test_without_a_limit_nothing_is_taken() -> None:
    assert take_up(None).effects == ()
    outcome = set_flow(a_flow_run(SCHEDULED), PENDING)
    assert (outcome.verdict, outcome.effects) == ("ACCEPT Pending", ())


def test_a_run_never_takes_a_second_slot() -> None:
    outcome = take_up(a_limit(1, taken=1, held=True))
    assert (outcome.verdict, outcome.effects) == ("ACCEPT Pending", ())


@pytest.mark.parametrize("version", OLD_CLIENTS)
def test_clients_that_would_lose_a_slot_take_none(version: str) -> None:
    outcome = take_up(a_limit(0), Orders(client_version=version))
    assert (outcome.verdict, outcome.effects) == ("ACCEPT Pending", ())


@pytest.mark.parametrize("version", [None, "3.0.4", "3.1.0"])
def test_other_clients_do(version: str | None) -> None:
    assert take_up(a_limit(0), Orders(client_version=version)).verdict == "ABORT"


def test_force_takes_no_slot() -> None:
    assert take_up(a_limit(1), FORCE).effects == ()


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("to", RESTING)
def test_a_slot_is_given_back_when_the_run_rests_or_ends(to: StateType, forced: bool) -> None:
    limit = a_limit(1, taken=1, held=True)
    run = a_flow_run(RUNNING, deployed=True)
    outcome = set_flow(run, to, Orders(force=forced), facts_of(run, limit))
    assert outcome.effects == (ReleaseSlots((limit.id,)),)


@pytest.mark.parametrize("orders", [Orders(policy="late"), Orders(client_version="3.0.0")])
def test_a_slot_that_another_client_took_is_given_back_under_any_policy(orders: Orders) -> None:
    limit = a_limit(1, taken=1, held=True)
    run = a_flow_run(RUNNING, deployed=True)
    assert set_flow(run, COMPLETED, orders, facts_of(run, limit)).effects == (ReleaseSlots((limit.id,)),)


def test_a_slot_is_given_back_by_a_run_that_will_be_tried_again() -> None:
    limit = a_limit(1, taken=1, held=True)
    run = a_flow_run(RUNNING, deployed=True, retries=1)
    outcome = set_flow(run, FAILED, facts=facts_of(run, limit))
    assert outcome.verdict == "REJECT AwaitingRetry"
    assert outcome.effects == (ReleaseSlots((limit.id,)),)


@pytest.mark.parametrize(("start", "to"), [(PENDING, RUNNING), (RUNNING, RUNNING), (RUNNING, CANCELLING)])
def test_a_slot_is_kept_while_the_run_is_under_way(start: StateType, to: StateType) -> None:
    run = a_flow_run(start, deployed=True)
    assert set_flow(run, to, facts=facts_of(run, a_limit(1, taken=1, held=True))).effects == ()


def test_a_slot_is_kept_if_nothing_is_written() -> None:
    run = a_flow_run(CANCELLING, deployed=True)
    assert set_flow(run, COMPLETED, facts=facts_of(run, a_limit(1, taken=1, held=True))).effects == ()


def test_a_run_that_holds_no_slot_gives_none_back() -> None:
    run = a_flow_run(RUNNING, deployed=True)
    assert set_flow(run, COMPLETED, facts=facts_of(run, a_limit(1, taken=1))).effects == ()
    assert set_flow(run, COMPLETED, facts=facts_of(run)).effects == ()


def test_a_run_that_a_later_rule_turns_away_leaves_the_slot_it_took() -> None:
    run = a_flow_run(a_state(PAUSED, pause_reschedule=True), deployed=True)
    outcome = set_flow(run, PENDING, facts=facts_of(run, a_limit(1)))
    assert (outcome.verdict, outcome.effects) == ("REJECT", ())


def test_an_ended_run_that_finds_no_room_keeps_its_memory_of_pauses() -> None:
    run = a_flow_run(FAILED, deployed=True, pause_keys={"k"}, resuming=True)
    outcome = set_flow(run, PENDING, facts=facts_of(run, a_limit(1, taken=1)))
    assert outcome.verdict == "REJECT AwaitingConcurrencySlot"
    assert outcome.run.empirical_policy == run.empirical_policy


def test_a_subflow_run_counts_against_its_own_deployment() -> None:
    run = a_flow_run(SCHEDULED, deployed=True, parent_task_run_id=an_id())
    limit = a_limit(1)
    kinds = [type(effect).__name__ for effect in set_flow(run, PENDING, facts=facts_of(run, limit)).effects]
    assert kinds == ["TakeSlots", "SetParentState"]
