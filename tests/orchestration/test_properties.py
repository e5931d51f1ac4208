"""What holds whatever is proposed, in whatever order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from messages.results import Status
from messages.states import TERMINAL, State, StateDetails, StateType
from tests.orchestration.builders import (
    RESULT,
    Outcome,
    a_flow_run,
    a_limit,
    a_task_run,
    after,
    an_id,
    facts_of,
    set_flow,
    set_task,
)
from workers.orchestration.decision import ReleaseSlots, TakeSlots
from workers.orchestration.facts import LimitFacts, Orders, TaskFacts
from workers.orchestration.rules.deployment_slots import UNDER_WAY

NAMES = [None, "Late", "Resuming", "AwaitingRetry", "Suspended"]
seconds = st.integers(-120, 120)
times = st.one_of(st.none(), seconds.map(after))
details = st.builds(
    StateDetails,
    scheduled_time=times,
    pause_timeout=times,
    pause_reschedule=st.booleans(),
    pause_key=st.sampled_from([None, "a", "b"]),
    transition_id=st.sampled_from([None, an_id(), an_id()]),
    cache_key=st.sampled_from([None, "k"]),
    deferred=st.booleans(),
)


@st.composite
def states(draw: st.DrawFn) -> State:
    kind = draw(st.sampled_from(StateType))
    return State(
        id=an_id(),
        type=kind,
        name=draw(st.sampled_from(NAMES)) or kind.default_name,
        timestamp=after(draw(st.integers(-2, 2))),
        data=draw(st.sampled_from([None, RESULT, "text", {"type": "unpersisted"}, {}])),
        state_details=draw(details),
    )


orders = st.builds(
    Orders,
    force=st.booleans(),
    policy=st.sampled_from([None, "core", "minimal"]),
    api_version=st.sampled_from([None, "0.8.2", "0.8.3", "0.8.4"]),
)
histories = st.lists(st.tuples(states(), orders), min_size=1, max_size=8)
flow_runs = st.builds(
    a_flow_run,
    deployed=st.booleans(),
    retries=st.sampled_from([None, 0, 1]),
    infrastructure_pid=st.sampled_from([None, "pid"]),
)
task_runs = st.builds(a_task_run, retries=st.sampled_from([None, 0, 1]))


def hold(limit: LimitFacts, outcome: Outcome) -> LimitFacts:
    """The limit once the decision has been carried out; slots are taken once and given back once."""
    for effect in outcome.effects:
        if isinstance(effect, TakeSlots):
            assert not limit.held
            assert limit.taken < limit.limit
            limit = replace(limit, held=True, taken=limit.taken + 1)
        if isinstance(effect, ReleaseSlots):
            assert limit.held
            limit = replace(limit, held=False, taken=limit.taken - 1)
    return limit


def live(
    decide: Callable[[Any, State, Orders, LimitFacts, frozenset[datetime]], Outcome],
    run: Any,
    history: list[tuple[State, Orders]],
    limit: LimitFacts,
    check: Callable[[Outcome, LimitFacts], None],
) -> list[State]:
    """Propose one state after the other, and look at every step."""
    written: list[State] = []
    for proposed, order in history:
        taken = frozenset(state.timestamp for state in written)
        outcome = decide(run, replace(proposed, id=an_id()), order, limit, taken)
        limit = hold(limit, outcome)
        check(outcome, limit)
        if outcome.written is not None:
            written.append(outcome.written)
        run = outcome.run
    return written


def decide_flow(
    run: Any, proposed: State, order: Orders, limit: LimitFacts, taken: frozenset[datetime]
) -> Outcome:
    return set_flow(run, proposed, order, facts_of(run, limit, taken_timestamps=taken))


def decide_task(
    run: Any, proposed: State, order: Orders, limit: LimitFacts, taken: frozenset[datetime]
) -> Outcome:
    return set_task(run, proposed, order, TaskFacts(tag_limits=(limit,), taken_timestamps=taken))


def check_any(outcome: Outcome, _limit: LimitFacts) -> None:
    before, run, written = outcome.before, outcome.run, outcome.written
    if written is None:
        assert outcome.status is not Status.ACCEPT
        assert set(outcome.decision.changes) <= {"empirical_policy"}
        assert outcome.effects == ()
        assert outcome.decision.reason
    else:
        assert outcome.status in (Status.ACCEPT, Status.REJECT)
        assert run.state is written
        assert (run.state_id, run.state_type, run.state_name, run.state_timestamp) == (
            *(written.id, written.type, written.name, written.timestamp),
        )
    assert (outcome.decision.delay_seconds or 0) > 0 or outcome.status is not Status.WAIT
    assert run.run_count - before.run_count in (0, 1) or run.run_count <= 1
    assert before.start_time in (None, run.start_time)
    assert before.expected_start_time in (None, run.expected_start_time)
    assert run.end_time is None or (run.start_time is not None and run.state_type in TERMINAL)
    assert (run.next_scheduled_start_time is None) or run.state_type is StateType.SCHEDULED
    assert (run.state is None) == (run.expected_start_time is None)


def check_flow(outcome: Outcome, limit: LimitFacts) -> None:
    check_any(outcome, limit)
    assert not limit.held or outcome.run.state_type in UNDER_WAY
    if outcome.before.state_type is StateType.CANCELLING and outcome.written is not None:
        assert outcome.run.state_type is StateType.CANCELLED


def unforced(history: list[tuple[State, Orders]]) -> list[tuple[State, Orders]]:
    return [(state, replace(order, force=False, policy=None)) for state, order in history]


@settings(max_examples=60, deadline=None)
@given(flow_runs, histories)
def test_a_flow_runs_fields_agree_with_its_history(run: Any, history: list[tuple[State, Orders]]) -> None:
    written = live(decide_flow, run, history, a_limit(1), check_any)
    stamps = [state.timestamp for state in written]
    assert len(set(stamps)) == len(stamps)
    assert len({state.id for state in written}) == len(written)


@settings(max_examples=40, deadline=None)
@given(flow_runs, histories)
def test_under_the_core_policy_slots_are_held_only_under_way(
    run: Any, history: list[tuple[State, Orders]]
) -> None:
    live(decide_flow, run, unforced(history), a_limit(1), check_flow)


@settings(max_examples=60, deadline=None)
@given(task_runs, histories)
def test_a_task_runs_fields_agree_with_its_history(run: Any, history: list[tuple[State, Orders]]) -> None:
    written = live(decide_task, run, history, a_limit(1), check_any)
    stamps = [state.timestamp for state in written]
    assert len(set(stamps)) == len(stamps)


@settings(max_examples=40, deadline=None)
@given(flow_runs, histories)
def test_the_same_values_in_give_the_same_decision(run: Any, history: list[tuple[State, Orders]]) -> None:
    for proposed, order in history:
        numbers = [an_id() for _ in range(5)]
        both = [set_flow(run, proposed, order, new_ids=iter(numbers).__next__).decision for _ in range(2)]
        assert both[0] == both[1]
