"""Lists and counts of runs."""

from collections.abc import Iterable

from messages.answers import Counted, FlowRunPage, TaskRunPage
from messages.fields import JsonObject
from messages.queries import CountFlowRuns, CountTaskRuns, ListFlowRuns, ListTaskRuns
from store.reads.lists import FLOW_RUN_LISTS, TASK_RUN_LISTS, Page, Place
from store.runs import R
from workers.queries import cursor
from workers.queries.asked import Asked


def list_flow_runs(asked: Asked[ListFlowRuns]) -> FlowRunPage:
    """A page of flow runs, and the cursor of the page that follows, if there is one."""
    data = asked.data
    found = FLOW_RUN_LISTS.find(asked.connection, data, data.sort, _page(data))
    items = [_shown(run, data.columns) for run in found.runs]
    return FlowRunPage(items=items, next=_next(data, found.end))


def list_task_runs(asked: Asked[ListTaskRuns]) -> TaskRunPage:
    """A page of task runs, and the cursor of the page that follows, if there is one."""
    data = asked.data
    found = TASK_RUN_LISTS.find(asked.connection, data, data.sort, _page(data))
    items = [_shown(run, data.columns) for run in found.runs]
    return TaskRunPage(items=items, next=_next(data, found.end))


def count_flow_runs(asked: Asked[CountFlowRuns]) -> Counted:
    """How many flow runs there are."""
    return Counted(count=FLOW_RUN_LISTS.count(asked.connection, asked.data))


def count_task_runs(asked: Asked[CountTaskRuns]) -> Counted:
    """How many task runs there are."""
    return Counted(count=TASK_RUN_LISTS.count(asked.connection, asked.data))


def _page(data: ListFlowRuns | ListTaskRuns) -> Page:
    after = None if data.after is None else cursor.read(data.sort, data.after)
    return Page(limit=data.limit, offset=data.offset, after=after)


def _next(data: ListFlowRuns | ListTaskRuns, end: Place | None) -> str | None:
    return None if end is None else cursor.write(data.sort, end)


def _shown(run: R, columns: Iterable[str] | None) -> R | JsonObject:
    """The whole run; or its id and what was asked for."""
    if columns is None:
        return run
    return {"id": run.id, **{name: getattr(run, name) for name in columns}}
