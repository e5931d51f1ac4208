"""What a batch has changed in memory is written: a constant number of statements, however many commands."""

from collections.abc import Iterable, Sequence
from operator import attrgetter, is_
from typing import Any

from messages.catalog import ConcurrencyLimit
from messages.runs import FlowRun, TaskRun
from messages.states import NO_DETAILS, StateDetails
from store import catalog, limits
from store.rows import RowStore, plain
from store.runs import FLOW_RUNS, TASK_RUNS, RunStore
from store.transaction import Connection
from workers.world.collection import Changed, Collection
from workers.world.world import World, WrittenState

# Fields that transitions leave alone: where they are the same objects, only the progress is written.
_APART_FROM_PROGRESS = ("name", "parameters", "tags", "labels", "job_variables", "parent_task_run_id")
_OF_FLOW_RUNS = (*_APART_FROM_PROGRESS, "flow_version", "infrastructure_pid")
_OF_TASK_RUNS = ("name", "tags")


def save(connection: Connection, world: World) -> None:
    """Writes the world's changes: deletions first, then what others refer to, then the runs and their history."""
    flow_runs, task_runs = world.flow_runs.changes(), world.task_runs.changes()
    deployments, changed_limits = world.deployments.changes(), world.limits.changes()
    _delete(connection, world, flow_runs, task_runs)
    _write(connection, catalog.FLOWS, world.flows)
    _write(connection, catalog.WORK_POOLS, world.work_pools)
    _write(connection, catalog.WORK_QUEUES, world.work_queues)
    _write_limits(connection, changed_limits)
    _write_changes(connection, catalog.DEPLOYMENTS, deployments)
    _write(connection, catalog.NOTIFICATION_POLICIES, world.policies)
    _insert_runs(connection, FLOW_RUNS, flow_runs.inserted)
    _insert_runs(connection, TASK_RUNS, task_runs.inserted)
    _update_runs(connection, FLOW_RUNS, flow_runs.updated, _OF_FLOW_RUNS)
    _update_runs(connection, TASK_RUNS, task_runs.updated, _OF_TASK_RUNS)
    _write(connection, catalog.ARTIFACTS, world.artifacts)
    _insert_states(connection, FLOW_RUNS, "flow_run_id", world.flow_run_states)
    _insert_states(connection, TASK_RUNS, "task_run_id", world.task_run_states)
    cached = world.cached_states.changes().inserted
    if cached:
        catalog.insert_cached(connection, map(plain, cached))
    _write_slots(connection, world)


def _delete(
    connection: Connection, world: World, flow_runs: Changed[FlowRun], task_runs: Changed[TaskRun]
) -> None:
    slots = world.slots.changes().deleted
    if slots:
        limits.delete_slots(connection, slots)
    if task_runs.deleted:
        TASK_RUNS.delete(connection, task_runs.deleted)
    if flow_runs.deleted:
        FLOW_RUNS.delete(connection, flow_runs.deleted)
    stores: Sequence[tuple[RowStore[Any], Collection[Any]]] = (
        (catalog.DEPLOYMENTS, world.deployments),
        (limits.LIMITS, world.limits),
        (catalog.NOTIFICATION_POLICIES, world.policies),
    )
    for store, collection in stores:
        deleted = collection.changes().deleted
        if deleted:
            store.delete(connection, deleted)


def _write(connection: Connection, store: RowStore[Any], collection: Collection[Any]) -> None:
    _write_changes(connection, store, collection.changes())


def _write_changes(connection: Connection, store: RowStore[Any], changes: Changed[Any]) -> None:
    if changes.inserted:
        store.insert(connection, changes.inserted)
    if changes.updated:
        store.update(connection, [new for _, new in changes.updated])


def _write_limits(connection: Connection, changes: Changed[ConcurrencyLimit]) -> None:
    """The sum of the slots is no column: a limit whose slots alone changed is not written."""
    updated = [(old, new) for old, new in changes.updated if _row(old) != _row(new)]
    _write_changes(connection, limits.LIMITS, Changed(changes.inserted, updated, []))


def _row(limit: ConcurrencyLimit) -> dict[str, Any]:
    return {**plain(limit), "active_slots": None}


def _insert_runs(connection: Connection, store: RunStore[Any], inserted: Sequence[Any]) -> None:
    if inserted:
        store.insert(connection, inserted)


def _update_runs(
    connection: Connection, store: RunStore[Any], updated: Iterable[tuple[Any, Any]], apart: Sequence[str]
) -> None:
    progress: list[tuple[Any, Any]] = []
    whole: list[Any] = []
    fields = attrgetter(*apart)
    for old, new in updated:
        same = all(map(is_, fields(old), fields(new)))
        if same:
            progress.append((old, new))
        else:
            whole.append(new)
    if progress:
        store.update_progress(connection, progress)
    if whole:
        store.update_all(connection, whole)


def _insert_states(
    connection: Connection, store: RunStore[Any], run: str, states: Collection[WrittenState]
) -> None:
    rows = [
        {
            "id": written.id,
            run: written.run_id,
            "type": written.state.type,
            "name": written.state.name,
            "timestamp": written.state.timestamp,
            "message": written.state.message,
            "state_details": _said(written.state.state_details),
            "result_artifact_id": written.artifact_id,
        }
        for written in states
    ]
    if rows:
        store.insert_states(connection, rows)


def _said(details: StateDetails) -> dict[str, Any]:
    """What differs from a state that says nothing."""
    usual = NO_DETAILS.__dict__
    return {
        name: each
        for name, each in details.__dict__.items()
        if each is not usual[name] and each != usual[name]
    }


def _write_slots(connection: Connection, world: World) -> None:
    changes = world.slots.changes()
    if changes.updated:
        limits.update_slots(connection, [{"id": new.id, "slots": new.slots} for _, new in changes.updated])
    if changes.inserted:
        limits.insert_slots(connection, map(plain, changes.inserted))
