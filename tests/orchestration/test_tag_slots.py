"""Limits on how many task runs with a tag run at once."""

import pytest

from messages.states import StateType
from tests.orchestration.builders import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    FAILED,
    FORCE,
    NO_ORDERS,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    Outcome,
    a_limit,
    a_state,
    a_task_run,
    set_task,
)
from workers.orchestration.decision import ReleaseSlots, TakeSlots
from workers.orchestration.facts import LimitFacts, Orders, TaskFacts


def start(*limits: LimitFacts, orders: Orders = NO_ORDERS, state: StateType = PENDING) -> Outcome:
    return set_task(a_task_run(state), RUNNING, orders, TaskFacts(tag_limits=limits))


def test_a_task_takes_a_slot_of_each_of_its_tags() -> None:
    one, two = a_limit(1), a_limit(2, taken=1)
    outcome = start(one, two)
    assert outcome.verdict == "ACCEPT Running"
    assert outcome.effects == (TakeSlots((one.id, two.id)),)


@pytest.mark.parametrize("limits", [(a_limit(1, taken=1), a_limit(2)), (a_limit(2), a_limit(1, taken=1))])
def test_a_task_that_finds_one_tag_full_waits_and_takes_nothing(limits: tuple[LimitFacts, ...]) -> None:
    outcome = start(*limits)
    assert (outcome.verdict, outcome.decision.delay_seconds) == ("WAIT", 30)
    assert outcome.changed_nothing()


def test_how_long_a_task_waits_is_a_setting() -> None:
    assert start(a_limit(1, taken=1), orders=Orders(tag_slot_wait_seconds=7)).decision.delay_seconds == 7


@pytest.mark.parametrize("limits", [(a_limit(0), a_limit(1, taken=1)), (a_limit(1, taken=1), a_limit(0))])
def test_a_limit_of_0_aborts_whatever_the_other_tags_say(limits: tuple[LimitFacts, ...]) -> None:
    outcome = start(*limits)
    assert outcome.verdict == "ABORT"
    assert outcome.changed_nothing()


def test_a_limit_that_is_not_active_stops_nobody() -> None:
    outcome = start(a_limit(0, active=False), a_limit(1, taken=1, active=False))
    assert (outcome.verdict, outcome.effects) == ("ACCEPT Running", ())


def test_a_task_does_not_wait_for_itself() -> None:
    outcome = start(a_limit(1, taken=1, held=True), state=RUNNING)
    assert (outcome.written is not None, outcome.effects) == (True, ())


def test_a_task_that_holds_one_slot_takes_only_the_others() -> None:
    held, free = a_limit(1, taken=1, held=True), a_limit(1)
    assert start(held, free, state=RUNNING).effects == (TakeSlots((free.id,)),)


def test_a_task_that_is_being_cancelled_does_not_start_again_in_its_full_slot() -> None:
    assert start(a_limit(1, taken=1, held=True), state=CANCELLING).verdict == "WAIT"
    outcome = start(a_limit(2, taken=1, held=True), state=CANCELLING)
    assert (outcome.verdict, outcome.effects) == ("ACCEPT Running", ())


def test_a_task_that_waits_for_its_time_leaves_the_slots_it_took() -> None:
    ahead = a_state(SCHEDULED, scheduled_time=a_state(PENDING).timestamp.replace(year=2027))
    outcome = set_task(a_task_run(ahead), RUNNING, facts=TaskFacts(tag_limits=(a_limit(1),)))
    assert (outcome.verdict, outcome.effects) == ("WAIT", ())


@pytest.mark.parametrize("orders", [NO_ORDERS, FORCE])
@pytest.mark.parametrize("to", [SCHEDULED, PENDING, PAUSED, COMPLETED, FAILED, CANCELLED])
def test_slots_are_given_back_when_the_task_no_longer_runs(to: StateType, orders: Orders) -> None:
    held = a_limit(1, taken=1, held=True)
    facts = TaskFacts(tag_limits=(held, a_limit(1)))
    assert set_task(a_task_run(RUNNING), to, orders, facts).effects == (ReleaseSlots((held.id,)),)


def test_a_task_that_is_being_cancelled_keeps_its_slots() -> None:
    facts = TaskFacts(tag_limits=(a_limit(1, taken=1, held=True),))
    assert set_task(a_task_run(RUNNING), CANCELLING, facts=facts).effects == ()


def test_a_task_that_holds_nothing_gives_nothing_back() -> None:
    facts = TaskFacts(tag_limits=(a_limit(1, taken=1),))
    assert set_task(a_task_run(RUNNING), COMPLETED, facts=facts).effects == ()


def test_force_takes_no_slot() -> None:
    assert start(a_limit(0), orders=FORCE).effects == ()
