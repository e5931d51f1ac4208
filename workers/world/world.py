"""Everything that one batch of commands may look at and change, in memory: loaded before, saved after.

Commands are decided on it one after the other, so that the second command on a run sees what the first one did.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messages.catalog import (
    Artifact,
    ConcurrencyLimit,
    Deployment,
    Flow,
    NotificationPolicy,
    WorkPool,
    WorkQueue,
)
from messages.evolve import evolve, value
from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from messages.states import State
from store.limits import Slot
from workers.policies.known import BUILT_IN, RunPolicies
from workers.world.collection import Collection, Journal


@value(kw_only=True)
class WrittenState:
    """A state to be added to a run's history, with the artifact that holds its data."""

    id: Id
    run_id: Id
    state: State
    artifact_id: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedState:
    """A new entry of the cache of task results."""

    id: Id
    created: datetime
    cache_key: str
    cache_expiration: datetime | None
    task_run_state_id: Id


@value()
class Event:
    """Something that happened. `version` is the run's after it; `notify` names the stream of a notification."""

    type: str
    subject: Id
    data: Any
    version: int | None = None
    notify: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long a run is told to wait for a slot, in seconds."""

    deployment_s: float = 30.0
    tag_s: int = 30


class AllOrNothing:
    """What was so when the block began. A generator would cost three times as much, for each command."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def __enter__(self) -> None:
        world = self._world
        self._mark, self._events = world.journal.mark(), len(world.events)

    def __exit__(self, kind: type[BaseException] | None, *_of_it: object) -> None:
        if kind is not None:
            self._world.journal.rewind(self._mark)
            del self._world.events[self._events :]


class World:
    """The values of one batch. All ids, times and dice come from outside."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], Id],
        dice: Callable[[], float],
        waits: Waits | None = None,
        run_policies: RunPolicies = BUILT_IN,
    ) -> None:
        self.clock, self.new_id, self.dice = clock, new_id, dice
        self.waits = waits or Waits()
        self.run_policies = run_policies
        self.journal = Journal()
        j = self.journal
        self.flows: Collection[Flow] = Collection(j, lambda it: [(it.name,)])
        self.work_pools: Collection[WorkPool] = Collection(j, lambda it: [(it.name,)])
        self.work_queues: Collection[WorkQueue] = Collection(j, lambda it: [(it.work_pool_name, it.name)])
        self.deployments: Collection[Deployment] = Collection(j, lambda it: [(it.flow_id, it.name)])
        self.policies: Collection[NotificationPolicy] = Collection(j)
        self.flow_runs: Collection[FlowRun] = Collection(
            j, lambda it: [(it.flow_id, it.idempotency_key)] if it.idempotency_key else []
        )
        self.task_runs: Collection[TaskRun] = Collection(
            j, lambda it: [(it.flow_run_id, it.task_key, it.dynamic_key)]
        )
        self.limits: Collection[ConcurrencyLimit] = Collection(j, lambda it: [(it.name,)])
        self.slots: Collection[Slot] = Collection(j)
        self.flow_run_states: Collection[WrittenState] = Collection(j)
        self.task_run_states: Collection[WrittenState] = Collection(j)
        self.artifacts: Collection[Artifact] = Collection(j)
        self.cached_states: Collection[CachedState] = Collection(j)
        #: newest usable state by cache key
        self.cache: dict[str, State] = {}
        #: timestamps of older states by run: of those near a command's own, and of those written in this batch
        self.timestamps: dict[Id, frozenset[datetime]] = {}
        #: by flow run: task runs that are there and were not loaded, with their versions
        self.not_loaded: dict[Id | None, list[tuple[Id, int]]] = {}
        self.events: list[Event] = []

    def all_or_nothing(self) -> "AllOrNothing":
        """For a block whose changes are taken back if it raises."""
        return AllOrNothing(self)

    def tell(self, event: Event) -> None:
        """Notes an event; it is published after the commit."""
        self.events.append(event)

    def remove_task_run(self, task_run_id: Id) -> None:
        """Deletes a task run; its states and slots go with it, a subflow run loses its parent."""
        self.task_runs.remove(task_run_id)
        _remove_where(self.task_run_states, lambda it: it.run_id == task_run_id)
        _remove_where(self.slots, lambda it: it.task_run_id == task_run_id)
        self._forget_cached(lambda it: it.state_details.task_run_id == task_run_id)
        for run in self.flow_runs:
            if run.parent_task_run_id == task_run_id:
                self.flow_runs.put(evolve(run, parent_task_run_id=None))

    def remove_flow_run(self, flow_run_id: Id) -> None:
        """Deletes a flow run; its states, slots and task runs go with it."""
        self.flow_runs.remove(flow_run_id)
        _remove_where(self.flow_run_states, lambda it: it.run_id == flow_run_id)
        _remove_where(self.slots, lambda it: it.flow_run_id == flow_run_id)
        self._forget_cached(lambda it: it.state_details.flow_run_id == flow_run_id)
        for task_run in self.task_runs:
            if task_run.flow_run_id == flow_run_id:
                self.remove_task_run(task_run.id)
        others = {ident for ident, _ in self.not_loaded.get(flow_run_id, ())}
        self._forget_cached(lambda it: it.state_details.task_run_id in others)
        self.journal.drop(self.not_loaded, flow_run_id)

    def _forget_cached(self, condition: Callable[[State], bool]) -> None:
        """What is cached goes with the state it refers to; an older entry does not take its place."""
        for key in [key for key, state in self.cache.items() if condition(state)]:
            self.journal.drop(self.cache, key)


def _remove_where(collection: Collection[Any], condition: Callable[[Any], bool]) -> None:
    for item in collection:
        if condition(item):
            collection.remove(item.id)
