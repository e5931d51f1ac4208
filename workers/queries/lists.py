"""Lists and counts of runs."""

from messages.answers import Counted, FlowRunPage, TaskRunPage
from messages.queries import CountFlowRuns, CountTaskRuns, ListFlowRuns, ListTaskRuns
from store.reads.lists import FLOW_RUN_LISTS, TASK_RUN_LISTS, Page
from store.reads.orders import Place
from workers.queries import cursor
from workers.queries.asked import Asked


def list_flow_runs(asked: Asked[ListFlowRuns]) -> FlowRunPage:
    """A page of flow runs, and the cursor of the page that follows, if there is one."""
    data, connection = asked.data, asked.connection
    if data.columns is None:
        whole = FLOW_RUN_LISTS.find(connection, data, data.sort, _page(data))
        return FlowRunPage(items=[*whole.runs], next=_next(data, whole.end))
    parts = FLOW_RUN_LISTS.find_columns(connection, data, data.sort, _page(data), data.columns)
    return FlowRunPage(items=[*parts.runs], next=_next(data, parts.end))


def list_task_runs(asked: Asked[ListTaskRuns]) -> TaskRunPage:
    """A page of task runs, and the cursor of the page that follows, if there is one."""
    data, connection = asked.data, asked.connection
    if data.columns is None:
        whole = TASK_RUN_LISTS.find(connection, data, data.sort, _page(data))
        return TaskRunPage(items=[*whole.runs], next=_next(data, whole.end))
    parts = TASK_RUN_LISTS.find_columns(connection, data, data.sort, _page(data), data.columns)
    return TaskRunPage(items=[*parts.runs], next=_next(data, parts.end))


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
