"""Looks up what the words of `interlock runs` tell: one run with all that belongs to it, or why it waits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from messages.catalog import Deployment, Flow, WorkPool, WorkQueue
from messages.fields import Id
from messages.filters import (
    FlowRunFilter,
    FlowRunOfTask,
    FlowRunState,
    IdIn,
    ParentFlowRunId,
    StateTypeInOrNot,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from messages.queries import FlowRunSort, RunFilters, TaskRunSort
from messages.runs import FlowRun, TaskRun
from messages.states import State
from store import limits as store_limits
from store.catalog import DEPLOYMENTS, FLOWS, WORK_POOLS, WORK_QUEUES
from store.limits import LIMITS, Wanted
from store.reads import waiting
from store.reads.lists import FLOW_RUN_LISTS, TASK_RUN_LISTS, Page
from store.reads.run_details import Held, held_by, task_run_counts
from store.runs import FLOW_RUNS, TASK_RUNS
from store.transaction import Connection
from workers.handlers.facts import TAG_PREFIX
from workers.orchestration.rules.deployment_slots import UNDER_WAY
from workers.runs.facts import Facts
from workers.runs.find import FLOW_RUN, Which
from workers.settings import Settings
from workers.slots.overview import Use, uses

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A run and what belongs to it. `parent` is the flow run of a task run, or of the task run that started it."""

    run: FlowRun | TaskRun
    flow: Flow | None
    deployment: Deployment | None
    parent_task: TaskRun | None
    parent: FlowRun | None
    history: Sequence[State]
    held: Sequence[Held]
    task_counts: Mapping[str, int]
    tasks: Sequence[TaskRun]
    subflows: Sequence[FlowRun]
    more_subflows: bool


def run_of(connection: Connection, which: Which) -> FlowRun | TaskRun | None:
    """The run, unless it was deleted a moment ago."""
    store = FLOW_RUNS if which.kind == FLOW_RUN else TASK_RUNS
    found: Mapping[Id, FlowRun | TaskRun] = store.read(connection, [which.id])
    return found.get(which.id)


def history_of(connection: Connection, run: FlowRun | TaskRun) -> list[State]:
    """The states that it has had, oldest first."""
    return (FLOW_RUNS if isinstance(run, FlowRun) else TASK_RUNS).history(connection, run.id)


def show(connection: Connection, run: FlowRun | TaskRun, most: int) -> Shown:
    """All that belongs to a run; of its task runs and subflow runs `most`, the newest."""
    parent_task, parent = _above(connection, run)
    flow_run = run if isinstance(run, FlowRun) else parent
    is_flow = isinstance(run, FlowRun)
    mine = RunFilters(task_runs=TaskRunFilter(flow_run_id=FlowRunOfTask(any_=(run.id,))))
    below = RunFilters(flow_runs=FlowRunFilter(parent_flow_run_id=ParentFlowRunId(any_=(run.id,))))
    page = Page(limit=most if is_flow else 0)
    tasks = TASK_RUN_LISTS.find(connection, mine, TaskRunSort.ID_DESC, page)
    subflows = FLOW_RUN_LISTS.find(connection, below, FlowRunSort.ID_DESC, page)
    deployment_id = run.deployment_id if isinstance(run, FlowRun) else None
    return Shown(
        run=run,
        flow=_first(FLOWS.load(connection, [flow_run.flow_id] if flow_run else [])),
        deployment=_first(DEPLOYMENTS.load(connection, [deployment_id] if deployment_id else [])),
        parent_task=parent_task,
        parent=parent,
        history=history_of(connection, run),
        held=held_by(connection, [run.id]),
        task_counts=task_run_counts(connection, run.id) if is_flow else {},
        tasks=tasks.runs,
        subflows=subflows.runs,
        more_subflows=subflows.end is not None,
    )


def facts_of(
    connection: Connection, run_id: Id, run: FlowRun | TaskRun | None, settings: Settings, now: datetime
) -> Facts:
    """What there is to know about why a run waits. `run` None: it does not exist, and a command may bring it."""
    queue, pool = _queue_and_pool(connection, run)
    deployment = _deployment_of(connection, run)
    return Facts(
        now=now,
        run_id=run_id,
        run=run,
        deployment=deployment,
        queue=queue,
        pool=pool,
        under_way_in_queue=_under_way_in_queue(connection, queue),
        under_way_in_pool=_under_way_in_pool(connection, pool),
        limits=_limits(connection, run, deployment, now),
        held=held_by(connection, [run_id]),
        above=None if run is None else _above(connection, run)[1],
        failing=waiting.failing(connection, run_id),
        parked=waiting.parked(connection, run_id),
        gap_timeout=settings.sequence_gap_timeout,
        late_after=settings.late_after,
    )


def _above(connection: Connection, run: FlowRun | TaskRun) -> tuple[TaskRun | None, FlowRun | None]:
    if isinstance(run, TaskRun):
        return None, _first(FLOW_RUNS.read(connection, [run.flow_run_id] if run.flow_run_id else []).values())
    if run.parent_task_run_id is None:
        return None, None
    task = _first(TASK_RUNS.read(connection, [run.parent_task_run_id]).values())
    if task is None or task.flow_run_id is None:
        return task, None
    return task, _first(FLOW_RUNS.read(connection, [task.flow_run_id]).values())


def _deployment_of(connection: Connection, run: FlowRun | TaskRun | None) -> Deployment | None:
    if not isinstance(run, FlowRun) or run.deployment_id is None:
        return None
    return _first(DEPLOYMENTS.load(connection, [run.deployment_id]))


def _queue_and_pool(
    connection: Connection, run: FlowRun | TaskRun | None
) -> tuple[WorkQueue | None, WorkPool | None]:
    if not isinstance(run, FlowRun) or run.work_queue_id is None:
        return None, None
    queue = _first(WORK_QUEUES.load(connection, [run.work_queue_id]))
    return queue, None if queue is None else _first(WORK_POOLS.load(connection, [queue.work_pool_id]))


def _under_way_in_queue(connection: Connection, queue: WorkQueue | None) -> int:
    """Counted only where somebody set a limit."""
    if queue is None or queue.concurrency_limit is None:
        return 0
    return _under_way(connection, RunFilters(work_queues=WorkQueueFilter(id=IdIn(any_=(queue.id,)))))


def _under_way_in_pool(connection: Connection, pool: WorkPool | None) -> int:
    if pool is None or pool.concurrency_limit is None:
        return 0
    return _under_way(connection, RunFilters(work_pools=WorkPoolFilter(id=IdIn(any_=(pool.id,)))))


def _under_way(connection: Connection, where: RunFilters) -> int:
    state = FlowRunState(type=StateTypeInOrNot(any_=tuple(sorted(UNDER_WAY))))
    return FLOW_RUN_LISTS.count(
        connection, where.model_copy(update={"flow_runs": FlowRunFilter(state=state)})
    )


def _limits(
    connection: Connection, run: FlowRun | TaskRun | None, deployment: Deployment | None, now: datetime
) -> list[Use]:
    names = {TAG_PREFIX + tag for tag in run.tags} if isinstance(run, TaskRun) else set[str]()
    ids = {deployment.concurrency_limit_id} - {None} if deployment else set[Id]()
    if not names and not ids:
        return []
    none: frozenset[Id] = frozenset()
    wanted = Wanted(
        names=frozenset(names),
        ids=frozenset(each for each in ids if each),
        flow_runs=none,
        task_runs=none,
        leases=none,
    )
    limits = LIMITS.load(connection, store_limits.find(connection, wanted))
    return list(uses(connection, sorted(limits, key=lambda limit: limit.name), now))


def _first(values: Iterable[T]) -> T | None:
    return next(iter(values), None)
