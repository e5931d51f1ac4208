"""One proposed state on its way through the rules. It lives for one decision and is seen by nobody else.

The run itself is a frozen value; what rules and bookkeeping change of it they change in the draft.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar

from messages.evolve import evolve
from messages.fields import Id
from messages.results import Status
from messages.runs import FlowRun, FlowRunPolicy, TaskRun
from messages.states import NO_DETAILS, State, StateDetails, StateType
from workers.orchestration.decision import Effect, Fault
from workers.orchestration.facts import FlowFacts, Orders, TaskFacts


@dataclass(slots=True, kw_only=True)
class Draft:
    """The fields of a run that a decision may change."""

    NAMES: ClassVar[tuple[str, ...]] = (
        "run_count",
        "start_time",
        "end_time",
        "expected_start_time",
        "next_scheduled_start_time",
        "total_run_time",
    )

    VALUES: ClassVar["attrgetter[Any]"] = attrgetter(*NAMES)

    run_count: int
    start_time: datetime | None
    end_time: datetime | None
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    total_run_time: float

    def changes_to(self, run: FlowRun | TaskRun) -> dict[str, Any]:
        """Those fields that now differ from the run's."""
        values = self.VALUES
        return {
            name: value
            for name, value, before in zip(self.NAMES, values(self), values(run), strict=True)
            if value is not before and value != before
        }


@dataclass(slots=True, kw_only=True)
class FlowDraft(Draft):
    """A flow run's draft: its policy remembers pauses and whether it is resuming."""

    NAMES = (*Draft.NAMES, "empirical_policy")
    VALUES = attrgetter(*NAMES)

    empirical_policy: FlowRunPolicy


@dataclass(slots=True, kw_only=True)
class TaskDraft(Draft):
    """A task run's draft: it remembers the attempt of its flow run in which it last ran."""

    NAMES = (*Draft.NAMES, "flow_run_run_count")
    VALUES = attrgetter(*NAMES)

    flow_run_run_count: int


@dataclass(slots=True, kw_only=True)
class Transition:
    """What all rules may look at. `initial` never changes; `proposed` is None if nothing is to be written."""

    run: FlowRun | TaskRun
    facts: FlowFacts | TaskFacts
    draft: Draft
    initial: State | None
    proposed: State | None
    orders: Orders
    now: datetime
    new_id: Callable[[], Id]
    parameters: Mapping[str, Any]
    status: Status = Status.ACCEPT
    reason: str | None = None
    delay_seconds: int | None = None
    effects: list[Effect] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def initial_type(self) -> StateType | None:
        """The type of the state that the run has, None if it has none."""
        return None if self.initial is None else self.initial.type

    @property
    def proposed_type(self) -> StateType | None:
        """The type of the state that is to be written, None if nothing is."""
        return None if self.proposed is None else self.proposed.type

    def new_state(
        self,
        kind: StateType,
        name: str | None = None,
        *,
        message: str | None = None,
        data: Any = None,
        details: StateDetails = NO_DETAILS,
    ) -> State:
        """A state of the system's own making, as of now."""
        return State(
            id=self.new_id(),
            type=kind,
            name=kind.default_name if name is None else name,
            timestamp=self.now,
            message=message,
            data=data,
            state_details=details,
        )

    def new_scheduled_state(self, name: str, scheduled_time: datetime, **content: Any) -> State:
        """A SCHEDULED state of the system's own making; `content` is its message and data."""
        details = StateDetails(scheduled_time=scheduled_time)
        return self.new_state(StateType.SCHEDULED, name, details=details, **content)

    def fresh_copy(self, state: State, **changes: Any) -> State:
        """The same state again, as of now and under a new id."""
        return evolve(state, id=self.new_id(), timestamp=self.now, **changes)


@dataclass(slots=True, kw_only=True)
class FlowTransition(Transition):
    """A flow run's transition."""

    run: FlowRun
    facts: FlowFacts
    draft: FlowDraft


@dataclass(slots=True, kw_only=True)
class TaskTransition(Transition):
    """A task run's transition."""

    run: TaskRun
    facts: TaskFacts
    draft: TaskDraft
