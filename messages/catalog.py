"""What surrounds the runs, as it is kept and as it is told to clients: flows, deployments, pools, limits, policies."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from messages.fields import Data, Id, JsonObject, Positive


class CollisionStrategy(StrEnum):
    """What becomes of a run that finds its deployment's limit full."""

    ENQUEUE = "ENQUEUE"
    CANCEL_NEW = "CANCEL_NEW"


class ConcurrencyOptions(Data):
    """How a deployment's concurrency limit behaves."""

    collision_strategy: CollisionStrategy = CollisionStrategy.ENQUEUE
    grace_period_seconds: Positive | None = None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A named workflow."""

    id: Id
    created: datetime
    updated: datetime
    name: str
    tags: list[str] = field(default_factory=list)
    labels: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A flow made ready to run; `concurrency_limit` is the number of its runs that may hold a slot at once."""

    id: Id
    created: datetime
    updated: datetime
    name: str
    flow_id: Id
    version: str | None = None
    paused: bool = False
    concurrency_limit: int | None = None
    concurrency_limit_id: Id | None = None
    concurrency_options: ConcurrencyOptions | None = None
    work_queue_id: Id | None = None
    work_queue_name: str | None = None
    work_pool_name: str | None = None
    tags: list[str] = field(default_factory=list)
    labels: JsonObject = field(default_factory=dict)
    parameters: JsonObject = field(default_factory=dict)
    job_variables: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WorkPool:
    """A group of workers outside, with its queues."""

    id: Id
    created: datetime
    updated: datetime
    name: str
    concurrency_limit: int | None = None
    is_paused: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkQueue:
    """A queue of a work pool."""

    id: Id
    created: datetime
    updated: datetime
    name: str
    work_pool_id: Id
    work_pool_name: str
    priority: int = 1
    concurrency_limit: int | None = None
    is_paused: bool = False


@dataclass(frozen=True, kw_only=True)
class ConcurrencyLimit:
    """So many slots under one name. `active_slots` is the sum of what its holders have."""

    id: Id
    created: datetime
    updated: datetime
    name: str
    limit: int
    active: bool = True
    active_slots: int = 0
    denied_slots: int = 0
    slot_decay_per_second: float = 0.0
    avg_slot_occupancy_seconds: float = 2.0


@dataclass(frozen=True, kw_only=True)
class NotificationPolicy:
    """Which states of which runs are told to whom."""

    id: Id
    created: datetime
    updated: datetime
    is_active: bool = True
    state_names: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notify: str
    message_template: str | None = None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """Something that a run left for people to look at."""

    id: Id
    created: datetime
    updated: datetime
    key: str | None = None
    type: str | None = None
    data: Any = None
    description: str | None = None
    flow_run_id: Id | None = None
    task_run_id: Id | None = None
