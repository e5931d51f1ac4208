"""Events: what is told to everybody (contract, section 5). Created and updated runs are told whole."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypedDict

from messages.evolve import value
from messages.fields import Id, JsonObject
from messages.results import ErrorBody, Status
from messages.shapes import shape_of
from messages.states import State, StateType

# `from` is a word of Python, so this shape cannot be a class with a body.
Intended = TypedDict("Intended", {"from": StateType | None, "to": StateType | None})


@value(kw_only=True)
class FlowRunRef:
    """The flow run whose state changed, after the change."""

    id: Id
    name: str
    flow_id: Id
    flow_name: str
    deployment_id: Id | None
    tags: list[str]
    version: int
    run_count: int


@value(kw_only=True)
class TaskRunRef:
    """The task run whose state changed, after the change; flow and deployment are its flow run's."""

    id: Id
    name: str
    flow_id: Id | None = None
    flow_name: str | None = None
    deployment_id: Id | None = None
    tags: list[str]
    version: int
    run_count: int
    flow_run_id: Id | None = None
    task_key: str | None = None
    dynamic_key: str | None = None


@value(kw_only=True)
class FlowRunStateChanged:
    """A state was written on a flow run: the intended one (ACCEPT) or the rules' choice (REJECT)."""

    run: FlowRunRef
    initial_state: State | None
    validated_state: State
    intended: Annotated[Intended, shape_of(Intended)]
    status: Status


@value(kw_only=True)
class TaskRunStateChanged:
    """A state was written on a task run: the intended one (ACCEPT) or the rules' choice (REJECT)."""

    run: TaskRunRef
    initial_state: State | None
    validated_state: State
    intended: Annotated[Intended, shape_of(Intended)]
    status: Status


@dataclass(frozen=True, kw_only=True)
class RunDeleted:
    """A run was deleted."""

    id: Id


@dataclass(frozen=True, kw_only=True)
class CommandDeadLettered:
    """A command was given up after so many attempts; `command` is its envelope."""

    command: JsonObject
    error: ErrorBody
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A flow run has a state that a policy watches; `message` is the policy's template, filled in."""

    policy_id: Id
    flow_id: Id
    flow_name: str
    flow_run_id: Id
    flow_run_name: str
    flow_run_parameters: JsonObject
    flow_run_state_type: StateType
    flow_run_state_name: str
    flow_run_state_timestamp: datetime
    flow_run_state_message: str | None
    message: str
