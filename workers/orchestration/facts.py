"""What the rules may need to know, looked up before they are asked. Values only; nothing here is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from messages.catalog import CollisionStrategy
from messages.fields import Id
from messages.runs import FlowRun
from messages.states import State

if TYPE_CHECKING:
    from workers.orchestration.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """One concurrency limit as one run sees it. `taken` counts every holder, decay applied."""

    id: Id
    name: str
    limit: int
    active: bool = True
    taken: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFacts:
    """The deployment that a flow run names. Runs outlive their deployment: then `exists` is false."""

    id: Id
    exists: bool = True
    limit: LimitFacts | None = None
    collision_strategy: CollisionStrategy = CollisionStrategy.ENQUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFacts:
    """What surrounds a flow run. Only clients before API version 0.8.3 need `failed_task_runs`."""

    deployment: DeploymentFacts | None = None
    failed_task_runs: tuple[Id, ...] = ()
    parent_exists: bool = True
    taken_timestamps: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What surrounds a task run.

    `flow_run` is the run it belongs to, if that row exists; `tag_limits` are the limits of its tags, by name;
    `cached` is the newest usable state under the proposed cache key; `draw` is a number from [0, 1).
    """

    flow_run: FlowRun | None = None
    tag_limits: tuple[LimitFacts, ...] = ()
    cached: State | None = None
    draw: float = 0.5
    taken_timestamps: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the caller asks for beside the state; `policy` None means core, `force` overrules it.

    A policy is named, or given where it is none of those that come with the system. The two waits are
    settings: how long a run is told to wait for a slot of its deployment, or of a tag.
    """

    force: bool = False
    policy: "str | Policy[Any] | None" = None
    api_version: str | None = None
    client_version: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    deployment_slot_wait_seconds: float = 30.0
    tag_slot_wait_seconds: int = 30
