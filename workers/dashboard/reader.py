"""What the pages show, read with connections of their own. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from messages.answers import Graph
from messages.errors import Refused
from messages.fields import Id
from messages.filters import (
    FlowFilter,
    FlowRunFilter,
    FlowRunOfTask,
    FlowRunState,
    NameMatches,
    StateTypeInOrNot,
    Tagged,
    TaskRunFilter,
)
from messages.queries import FlowRunSort, ListFlowRuns, ListTaskRuns, ReadGraph, TaskRunSort
from messages.runs import FlowRun, TaskRun
from messages.states import State, StateType
from store.catalog import FLOWS
from store.dead_letters import Letter
from store.engine import Plans, Timeouts, open_engine
from store.reads.dead_letters import dead_letters
from store.reads.lists import FLOW_RUN_LISTS, TASK_RUN_LISTS, Page
from store.reads.slots import HeldSlot, slots_of
from store.reads.snapshot import for_reading
from store.runs import FLOW_RUNS
from store.transaction import Connection, transaction
from workers.now import now
from workers.queries import cursor
from workers.queries.asked import Asked, Limits
from workers.queries.graph import read_graph
from workers.settings import Settings

PAGE = 50
MOST_TASK_RUNS = 200
#: orders that people may choose, and what they are called
SORTS: Mapping[FlowRunSort, str] = {
    FlowRunSort.ID_DESC: "newest first",
    FlowRunSort.START_TIME_DESC: "latest start first",
    FlowRunSort.END_TIME_DESC: "latest end first",
    FlowRunSort.NAME_ASC: "by name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs: what was given is part of the name, whatever its case; a tag is whole."""

    state: StateType | None = None
    flow: str = ""
    name: str = ""
    tag: str = ""
    sort: FlowRunSort = FlowRunSort.START_TIME_DESC
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of runs, the names of their flows, and the cursor of the page that follows."""

    runs: Sequence[FlowRun]
    flows: Mapping[Id, str]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A run and all that belongs to it. `graph` None: there is nothing to draw, and `no_graph` says why."""

    run: FlowRun
    flow: str
    history: Sequence[State]
    task_runs: Sequence[TaskRun]
    more_task_runs: bool
    slots: Sequence[HeldSlot]
    graph: Graph | None
    no_graph: str
    at: datetime


class Reader:
    """Reads for the pages; any number of threads may ask. From the replica, if there is one."""

    def __init__(self, settings: Settings) -> None:
        timeouts = Timeouts(
            statement_ms=int(settings.query_timeout.total_seconds() * 1000), lock_ms=1_000, connect_s=3
        )
        url = settings.read_database_url or settings.database_url
        self._engine = for_reading(
            open_engine(
                url,
                pool_size=4,
                timeouts=timeouts,
                application="interlock dashboard",
                plans=Plans.FOR_QUESTIONS,
            )
        )
        self._limits = Limits(
            graph_max_nodes=settings.graph_max_nodes, graph_max_artifacts=settings.graph_max_artifacts
        )

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def runs(self, wanted: Wanted) -> Listed:
        """A page of runs.

        Raises:
            Refused: the cursor is none.
            StoreError: the database is away, or takes too long.
        """
        query = _query(wanted)
        after = None if query.after is None else cursor.read(query.sort, query.after)
        with transaction(self._engine) as connection:
            found = FLOW_RUN_LISTS.find(connection, query, query.sort, Page(limit=PAGE, after=after))
            flows = _flow_names(connection, found.runs)
        return Listed(found.runs, flows, None if found.end is None else cursor.write(query.sort, found.end))

    def run(self, run_id: Id) -> Whole | None:
        """One run; None if there is none. Raises StoreError as `runs` does."""
        with transaction(self._engine) as connection:
            run = FLOW_RUNS.read(connection, [run_id]).get(run_id)
            if run is None:
                return None
            task_runs, more = _task_runs(connection, run_id)
            graph, no_graph = self._graph(connection, run_id)
            return Whole(
                run=run,
                flow=_flow_names(connection, [run]).get(run.flow_id, ""),
                history=FLOW_RUNS.history(connection, run_id),
                task_runs=task_runs,
                more_task_runs=more,
                slots=slots_of(connection, run_id),
                graph=graph,
                no_graph=no_graph,
                at=now(),
            )

    def dead_letters(self, before: Id | None) -> tuple[Sequence[Letter], bool]:
        """A page of dead letters, latest first, and whether there are more. Raises StoreError as `runs` does."""
        with transaction(self._engine) as connection:
            found = dead_letters(connection, before, PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    def _graph(self, connection: Connection, run_id: Id) -> tuple[Graph | None, str]:
        try:
            asked = Asked(connection, ReadGraph(flow_run_id=run_id), self._limits, now())
            return read_graph(asked).graph, ""
        except Refused as refused:
            return None, refused.message


def _query(wanted: Wanted) -> ListFlowRuns:
    state = None if wanted.state is None else FlowRunState(type=StateTypeInOrNot(any_=(wanted.state,)))
    runs = FlowRunFilter(
        state=state,
        name=NameMatches(like_=wanted.name) if wanted.name else None,
        tags=Tagged(all_=[wanted.tag]) if wanted.tag else None,
    )
    flows = FlowFilter(name=NameMatches(like_=wanted.flow)) if wanted.flow else None
    return ListFlowRuns(flow_runs=runs, flows=flows, sort=wanted.sort, after=wanted.after)


def _flow_names(connection: Connection, runs: Sequence[FlowRun]) -> dict[Id, str]:
    return {flow.id: flow.name for flow in FLOWS.load(connection, {run.flow_id for run in runs})}


def _task_runs(connection: Connection, run_id: Id) -> tuple[Sequence[TaskRun], bool]:
    query = ListTaskRuns(
        task_runs=TaskRunFilter(flow_run_id=FlowRunOfTask(any_=[run_id], is_null_=None)),
        sort=TaskRunSort.EXPECTED_START_TIME_ASC,
    )
    found = TASK_RUN_LISTS.find(connection, query, query.sort, Page(limit=MOST_TASK_RUNS))
    return found.runs, found.end is not None
