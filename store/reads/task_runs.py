"""The task runs of a flow run."""

from sqlalchemy import select

from messages.fields import Id
from messages.runs import TaskRun
from store.runs import TASK_RUNS
from store.tables.runs import flow_run, task_run
from store.transaction import Connection


def flow_run_exists(connection: Connection, flow_run_id: Id) -> bool:
    """Whether there is such a flow run."""
    return connection.execute(select(flow_run.c.id).where(flow_run.c.id == flow_run_id)).first() is not None


def task_runs_of(connection: Connection, flow_run_id: Id) -> list[TaskRun]:
    """All task runs of a flow run with their states, highest id first."""
    ids = connection.execute(select(task_run.c.id).where(task_run.c.flow_run_id == flow_run_id)).scalars()
    found = TASK_RUNS.read(connection, ids)
    return [found[run_id] for run_id in sorted(found, reverse=True)]
