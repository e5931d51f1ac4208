"""Values for these tests: runs in any state, facts around them, and two functions that decide and apply."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from messages.fields import Id
from messages.results import Status
from messages.runs import FlowRun, FlowRunPolicy, TaskRun, TaskRunPolicy
from messages.states import ProposedState, State, StateDetails, StateType
from workers.orchestration.decide import decide_flow_run, decide_task_run, propose
from workers.orchestration.decision import Decision, Effect, Failed
from workers.orchestration.facts import DeploymentFacts, FlowFacts, LimitFacts, Orders, TaskFacts

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=1)
RESULT = {"type": "reference", "storage_key": "k"}
FORCE = Orders(force=True)
NO_ORDERS = Orders()

_numbers = count(1)

SCHEDULED, PENDING, RUNNING, PAUSED, CANCELLING = (
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.RUNNING,
    StateType.PAUSED,
    StateType.CANCELLING,
)
COMPLETED, FAILED, CRASHED, CANCELLED = (
    StateType.COMPLETED,
    StateType.FAILED,
    StateType.CRASHED,
    StateType.CANCELLED,
)


def an_id() -> Id:
    return UUID(int=next(_numbers))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_state(kind: StateType, at: datetime = EARLIER, **fields: Any) -> State:
    """A state; what is no field of a state is one of its details."""
    own = {name: fields.pop(name) for name in ("name", "message", "data") if name in fields}
    proposed = ProposedState(type=kind, timestamp=at, state_details=StateDetails(**fields), **own)
    return propose(proposed, at, an_id())


def _in_state(state: State | StateType | None) -> dict[str, Any]:
    if isinstance(state, StateType):
        state = a_state(state)
    if state is None:
        return {}
    return {
        "state": state,
        "state_id": state.id,
        "state_type": state.type,
        "state_name": state.name,
        "state_timestamp": state.timestamp,
    }


def a_flow_run(state: State | StateType | None = None, *, deployed: bool = False, **fields: Any) -> FlowRun:
    policy = {name: fields.pop(name) for name in FlowRunPolicy.model_fields if name in fields}
    if deployed:
        fields["deployment_id"] = an_id()
    return FlowRun(
        id=an_id(),
        created=EARLIER,
        updated=EARLIER,
        name="run",
        flow_id=an_id(),
        empirical_policy=FlowRunPolicy(**policy),
        **_in_state(state),
        **fields,
    )


def a_task_run(state: State | StateType | None = None, **fields: Any) -> TaskRun:
    policy = {name: fields.pop(name) for name in TaskRunPolicy.model_fields if name in fields}
    return TaskRun(
        id=an_id(),
        created=EARLIER,
        updated=EARLIER,
        name="task",
        task_key="key",
        dynamic_key="0",
        empirical_policy=TaskRunPolicy(**policy),
        **_in_state(state),
        **fields,
    )


def a_limit(limit: int, taken: int = 0, *, held: bool = False, active: bool = True) -> LimitFacts:
    return LimitFacts(id=an_id(), name="a", limit=limit, taken=taken, held=held, active=active)


def facts_of(run: FlowRun, limit: LimitFacts | None = None, **fields: Any) -> FlowFacts:
    """The facts around a flow run whose deployment, if it has one, exists."""
    if run.deployment_id is None:
        return FlowFacts(**fields)
    of_deployment = {name: fields.pop(name) for name in ("exists", "collision_strategy") if name in fields}
    return FlowFacts(deployment=DeploymentFacts(id=run.deployment_id, limit=limit, **of_deployment), **fields)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A decision, and the run as it is once the decision has been carried out."""

    decision: Decision
    run: Any
    before: FlowRun | TaskRun = field(repr=False)

    @property
    def status(self) -> Status:
        return self.decision.status

    @property
    def written(self) -> State | None:
        return self.decision.state

    @property
    def effects(self) -> tuple[Effect, ...]:
        return self.decision.effects

    @property
    def verdict(self) -> str:
        """In short: the status, and what was written where that is not what was proposed."""
        if self.written is None:
            return str(self.status)
        return f"{self.status} {self.written.name}"

    def changed_nothing(self) -> bool:
        return self.run == self.before and self.written is None and not self.effects


def _outcome(run: FlowRun | TaskRun, decision: Decision | Failed) -> Outcome:
    assert isinstance(decision, Decision), decision
    return Outcome(decision=decision, run=replace(run, **decision.changes), before=run)


def set_flow(
    run: FlowRun,
    proposed: State | StateType,
    orders: Orders = NO_ORDERS,
    facts: FlowFacts | None = None,
    *,
    at: datetime = NOW,
    new_ids: Callable[[], Id] = an_id,
) -> Outcome:
    """Propose a state for a flow run, and carry the decision out."""
    state = a_state(proposed, at) if isinstance(proposed, StateType) else proposed
    decision = decide_flow_run(run, state, facts or facts_of(run), orders, now=at, new_id=new_ids)
    return _outcome(run, decision)


def set_task(
    run: TaskRun,
    proposed: State | StateType,
    orders: Orders = NO_ORDERS,
    facts: TaskFacts | None = None,
    *,
    at: datetime = NOW,
) -> Outcome:
    """Propose a state for a task run, and carry the decision out."""
    state = a_state(proposed, at) if isinstance(proposed, StateType) else proposed
    decision = decide_task_run(run, state, facts or TaskFacts(), orders, now=at, new_id=an_id)
    return _outcome(run, decision)


def in_running_flow(run_count: int = 1) -> TaskFacts:
    return TaskFacts(flow_run=a_flow_run(RUNNING, run_count=run_count))
