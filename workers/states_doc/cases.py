"""One question to the rules: a run in this state, that state proposed, under this policy. The same every time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from messages.states import ProposedState, State, StateDetails, StateType
from workers.orchestration.decide import decide_flow_run, decide_task_run, propose
from workers.orchestration.decision import Decision, Failed
from workers.orchestration.facts import DeploymentFacts, FlowFacts, Orders, TaskFacts

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=1)
AN_ID = UUID(int=1)

#: (what the table calls it, the state); None is a run that has no state yet
Start = tuple[str, ProposedState | None]
_RESULT = {"type": "reference"}
_EACH: tuple[Start, ...] = (
    ("no state", None),
    *((kind.value, ProposedState(type=kind)) for kind in StateType),
)
_SUSPENDED = ProposedState(
    type=StateType.PAUSED, name="Suspended", state_details=StateDetails(pause_reschedule=True)
)
_WITH_RESULT = ProposedState(type=StateType.COMPLETED, data=_RESULT)

Ask = Callable[[ProposedState | None, StateType], Decision]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One table: a kind of run under one policy."""

    title: str
    text: str
    starts: tuple[Start, ...]
    ask: Ask


def _after(starts: tuple[Start, ...], name: str, *more: Start) -> tuple[Start, ...]:
    place = [start[0] for start in starts].index(name) + 1
    return (*starts[:place], *more, *starts[place:])


TASK_STARTS = _after(_EACH, "COMPLETED", ("COMPLETED with a result", _WITH_RESULT))
FLOW_STARTS = _after(TASK_STARTS, "PAUSED", ("suspended (PAUSED)", _SUSPENDED))


def flow_run(orders: Orders, *, deployed: bool = True, name: str | None = None) -> Ask:
    """Asks about a flow run; `name` is that of the proposed state if it is SCHEDULED."""

    def ask(start: ProposedState | None, to: StateType) -> Decision:
        new_id = _ids()
        run = FlowRun(
            flow_id=AN_ID, deployment_id=AN_ID if deployed else None, **_common(start, new_id), name="run"
        )
        facts = FlowFacts(deployment=DeploymentFacts(id=AN_ID) if deployed else None)
        wanted = ProposedState(type=to, name=name if to is StateType.SCHEDULED else None)
        return _decided(
            decide_flow_run(run, propose(wanted, NOW, new_id()), facts, orders, now=NOW, new_id=new_id)
        )

    return ask


def task_run(orders: Orders, flow_state: StateType | None = None, *, deferred: bool = False) -> Ask:
    """Asks about a task run; `flow_state` is that of its flow run, if it has one."""

    def ask(start: ProposedState | None, to: StateType) -> Decision:
        new_id = _ids()
        run = TaskRun(
            flow_run_id=AN_ID if flow_state else None,
            task_key="task",
            dynamic_key="0",
            # A run that runs has begun once.
            run_count=1 if start is not None and start.type is StateType.RUNNING else 0,
            **_common(start, new_id),
            name="run",
        )
        around = None
        if flow_state is not None:
            around = FlowRun(
                flow_id=AN_ID,
                run_count=1,
                **_common(ProposedState(type=flow_state), new_id),
                name="run",
            )
        wanted = ProposedState(type=to, state_details=StateDetails(deferred=deferred))
        facts = TaskFacts(flow_run=around)
        return _decided(
            decide_task_run(run, propose(wanted, NOW, new_id()), facts, orders, now=NOW, new_id=new_id)
        )

    return ask


def _ids() -> Callable[[], Id]:
    numbers = count(2)
    return lambda: UUID(int=next(numbers))


def _common(start: ProposedState | None, new_id: Callable[[], Id]) -> dict[str, Any]:
    made: dict[str, Any] = {"id": AN_ID, "created": EARLIER, "updated": EARLIER}
    if start is None:
        return made
    state: State = propose(start, EARLIER, new_id())
    return {
        **made,
        "state": state,
        "state_id": state.id,
        "state_type": state.type,
        "state_name": state.name,
        "state_timestamp": state.timestamp,
    }


def _decided(decision: Decision | Failed) -> Decision:
    assert isinstance(decision, Decision), decision
    return decision
