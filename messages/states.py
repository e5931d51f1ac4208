"""States: their types, their details, as sent and as kept. The one list of states stands here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from messages.fields import Data, Id, Indexed, Instant, Text


class StateType(StrEnum):
    """What a run is doing, as far as the rules are concerned."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"
    CANCELLED = "CANCELLED"

    @property
    def default_name(self) -> str:
        """The name of a state that was given none: `SCHEDULED` is called `Scheduled`."""
        return self.value.capitalize()


TERMINAL = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})


def _absent() -> Any:
    """A key that is left out where there is nothing to say: a state has eighteen of them, and is told three times."""
    return Field(default=None, exclude_if=lambda value: value is None)


class StateDetails(Data):
    """What a state carries beside its name; the behaviour of each key is the rules' business."""

    flow_run_id: Id | None = _absent()
    task_run_id: Id | None = _absent()
    child_flow_run_id: Id | None = _absent()
    scheduled_time: Instant | None = _absent()
    cache_key: Indexed | None = _absent()
    cache_expiration: Instant | None = _absent()
    deferred: bool | None = False
    untrackable_result: bool = False
    pause_timeout: Instant | None = _absent()
    pause_reschedule: bool = False
    pause_key: Text | None = _absent()
    run_input_keyset: dict[str, str] | None = _absent()
    refresh_cache: bool | None = _absent()
    retriable: bool | None = _absent()
    transition_id: Id | None = _absent()
    task_parameters_id: Id | None = _absent()
    traceparent: str | None = _absent()
    deployment_concurrency_lease_id: Id | None = _absent()


NO_DETAILS = StateDetails()


class ProposedState(Data):
    """A state as a command sends it. Name, timestamp and the scheduled time are filled in when it is applied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: StateType
    name: Text | None = None
    message: Text | None = None
    data: Any = None
    timestamp: Instant | None = None
    state_details: StateDetails = NO_DETAILS


@dataclass(frozen=True, kw_only=True)
class State:
    """A state as it is kept and told: whole, with its own id."""

    id: Id
    type: StateType
    name: str
    timestamp: datetime
    message: str | None = None
    data: Any = None
    state_details: StateDetails = NO_DETAILS

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended."""
        return self.type in TERMINAL
