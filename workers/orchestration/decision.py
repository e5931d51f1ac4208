"""What comes out: a verdict on a proposed state with all that follows, or why the command fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from messages.errors import ErrorCode
from messages.fields import Id
from messages.results import Status
from messages.states import State


@dataclass(frozen=True, slots=True)
class TakeSlots:
    """The run becomes a holder of one slot of each of these limits."""

    limit_ids: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class ReleaseSlots:
    """The run gives back what it holds of these limits."""

    limit_ids: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class CacheState:
    """The state that was just written can be found under this key, until it expires."""

    cache_key: str
    cache_expiration: datetime | None
    state_id: Id


@dataclass(frozen=True, slots=True)
class SetParentState:
    """The task run that stands for this flow run in its parent is forced into this state."""

    task_run_id: Id
    state: State


@dataclass(frozen=True, slots=True)
class RetryTaskRuns:
    """Each task run is forced into the state at its place in `states`; its `run_count` becomes 0."""

    task_run_ids: tuple[Id, ...]
    scheduled_time: datetime
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class AnnounceScheduled:
    """A background task run is ready for whoever serves its task key."""


Effect: TypeAlias = TakeSlots | ReleaseSlots | CacheState | SetParentState | RetryTaskRuns | AnnounceScheduled


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that broke instead of answering, and what it raised."""

    rule: str
    error: Exception


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict and all that follows from it.

    `state` is what was written, None if the run keeps the state it has. `changes` are the fields of the run
    that differ afterwards, the state and its four columns included; rules may change a run that keeps its
    state. `effects` are to be carried out in their order. `fault`: the decision is ABORT because a rule broke.
    """

    status: Status
    reason: str | None
    delay_seconds: int | None
    state: State | None
    changes: Mapping[str, Any]
    effects: tuple[Effect, ...]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The command fails as a whole: nothing of it may be written."""

    code: ErrorCode
    message: str
