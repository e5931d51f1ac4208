"""The way in: a run, a proposed state and the facts go in, a decision comes out."""

from collections.abc import Callable, Iterable
from datetime import datetime

from messages.errors import ErrorCode
from messages.evolve import revised
from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from messages.states import ProposedState, State, StateDetails, StateType
from workers.orchestration import bookkeeping, engine
from workers.orchestration.decision import Decision, Failed
from workers.orchestration.facts import FlowFacts, Orders, TaskFacts
from workers.orchestration.policies import (
    BACKGROUND_TASK,
    CORE_FLOW,
    CORE_FLOW_WITHOUT_SLOTS,
    CORE_TASK,
    FLOW_POLICIES,
    MINIMAL_FLOW,
    MINIMAL_TASK,
    TASK_POLICIES,
)
from workers.orchestration.policy import Policy
from workers.orchestration.state_names import LATE
from workers.orchestration.transition import FlowDraft, FlowTransition, TaskDraft, TaskTransition
from workers.orchestration.versions import CLIENTS_WITHOUT_SLOTS


def propose(proposed: ProposedState, now: datetime, new_id: Id) -> State:
    """The whole state that a command means: what it leaves out is filled in."""
    details = proposed.state_details
    if proposed.type is StateType.SCHEDULED and details.scheduled_time is None:
        details = revised(details, scheduled_time=now)
    return State(
        id=new_id,
        type=proposed.type,
        name=proposed.type.default_name if proposed.name is None else proposed.name,
        timestamp=proposed.timestamp or now,
        message=proposed.message,
        data=proposed.data,
        state_details=details,
    )


def decide_flow_run(
    run: FlowRun,
    proposed: State,
    facts: FlowFacts,
    orders: Orders,
    *,
    now: datetime,
    new_id: Callable[[], Id],
) -> Decision | Failed:
    """Whether a flow run may enter the proposed state, and all that follows."""
    policy = _flow_policy(orders)
    if isinstance(policy, Failed):
        return policy
    transition = FlowTransition(
        run=run,
        facts=facts,
        draft=_flow_draft(run),
        initial=run.state,
        proposed=proposed,
        orders=orders,
        now=now,
        new_id=new_id,
        parameters=orders.parameters,
    )
    return engine.decide(transition, policy, bookkeeping.OF_FLOW_RUNS)


def decide_task_run(
    run: TaskRun,
    proposed: State,
    facts: TaskFacts,
    orders: Orders,
    *,
    now: datetime,
    new_id: Callable[[], Id],
) -> Decision | Failed:
    """Whether a task run may enter the proposed state, and all that follows."""
    policy = _task_policy(orders, proposed)
    if isinstance(policy, Failed):
        return policy
    transition = TaskTransition(
        run=run,
        facts=facts,
        draft=_task_draft(run),
        initial=run.state,
        proposed=proposed,
        orders=orders,
        now=now,
        new_id=new_id,
        parameters=orders.parameters,
    )
    return engine.decide(transition, policy, bookkeeping.OF_TASK_RUNS)


def mark_late(
    run: FlowRun, facts: FlowFacts, *, now: datetime, new_id: Callable[[], Id]
) -> Decision | Failed:
    """Whether a flow run is late, and all that follows. Its scheduled time stays what it is."""
    proposed = State(
        id=new_id(),
        type=StateType.SCHEDULED,
        name=LATE,
        timestamp=now,
        state_details=StateDetails(scheduled_time=run.next_scheduled_start_time or now),
    )
    return decide_flow_run(run, proposed, facts, Orders(policy="late"), now=now, new_id=new_id)


def _flow_policy(orders: Orders) -> Policy[FlowTransition] | Failed:
    if orders.force:
        return MINIMAL_FLOW
    if isinstance(orders.policy, Policy):
        return orders.policy
    if orders.policy is None or orders.policy == CORE_FLOW.name:
        return CORE_FLOW_WITHOUT_SLOTS if orders.client_version in CLIENTS_WITHOUT_SLOTS else CORE_FLOW
    return FLOW_POLICIES.get(orders.policy) or _no_such_policy(orders.policy, FLOW_POLICIES)


def _task_policy(orders: Orders, proposed: State) -> Policy[TaskTransition] | Failed:
    """A deferred state is the background policy's, even with `force`."""
    if proposed.state_details.deferred:
        return BACKGROUND_TASK
    if orders.force:
        return MINIMAL_TASK
    if isinstance(orders.policy, Policy):
        return orders.policy
    if orders.policy is None:
        return CORE_TASK
    return TASK_POLICIES.get(orders.policy) or _no_such_policy(orders.policy, TASK_POLICIES)


def _no_such_policy(name: str, known: Iterable[str]) -> Failed:
    message = f"there is no policy {name!r}; known are {', '.join(sorted(known))}"
    return Failed(ErrorCode.INVALID_MESSAGE, message)


def _flow_draft(run: FlowRun) -> FlowDraft:
    return FlowDraft(
        run_count=run.run_count,
        start_time=run.start_time,
        end_time=run.end_time,
        expected_start_time=run.expected_start_time,
        next_scheduled_start_time=run.next_scheduled_start_time,
        total_run_time=run.total_run_time,
        empirical_policy=run.empirical_policy,
    )


def _task_draft(run: TaskRun) -> TaskDraft:
    return TaskDraft(
        run_count=run.run_count,
        start_time=run.start_time,
        end_time=run.end_time,
        expected_start_time=run.expected_start_time,
        next_scheduled_start_time=run.next_scheduled_start_time,
        total_run_time=run.total_run_time,
        flow_run_run_count=run.flow_run_run_count,
    )
