"""Flow runs and task runs, as they are kept and as they are told to clients."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from messages.fields import Count, Data, Id, JsonObject, Seconds
from messages.states import State, StateType

MAX_RETRY_DELAYS = 50


class FlowRunPolicy(Data):
    """A flow run's `empirical_policy`: how it retries, and what it remembers of its pauses."""

    max_retries: Count = 0
    retry_delay_seconds: Seconds = 0.0
    retries: Count | None = None
    retry_delay: Count | None = None
    pause_keys: frozenset[str] = frozenset()
    resuming: bool | None = False
    retry_type: str | None = None


class TaskRunPolicy(Data):
    """A task run's `empirical_policy`: how often, how late and how unevenly it retries."""

    max_retries: Count = 0
    retry_delay_seconds: Seconds = 0.0
    retries: Count | None = None
    retry_delay: Count | Annotated[list[Count], Field(max_length=MAX_RETRY_DELAYS)] | None = None
    retry_jitter_factor: Seconds | None = None


_FLOW_RUN_POLICY = FlowRunPolicy()
_TASK_RUN_POLICY = TaskRunPolicy()


@dataclass(frozen=True, kw_only=True)
class FlowRun:
    """One run of a flow. `version` counts its changes; times are UTC; `total_run_time` is in seconds."""

    id: Id
    created: datetime
    updated: datetime
    version: int = 0
    name: str
    flow_id: Id
    deployment_id: Id | None = None
    deployment_version: str | None = None
    flow_version: str | None = None
    work_queue_id: Id | None = None
    work_queue_name: str | None = None
    parameters: JsonObject = field(default_factory=dict)
    context: JsonObject = field(default_factory=dict)
    idempotency_key: str | None = None
    parent_task_run_id: Id | None = None
    auto_scheduled: bool = False
    infrastructure_pid: str | None = None
    job_variables: JsonObject | None = None
    created_by: JsonObject | None = None
    tags: list[str] = field(default_factory=list)
    labels: JsonObject = field(default_factory=dict)
    empirical_policy: FlowRunPolicy = _FLOW_RUN_POLICY
    run_count: int = 0
    start_time: datetime | None = None
    end_time: datetime | None = None
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    total_run_time: float = 0.0
    state_id: Id | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    state_timestamp: datetime | None = None
    state: State | None = None


@dataclass(frozen=True, kw_only=True)
class TaskRun:
    """One run of a task. `version` counts its changes; times are UTC; `total_run_time` is in seconds."""

    id: Id
    created: datetime
    updated: datetime
    version: int = 0
    name: str
    flow_run_id: Id | None = None
    task_key: str
    dynamic_key: str
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    flow_run_run_count: int = 0
    task_inputs: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    labels: JsonObject = field(default_factory=dict)
    empirical_policy: TaskRunPolicy = _TASK_RUN_POLICY
    run_count: int = 0
    start_time: datetime | None = None
    end_time: datetime | None = None
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    total_run_time: float = 0.0
    state_id: Id | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    state_timestamp: datetime | None = None
    state: State | None = None
